//! Use counts of each master secret, which show an operator when one can be retired.

use super::{members::member, rows};
use crate::{
    database::{Database, DatabaseError, DatabaseResult, SqlRow},
    rpc::CommandResult,
};
use ownchat_domain::{
    keyring::Keyring,
    record::Record,
    role::Operation,
    time::Timestamp,
    vault::masters::{Left, Master, Masters, ReadMasters},
};
use std::collections::BTreeMap;

/// The command that reads the use counts.
pub fn read(
    database: &impl Database,
    keyring: &Keyring,
    command: &ReadMasters,
    now: Timestamp,
) -> CommandResult<Masters> {
    member(database, &command.caller)?.may(Operation::ReadMasters, None, None, now)?;
    let records = by_master(rows::keys::count_by_seal(database)?)?;
    let secrets = by_master(rows::secrets::count_by_master(database, now)?)?;
    let keys = by_master(rows::keys::count_by_issuer(database)?)?;
    let count = |counts: &BTreeMap<Option<u16>, u64>, id| counts.get(&id).copied().unwrap_or(0);
    let listed: Vec<u16> = keyring.ids().collect();
    let used = records.keys().chain(secrets.keys()).chain(keys.keys()).filter_map(|id| *id);
    let mut ids: Vec<u16> = listed.iter().copied().chain(used).collect();
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids.dedup();
    let data = ids.into_iter().map(|id| Master {
        id,
        left: Left {
            seal: keyring.seal(id).is_some(),
            pepper: keyring.pepper(id).is_some(),
            locator: keyring.locators().any(|(other, _)| other == id),
        },
        records: count(&records, Some(id)),
        secrets: count(&secrets, Some(id)),
        keys: count(&keys, Some(id)),
    });
    Ok(Masters { data: data.collect(), unknown: count(&records, None).max(count(&keys, None)) })
}

fn by_master(counts: Vec<SqlRow>) -> DatabaseResult<BTreeMap<Option<u16>, u64>> {
    let number = |_| DatabaseError("a number out of range".into());
    let read = |mut row: SqlRow| {
        let master = row.optional_integer()?.map(u16::try_from).transpose().map_err(number)?;
        Ok((master, u64::try_from(row.integer()?).map_err(number)?))
    };
    counts.into_iter().map(read).collect()
}

/// Returns a log line for each working secret of the record whose pepper is missing from the
/// keyring.
pub fn missing_peppers(record: &Record, keyring: &Keyring) -> Vec<String> {
    let works = |ends_at: Option<Timestamp>| ends_at.is_none_or(|end| end > record.sealed_at);
    let missing =
        record.secrets.iter().filter(|secret| works(secret.ends_at) && keyring.pepper(secret.master).is_none());
    missing
        .map(|secret| {
            format!(
                "key {}: secret {} never matches: its digest needs the pepper of master secret {}, which is not in \
                 MASTER_KEYS",
                record.locator, secret.number, secret.master
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
