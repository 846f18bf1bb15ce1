//! Repair sweep: about once a day, compares every replica in KV with the registry and rewrites
//! those that differ.
//!
//! The outbox delivers every change to KV. Repairs are needed only after an outside fault: a record
//! was deleted, put back, or written by an older version of this code.
//!
//! A replica is correct if the current record, sealed at the replica's own sealing time, has the
//! very same bytes. A replica in an older layout or under an older master secret is therefore
//! rewritten too. One pass later the older layout or secret can be retired.
//!
//! A correct replica past its lifetime stays as it is: unused keys would cost a write a day each.
//! It is resealed when an edge next asks for it.

use super::{
    kv_outbox,
    kv_replica::KvReplica,
    rows::{self, keys::SweptKey, record},
    scheduled_tasks::{self, ScheduledTask},
};
use crate::database::{Database, DatabaseError, DatabaseResult};
use ownchat_domain::{
    environment::Environment,
    keyring::Keyring,
    locator::Locator,
    record::{Record, RecordError, kv_name},
    time::{DAY, HOUR, MINUTE, SECOND, Timestamp},
};

/// Most keys of one batch.
const BATCH: i64 = 50;
/// Interval between two batches, in milliseconds.
const BATCH_INTERVAL: i64 = SECOND;
/// Interval between the starts of two passes, in milliseconds.
const PASS_INTERVAL: i64 = DAY;
/// A record written less than this long ago is skipped, in milliseconds. KV may still serve the
/// former value.
const SETTLE_TIME: i64 = 5 * MINUTE;

/// Returns the time of the next batch, if there is any key.
pub fn next_due(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    if !rows::keys::any(database)? {
        return Ok(None);
    }
    Ok(Some(scheduled_tasks::schedule(database, ScheduledTask::Sweep)?.due_at))
}

/// Checks the next batch of keys, if it is due. Returns its findings, for the log.
pub async fn run_batch(
    database: &impl Database,
    keyring: &Keyring,
    replica: &impl KvReplica,
    now: impl Fn() -> Timestamp,
) -> DatabaseResult<Vec<String>> {
    let mut found = Vec::new();
    if next_due(database)?.is_none_or(|due| due > now()) {
        return Ok(found);
    }
    let mut progress = scheduled_tasks::progress(database, ScheduledTask::Sweep)?;
    if progress.after == 0 {
        progress.begun_at = now();
    }
    let keys = rows::keys::swept_after(database, progress.after, BATCH)?;
    let is_last = keys.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
    for key in keys {
        match check_key(database, keyring, replica, &key, &now).await {
            Ok(None) => {}
            Ok(Some(mismatch)) => {
                kv_outbox::enqueue(database, key.number, now())?;
                found.push(format!("sweep: key {}: {mismatch}; it is queued for a rewrite", key.locator));
            }
            Err(SweepError::Key(error)) => found.push(format!("sweep: key {}: {error}", key.locator)),
            Err(SweepError::Kv(error)) => {
                // The next batch resumes with this key.
                found.push(format!("sweep: KV: {error}"));
                scheduled_tasks::set_progress(database, ScheduledTask::Sweep, progress)?;
                scheduled_tasks::failed(database, ScheduledTask::Sweep, now())?;
                return Ok(found);
            }
        }
        progress.after = key.number;
    }
    let next = if is_last {
        progress.after = 0;
        progress.begun_at.plus(PASS_INTERVAL).max(now().plus(HOUR))
    } else {
        now().plus(BATCH_INTERVAL)
    };
    scheduled_tasks::set_progress(database, ScheduledTask::Sweep, progress)?;
    scheduled_tasks::succeeded(database, ScheduledTask::Sweep, next)?;
    Ok(found)
}

/// Reason for which a key could not be checked.
enum SweepError {
    /// Its row is unreadable.
    Key(DatabaseError),
    /// KV does not respond.
    Kv(String),
}

impl From<DatabaseError> for SweepError {
    fn from(error: DatabaseError) -> Self {
        Self::Key(error)
    }
}

/// Returns the mismatch of a key's replica, if there is one.
async fn check_key(
    database: &impl Database,
    keyring: &Keyring,
    replica: &impl KvReplica,
    key: &SweptKey,
    now: &impl Fn() -> Timestamp,
) -> Result<Option<&'static str>, SweepError> {
    let locator: Locator = key.locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
    if key.issuer.is_none() {
        note_issuer(database, keyring, key, locator)?;
    }
    if is_queued(database, key.number)? {
        return Ok(None);
    }
    match key.published_at {
        None => return Ok(Some("its record was never written")),
        Some(at) if now().since(at) < SETTLE_TIME => return Ok(None),
        Some(_) => {}
    }
    let replica = replica.get(&kv_name(locator)).await.map_err(SweepError::Kv)?;
    // The record is read after KV has responded. A change meanwhile is queued already.
    let Some(current) = record(database, locator, now())?.filter(|_| !is_queued(database, key.number).unwrap_or(true))
    else {
        return Ok(None);
    };
    let mismatch = mismatch(replica.as_deref(), current, keyring);
    if mismatch.is_none() {
        rows::keys::set_published(database, key.number, keyring.newest().id, None)?;
    }
    Ok(mismatch)
}

fn note_issuer(database: &impl Database, keyring: &Keyring, key: &SweptKey, locator: Locator) -> DatabaseResult<()> {
    let environment: Environment = key.environment.parse().map_err(|()| DatabaseError("not an environment".into()))?;
    if let Some((_, issuer)) = locator.open_with_issuer(keyring, environment) {
        rows::keys::set_issuer(database, key.number, issuer)?;
    }
    Ok(())
}

/// Returns true if the key's record is queued for a write anyway.
fn is_queued(database: &impl Database, key: i64) -> DatabaseResult<bool> {
    Ok(database.first("SELECT 1 FROM outbox WHERE key = ?", &[key.into()])?.is_some())
}

fn mismatch(replica: Option<&[u8]>, current: Record, keyring: &Keyring) -> Option<&'static str> {
    let Some(bytes) = replica else { return Some("its record is missing") };
    let replica = match Record::open(bytes, current.locator, keyring) {
        Ok(replica) => replica,
        Err(RecordError::Master(_)) => return Some("its record is sealed under an unknown master secret"),
        Err(_) => return Some("its record cannot be read"),
    };
    if replica.version < current.version || replica.workspace.version < current.workspace.version {
        return Some("its record is older than the key");
    }
    match (Record { sealed_at: replica.sealed_at, ..current }).seal(keyring) {
        Ok(right) if right == bytes => None,
        _ => Some("its record is in an older layout, under an older master secret, or not what it should be"),
    }
}

#[cfg(test)]
mod tests;
