//! The command that duplicates a key.

use super::{
    idempotency::IdempotentRequest,
    keys::{KeyCreation, issue, present},
    members::member,
    rows,
    trail::to_raw_json,
};
use crate::{
    database::{Database, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    audit::Action,
    key::duplicate_name,
    keyring::Keyring,
    locator::Locator,
    role::{Grant, Operation},
    time::Timestamp,
    vault::registry::{DuplicateKey, Issued},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// The `before` value of the audit line of a duplicate.
#[derive(Serialize)]
struct DuplicateOf {
    duplicate_of: Locator,
}

/// Creates a key with the facts of another one, a new secret and a new name.
pub fn duplicate(
    database: &impl Database,
    keyring: &Keyring,
    workspace: u32,
    command: &DuplicateKey,
    now: Timestamp,
) -> CommandResult<Issued> {
    let member = member(database, &command.origin.caller)?;
    member.may(Operation::CreateKey, None, None, now)?;
    let request =
        IdempotentRequest::of::<DuplicateKey>(command.once.as_ref(), &command.origin.caller, &command.id.to_string());
    if let Some(before) = request.replay(database, now)? {
        return Ok(Issued { key: before.key, replayed: true });
    }
    let source = present(database, command.id)?;
    member.may(Operation::ReadKey, Some(&source), None, now)?;
    let name = free_name(database, &source.details.name)?;
    let (details, reason) = source.details.duplicate(name, &command.differences, command.environment, now)?;
    member.may(Operation::CreateKey, None, Some(&Grant::of_new(&details, reason.as_deref())), now)?;
    let creation = KeyCreation {
        workspace,
        details,
        secret: command.secret,
        action: Action::Duplicate,
        before: Some(to_raw_json(&DuplicateOf { duplicate_of: source.locator })?),
        reason,
    };
    issue(database, keyring, creation, &command.origin, &member, request, now)
}

/// Returns a free name for a duplicate.
fn free_name(database: &impl Database, name: &str) -> DatabaseResult<String> {
    let taken: BTreeSet<String> = rows::keys::names_with(database, " (copy")?.into_iter().collect();
    Ok(duplicate_name(name, |name| taken.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        database::memory::MemoryDatabase,
        registry::{
            keys,
            rows::record,
            testing::{NOW, OWNER, STRANGER, WORKSPACE, count, create, keyring, new_key, origin, workspace},
        },
    };
    use ownchat_domain::{
        account::PersonId,
        checks::{AccessRequest, decide},
        digest::SecretHash,
        failure::Failure,
        idempotency::{BodyHash, Idempotency},
        key::{KeyPatch, NewKey},
        limit::RateLimit,
        vault::registry::DeleteKey,
    };

    const NEW: SecretHash = SecretHash::from_bytes([4; 32]);

    fn source(database: &MemoryDatabase) -> ownchat_domain::key::Key {
        let key = NewKey {
            rate_limit: Some(RateLimit { limit: 5, window_seconds: 60 }),
            integration: "POS".into(),
            metadata: [("team".to_owned(), "till".to_owned())].into(),
            restrictions: serde_json::from_str(r#"{"allow":["203.0.113.0/24"],"channels":["ch_1"]}"#).unwrap(),
            ..new_key("Shop", &["contacts:read"])
        };
        create(database, key, NOW).unwrap()
    }

    fn command(id: Locator, person: PersonId, once: Option<&str>) -> DuplicateKey {
        DuplicateKey {
            origin: origin(person),
            id,
            differences: KeyPatch::default(),
            environment: None,
            secret: NEW,
            once: once.map(|name| Idempotency { key: name.parse().unwrap(), body: BodyHash::of(b"{}") }),
        }
    }

    fn duplicated(database: &MemoryDatabase, command: &DuplicateKey) -> CommandResult<Issued> {
        duplicate(database, &keyring(), WORKSPACE, command, NOW.plus(1))
    }

    #[test]
    fn a_duplicate_has_the_facts_of_its_source_and_its_own_secret() {
        let database = workspace();
        let key = source(&database);
        let made = duplicated(&database, &command(key.id, OWNER, None)).unwrap().key;
        assert_ne!(made.id, key.id);
        assert_eq!((made.name.as_str(), made.version, made.secrets.len()), ("Shop (copy)", 1, 1));
        assert_eq!((&made.scopes, &made.restrictions), (&key.scopes, &key.restrictions));
        assert_eq!(
            (made.rate_limit, &made.metadata, &made.integration),
            (key.rate_limit, &key.metadata, &key.integration)
        );
        let record = record(&database, made.id, NOW).unwrap().unwrap();
        let from = AccessRequest { address: "203.0.113.9".parse().ok(), ..AccessRequest::default() };
        assert_eq!(decide(&record, &NEW, &from, &keyring(), NOW.plus(1)), Ok(1));
        let old = SecretHash::from_bytes([3; 32]);
        assert!(decide(&record, &old, &from, &keyring(), NOW.plus(1)).is_err(), "the secret of the source");
        assert_eq!((count(&database, "keys"), count(&database, "outbox")), (2, 2));
    }

    #[test]
    fn the_audit_line_names_the_source() {
        let database = workspace();
        let key = source(&database);
        let made = duplicated(&database, &command(key.id, OWNER, None)).unwrap().key;
        let mut row = database.first("SELECT line FROM trail WHERE action = 'key.duplicate'", &[]).unwrap().unwrap();
        let line: serde_json::Value = serde_json::from_str(&row.text().unwrap()).unwrap();
        assert_eq!(line["before"]["duplicate_of"], key.id.to_string());
        assert_eq!((&line["key"], &line["after"]["id"]), (&made.id.to_string().into(), &made.id.to_string().into()));
    }

    #[test]
    fn a_repeated_request_makes_one_duplicate() {
        let database = workspace();
        let key = source(&database);
        let first = duplicated(&database, &command(key.id, OWNER, Some("a"))).unwrap();
        let again = duplicated(&database, &command(key.id, OWNER, Some("a"))).unwrap();
        assert!(again.replayed && again.key == first.key && count(&database, "keys") == 2);
    }

    #[test]
    fn only_a_visible_present_key_can_be_duplicated() {
        let database = workspace();
        let key = source(&database);
        let not_found = || Err(Failure::NotFound.into());
        assert_eq!(duplicated(&database, &command(key.id, STRANGER, None)), not_found());
        let delete = DeleteKey { origin: origin(OWNER), id: key.id, version: 1 };
        keys::delete(&database, &delete, NOW).unwrap();
        assert_eq!(duplicated(&database, &command(key.id, OWNER, None)), not_found());
        assert_eq!(count(&database, "keys"), 1);
    }
}
