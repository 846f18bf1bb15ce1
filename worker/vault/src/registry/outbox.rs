//! The outbox: keys whose record in KV is to be written, and the writing.
//!
//! A row is put in by the transaction that changes the key and taken out when KV has confirmed a
//! record at least as new. KV takes one write a second for a key, so changes that follow each other
//! more quickly are written once.

use super::rows::{record, time};
use crate::{
    answer::Done,
    database::{Database, DatabaseError, Stored},
    object::now,
};
use ownchat_domain::{
    keyring::Keyring,
    locator::Locator,
    record::kv_name,
    time::{MINUTE, SECOND, Timestamp},
};
use worker::{KvStore, console_error};

/// How often at most the record of one key is written only because it was asked for, in milliseconds: as long
/// as KV may go on answering that there is none.
const REPAIR_EVERY: i64 = MINUTE;

/// Most records that one alarm carries; the rest follow with the next.
const BATCH: i64 = 100;

/// Notes that the record of a key must be written.
pub fn enqueue(database: &impl Database, key: i64, now: Timestamp) -> Done<()> {
    database.run(
        "INSERT INTO outbox (key, due_at) \
         SELECT number, max(?, coalesce(published_at, 0) + ?) FROM keys WHERE number = ? \
         ON CONFLICT (key) DO UPDATE SET attempts = 0, due_at = min(due_at, excluded.due_at)",
        &[time(now), SECOND.into(), key.into()],
    )?;
    Ok(())
}

/// Notes that the records of all keys must be written.
pub fn enqueue_all(database: &impl Database, now: Timestamp) -> Done<()> {
    database.run(
        "INSERT INTO outbox (key, due_at) SELECT number, max(?, coalesce(published_at, 0) + ?) FROM keys WHERE true \
         ON CONFLICT (key) DO UPDATE SET attempts = 0, due_at = min(due_at, excluded.due_at)",
        &[time(now), SECOND.into()],
    )?;
    Ok(())
}

/// Notes that the record of a key must be written if it was not a moment ago: the edge would not ask for one
/// that lies in KV and is good.
pub fn enqueue_missing(database: &impl Database, locator: Locator, now: Timestamp) -> Stored<()> {
    database.run(
        "INSERT INTO outbox (key, due_at) \
         SELECT number, ? FROM keys WHERE locator = ? AND coalesce(published_at, 0) <= ? ON CONFLICT DO NOTHING",
        &[time(now), locator.to_string().into(), time(now.plus(-REPAIR_EVERY))],
    )?;
    Ok(())
}

/// When the next record is due, if any waits.
pub fn next_due(database: &impl Database) -> Stored<Option<Timestamp>> {
    match database.first("SELECT min(due_at) FROM outbox", &[])? {
        Some(mut row) => Ok(row.optional_integer()?.map(Timestamp::from_millis)),
        None => Ok(None),
    }
}

/// A key whose record is due.
struct Due {
    key: i64,
    attempts: i64,
    locator: String,
    version: i64,
}

/// Writes every record that is due. One that cannot be written waits, longer each time.
pub async fn deliver(database: &impl Database, keyring: &Keyring, kv: &KvStore) -> Stored<()> {
    for due in due(database, now())? {
        // Read at the last moment, so that the newest state is written.
        let Some((name, version, bytes)) = sealed(database, keyring, &due, now())? else { continue };
        let put = match kv.put_bytes(&name, &bytes) {
            Ok(put) => put.execute().await,
            Err(error) => Err(error),
        };
        match put {
            Ok(()) => confirm(database, due.key, version, now())?,
            Err(error) => {
                console_error!("{name}: {error}");
                postpone(database, due.key, due.attempts, now())?;
            }
        }
    }
    Ok(())
}

fn due(database: &impl Database, now: Timestamp) -> Stored<Vec<Due>> {
    database
        .run(
            "SELECT outbox.key, attempts, locator, version FROM outbox JOIN keys ON number = outbox.key \
             WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            &[time(now), BATCH.into()],
        )?
        .into_iter()
        .map(|mut row| {
            Ok(Due { key: row.integer()?, attempts: row.integer()?, locator: row.text()?, version: row.integer()? })
        })
        .collect()
}

fn sealed(
    database: &impl Database,
    keyring: &Keyring,
    due: &Due,
    now: Timestamp,
) -> Stored<Option<(String, i64, Vec<u8>)>> {
    let locator = due.locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
    let Some(record) = record(database, locator, now)? else { return Ok(None) };
    let version = i64::try_from(record.version).unwrap_or(due.version);
    let bytes = record.seal(keyring).map_err(|error| DatabaseError(error.to_string()))?;
    Ok(Some((kv_name(locator), version, bytes)))
}

/// KV has the record of this version. If the key has changed since, it stays in the outbox.
fn confirm(database: &impl Database, key: i64, version: i64, now: Timestamp) -> Stored<()> {
    database.atomically(|| {
        database.run("UPDATE keys SET published_at = ? WHERE number = ?", &[time(now), key.into()])?;
        database.run(
            "DELETE FROM outbox WHERE key = ? AND (SELECT version FROM keys WHERE number = key) <= ?",
            &[key.into(), version.into()],
        )?;
        database
            .run("UPDATE outbox SET due_at = ?, attempts = 0 WHERE key = ?", &[time(now.plus(SECOND)), key.into()])?;
        Ok(())
    })
}

/// Waits 1 s after the first failure, then twice as long each time, at most 5 minutes.
fn postpone(database: &impl Database, key: i64, attempts: i64, now: Timestamp) -> Stored<()> {
    let wait = (SECOND << attempts.clamp(0, 10)).min(5 * MINUTE);
    database.run(
        "UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE key = ?",
        &[time(now.plus(wait)), key.into()],
    )?;
    Ok(())
}

#[cfg(test)]
#[path = "outbox/tests.rs"]
mod tests;
