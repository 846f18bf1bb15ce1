//! Check values of the master secrets, which detect a keyring that does not match the workspace.
//!
//! With other secrets every key would be refused as forged. Anything written would be lost once the
//! right ones are back. The registry therefore refuses everything until they match.

use super::rows;
use crate::database::{Database, DatabaseError, DatabaseResult};
use ownchat_domain::keyring::{CheckValue, Keyring};
use std::collections::BTreeMap;

/// Compares the check values with the stored ones, and stores new ones. Returns the mismatch,
/// worded for an operator.
pub fn compare(database: &impl Database, keyring: &Keyring) -> DatabaseResult<Result<(), String>> {
    let rows = database.run("SELECT id, purpose, value FROM master_checks", &[])?;
    let mut known: BTreeMap<(u16, String), [u8; CheckValue::BYTES]> = rows
        .into_iter()
        .map(|mut row| {
            let id = u16::try_from(row.integer()?).map_err(|_| DatabaseError("not the id of a secret".into()))?;
            Ok(((id, row.text()?), row.bytes()?))
        })
        .collect::<DatabaseResult<_>>()?;
    let now: Vec<CheckValue> = keyring.checks().collect();
    let place = |check: &CheckValue| (check.id, check.purpose.to_owned());
    let wrong = now.iter().find(|check| known.get(&place(check)).is_some_and(|value| *value != check.value));
    let has_none = !known.is_empty() && !now.iter().any(|check| known.contains_key(&place(check)));
    if wrong.is_some() || has_none {
        if rows::keys::any(database)? {
            let which = wrong.map_or_else(
                || "none of its secrets is one that this workspace was used with".to_owned(),
                |check| format!("its secret {} is not the one that this workspace was used with", check.id),
            );
            return Ok(Err(format!(
                "MASTER_KEYS: {which}, so nothing is answered. Put the former value back; to roll a secret, add the \
                 new one beside it"
            )));
        }
        // No key depends on them yet.
        database.run("DELETE FROM master_checks", &[])?;
        known.clear();
    }
    for check in now.iter().filter(|check| !known.contains_key(&place(check))) {
        database.run(
            "INSERT INTO master_checks (id, purpose, value) VALUES (?, ?, ?)",
            &[u32::from(check.id).into(), check.purpose.into(), check.value.as_slice().into()],
        )?;
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        database::memory::MemoryDatabase,
        registry::testing::{NOW, count, create, new_key, workspace},
    };
    use ownchat_domain::keyring::{Use, retire};

    const ONE: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const OTHER_ONE: &str = "1:BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=";
    const TWO: &str = "2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn try_with(database: &MemoryDatabase, list: &str) -> Result<(), String> {
        compare(database, &Keyring::parse(list).unwrap()).unwrap()
    }

    fn used() -> MemoryDatabase {
        let database = workspace();
        assert_eq!(try_with(&database, ONE), Ok(()));
        create(&database, new_key("One", &["contacts:read"]), NOW).unwrap();
        database
    }

    #[test]
    fn master_secrets_that_do_not_match_the_keys_are_refused() {
        let database = used();
        for (list, words) in [(OTHER_ONE, "secret 1 is not"), (TWO, "none of its secrets")] {
            let why = try_with(&database, list).unwrap_err();
            assert!(why.contains("MASTER_KEYS") && why.contains(words), "{why}");
            assert!(!["delete", "remove", "--fresh"].iter().any(|word| why.contains(word)), "{why}");
        }
        assert!(try_with(&database, &format!("{OTHER_ONE},{TWO}")).is_err());
        assert_eq!(try_with(&database, ONE), Ok(()), "the mismatch was not stored");
    }

    #[test]
    fn a_secret_can_be_rolled_and_retired() {
        let database = used();
        let both = format!("{ONE},{TWO}");
        let left = |kept: &[Use]| retire(&both, 1, kept).unwrap();
        for list in [both.clone(), left(&[Use::Locator, Use::Pepper]), left(&[Use::Locator]), TWO.to_owned()] {
            assert_eq!(try_with(&database, &list), Ok(()), "{list}");
        }
        assert!(try_with(&database, OTHER_ONE).is_err());
    }

    #[test]
    fn a_workspace_without_keys_accepts_any() {
        let database = workspace();
        for list in [ONE, OTHER_ONE, TWO] {
            assert_eq!(try_with(&database, list), Ok(()));
        }
        assert_eq!(count(&database, "master_checks"), 3, "only those of the last keyring");
    }
}
