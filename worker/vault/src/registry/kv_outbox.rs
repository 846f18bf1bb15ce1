//! KV outbox: keys whose record must be written to KV, and the delivery with retries and back-off.
//!
//! A row is inserted in the transaction that changes the key. It is deleted when KV has confirmed a
//! record at least as new. KV accepts one write per second and key, so quick changes are coalesced.

use super::{
    kv_replica::KvReplica,
    rows::{self, record, time},
};
use crate::database::{Database, DatabaseError, DatabaseResult};
use ownchat_domain::{
    back_off::back_off,
    keyring::Keyring,
    locator::Locator,
    record::kv_name,
    time::{HOUR, MINUTE, SECOND, Timestamp},
};

/// Least interval between two repairs of a record at the request of an edge, in milliseconds.
///
/// An edge may ask although KV has the record: it cannot read the feed, somebody guesses secrets,
/// or the key was imported from an older file. Each write costs.
const REPAIR_INTERVAL: i64 = HOUR;

/// Most records that one alarm delivers; the rest follow with the next.
const BATCH: i64 = 100;

/// Maximum back-off between attempts, in milliseconds.
pub const BACK_OFF_MAX: i64 = 5 * MINUTE;

/// Queues the record of a key.
pub fn enqueue(database: &impl Database, key: i64, now: Timestamp) -> DatabaseResult<()> {
    rows::keys::queue_records(database, Some(key), now)
}

/// Queues the records of all keys.
pub fn enqueue_all(database: &impl Database, now: Timestamp) -> DatabaseResult<()> {
    rows::keys::queue_records(database, None, now)
}

/// Queues a record that an edge asked for, unless it was written lately. It may be missing in KV,
/// or be past its lifetime.
pub fn enqueue_missing(database: &impl Database, locator: Locator, now: Timestamp) -> DatabaseResult<()> {
    rows::keys::queue_record_from(database, locator, now.plus(-REPAIR_INTERVAL), now)
}

/// Returns the time at which the next record is due, if one is queued.
pub fn next_due(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    match database.first("SELECT min(due_at) FROM outbox", &[])? {
        Some(mut row) => Ok(row.optional_integer()?.map(Timestamp::from_millis)),
        None => Ok(None),
    }
}

/// A sealed record on its way to KV.
struct SealedRecord {
    name: String,
    version: u64,
    /// Version of the settings.
    settings: u64,
    bytes: Vec<u8>,
}

/// Writes every due record.
///
/// A failed record backs off and blocks no other. Its error is returned, for the log.
pub async fn deliver(
    database: &impl Database,
    keyring: &Keyring,
    replica: &impl KvReplica,
    now: impl Fn() -> Timestamp,
) -> DatabaseResult<Vec<String>> {
    let mut errors = Vec::new();
    for (key, attempts, locator) in &rows::keys::due_records(database, now(), BATCH)? {
        // Read at the last moment, so that the newest state is written.
        let written = match seal(database, keyring, locator, now()) {
            Ok(sealed) => replica.put(&sealed.name, &sealed.bytes).await.map(|()| sealed),
            Err(error) => Err(error.to_string()),
        };
        match written {
            Ok(sealed) => confirm(database, *key, &sealed, keyring.newest().id, now())?,
            Err(error) => {
                errors.push(format!("outbox: key {locator}: {error}"));
                postpone(database, *key, *attempts, now())?;
            }
        }
    }
    Ok(errors)
}

fn seal(database: &impl Database, keyring: &Keyring, locator: &str, now: Timestamp) -> DatabaseResult<SealedRecord> {
    let locator = locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
    let record = record(database, locator, now)?.ok_or_else(|| DatabaseError("no such key".into()))?;
    let bytes = record.seal(keyring).map_err(|error| DatabaseError(error.to_string()))?;
    Ok(SealedRecord { name: kv_name(locator), version: record.version, settings: record.workspace.version, bytes })
}

/// Confirms that KV has this record. The key stays queued if it or the settings have changed since.
fn confirm(
    database: &impl Database,
    key: i64,
    sealed: &SealedRecord,
    master: u16,
    now: Timestamp,
) -> DatabaseResult<()> {
    database.transaction(|| {
        rows::keys::set_published(database, key, master, Some(now))?;
        rows::keys::unqueue_record(database, key, sealed.version, sealed.settings)?;
        database
            .run("UPDATE outbox SET due_at = ?, attempts = 0 WHERE key = ?", &[time(now.plus(SECOND)), key.into()])?;
        Ok(())
    })
}

fn postpone(database: &impl Database, key: i64, attempts: i64, now: Timestamp) -> DatabaseResult<()> {
    database.run(
        "UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE key = ?",
        &[time(now.plus(back_off(attempts, BACK_OFF_MAX))), key.into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
