//! The repair sweep: about once a day KV is compared with the truth, key by key, and what differs is written anew.
//!
//! The outbox carries every change to KV, so there is nothing to repair unless something went wrong outside: a
//! record was removed, put back, or written by an older version of this code. A copy is right if sealing the truth
//! at the moment at which the copy was sealed gives the very same bytes. So a copy in an older layout, or under an
//! older master secret, is written anew as well, and the older one can be given up after one round.
//!
//! A copy that has outlived itself and is right otherwise stays as it is: keys that nobody uses would cost a write
//! a day each. It is sealed anew when an edge next asks for it.

use super::{
    kv_outbox,
    kv_replica::KvReplica,
    rows::record,
    scheduled_tasks::{self, ScheduledTask},
};
use crate::database::{Database, DatabaseError, DatabaseResult};
use ownchat_domain::{
    keyring::Keyring,
    locator::Locator,
    record::{Record, RecordError, kv_name},
    time::{DAY, HOUR, MINUTE, SECOND, Timestamp},
    token::Environment,
};

/// Most keys of one turn.
const BATCH: i64 = 50;
/// From one turn to the next, in milliseconds.
const BATCH_INTERVAL: i64 = SECOND;
/// From the beginning of one round to that of the next, in milliseconds.
const PASS_INTERVAL: i64 = DAY;
/// What was written so short a time ago is left alone, in milliseconds: KV may still answer with what was there
/// before.
const SETTLE_TIME: i64 = 5 * MINUTE;

/// When the next turn is due, if there is any key.
pub fn next_due(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    match database.first("SELECT 1 FROM keys LIMIT 1", &[])? {
        Some(_) => Ok(Some(scheduled_tasks::schedule(database, ScheduledTask::Sweep)?.due_at)),
        None => Ok(None),
    }
}

/// A key, as far as it matters here.
struct SweptKey {
    number: i64,
    locator: String,
    environment: String,
    issuer: Option<i64>,
    published_at: Option<Timestamp>,
}

/// Looks at the next keys, if it is time to. Returns what was found, for the log.
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
    let keys = keys(database, progress.after)?;
    let is_last = keys.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
    for key in keys {
        match check_key(database, keyring, replica, &key, &now).await {
            Ok(None) => {}
            Ok(Some(mismatch)) => {
                kv_outbox::enqueue(database, key.number, now())?;
                found.push(format!("sweep: key {}: {mismatch}; it is written anew", key.locator));
            }
            Err(SweepError::Key(error)) => found.push(format!("sweep: key {}: {error}", key.locator)),
            Err(SweepError::Kv(error)) => {
                // It goes on with this key.
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

fn keys(database: &impl Database, after: i64) -> DatabaseResult<Vec<SweptKey>> {
    let rows = database.run(
        "SELECT number, locator, environment, issuer, published_at FROM keys WHERE number > ? ORDER BY number LIMIT ?",
        &[after.into(), BATCH.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(SweptKey {
                number: row.integer()?,
                locator: row.text()?,
                environment: row.text()?,
                issuer: row.optional_integer()?,
                published_at: row.optional_integer()?.map(Timestamp::from_millis),
            })
        })
        .collect()
}

/// Why a key could not be looked at.
enum SweepError {
    /// Its row cannot be read.
    Key(DatabaseError),
    /// KV does not answer.
    Kv(String),
}

impl From<DatabaseError> for SweepError {
    fn from(error: DatabaseError) -> Self {
        Self::Key(error)
    }
}

/// What is wrong with the copy of a key, if anything is.
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
    let copy = replica.get(&kv_name(locator)).await.map_err(SweepError::Kv)?;
    // The truth is read after KV has answered. What has changed meanwhile is on its way.
    let Some(truth) = record(database, locator, now())?.filter(|_| !is_queued(database, key.number).unwrap_or(true))
    else {
        return Ok(None);
    };
    let mismatch = mismatch(copy.as_deref(), truth, keyring);
    if mismatch.is_none() {
        database.run(
            "UPDATE keys SET published_master = ? WHERE number = ?",
            &[i64::from(keyring.newest().id).into(), key.number.into()],
        )?;
    }
    Ok(mismatch)
}

fn note_issuer(database: &impl Database, keyring: &Keyring, key: &SweptKey, locator: Locator) -> DatabaseResult<()> {
    let environment: Environment = key.environment.parse().map_err(|()| DatabaseError("not an environment".into()))?;
    if let Some((_, issuer)) = locator.open_with_issuer(keyring, environment) {
        database.run("UPDATE keys SET issuer = ? WHERE number = ?", &[i64::from(issuer).into(), key.number.into()])?;
    }
    Ok(())
}

/// Whether the record of the key is to be written anyway.
fn is_queued(database: &impl Database, key: i64) -> DatabaseResult<bool> {
    Ok(database.first("SELECT 1 FROM outbox WHERE key = ?", &[key.into()])?.is_some())
}

fn mismatch(copy: Option<&[u8]>, truth: Record, keyring: &Keyring) -> Option<&'static str> {
    let Some(bytes) = copy else { return Some("its record is gone") };
    let copy = match Record::open(bytes, truth.locator, keyring) {
        Ok(copy) => copy,
        Err(RecordError::Master(_)) => return Some("its record is sealed under a master secret that is not there"),
        Err(_) => return Some("its record cannot be read"),
    };
    if copy.version < truth.version || copy.workspace.version < truth.workspace.version {
        return Some("its record is older than the key");
    }
    match (Record { sealed_at: copy.sealed_at, ..truth }).seal(keyring) {
        Ok(right) if right == bytes => None,
        _ => Some("its record is in an older layout, under an older master secret, or not what it should be"),
    }
}

#[cfg(test)]
mod tests;
