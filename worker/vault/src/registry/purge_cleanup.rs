//! Clean-up after a purge: clears the meter of a purged key and deletes its replica in KV.
//!
//! A row is inserted in the transaction of the purge, and deleted when both stores have responded.
//! Every purged key has one, since it is unknown if it ever had a limit. Clearing an unused meter
//! costs one request.
//!
//! Imported keys have a row too. Their meters may have seen later versions of them, and must accept
//! any version without losing usage.

use super::{
    kv_outbox::BACK_OFF_MAX,
    kv_replica::KvReplica,
    meters::Meters,
    rows::{self, find, time},
};
use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    back_off::back_off,
    feed::FRESH_FOR,
    locator::Locator,
    record::kv_name,
    time::{SECOND, Timestamp},
};

/// Most keys that one alarm cleans up; the rest follow with the next.
const BATCH: i64 = 100;

/// Queues a purged key.
pub fn enqueue_key(database: &impl Database, key: Locator, now: Timestamp) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO leftovers (locator, due_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        &[key.to_string().into(), time(now)],
    )?;
    Ok(())
}

/// Delay between the publication of an import and the reset of its meters, in milliseconds. After
/// it, no edge that can read the feed uses a later record. No request with one is in flight to a
/// meter.
const SETTLE_TIME: i64 = FRESH_FOR + 3 * SECOND;

/// Queues all keys, after an import that was published by `now`, so that no meter applies former
/// limits.
pub fn enqueue_imported(database: &impl Database, now: Timestamp) -> DatabaseResult<()> {
    rows::keys::queue_clean_up(database, now.plus(SETTLE_TIME))
}

/// Returns the time at which the next key is due, if one is queued.
pub fn next_due(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    match database.first("SELECT min(due_at) FROM leftovers", &[])? {
        Some(mut row) => Ok(row.optional_integer()?.map(Timestamp::from_millis)),
        None => Ok(None),
    }
}

/// Cleans up every due key.
///
/// A failed key backs off and blocks no other. Its error is returned, for the log.
pub async fn run(
    database: &impl Database,
    meters: &impl Meters,
    replica: &impl KvReplica,
    now: impl Fn() -> Timestamp,
) -> CommandResult<Vec<String>> {
    let mut errors = Vec::new();
    for (locator, attempts) in due(database, now())? {
        let key = locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
        if let Err(error) = clean_up(database, meters, replica, key).await? {
            errors.push(format!("clean-up of key {locator}: {error}"));
            database.run(
                "UPDATE leftovers SET due_at = ?, attempts = attempts + 1 WHERE locator = ?",
                &[time(now().plus(back_off(attempts, BACK_OFF_MAX))), locator.into()],
            )?;
        } else {
            database.run("DELETE FROM leftovers WHERE locator = ?", &[locator.into()])?;
        }
    }
    Ok(errors)
}

async fn clean_up(
    database: &impl Database,
    meters: &impl Meters,
    replica: &impl KvReplica,
    key: Locator,
) -> CommandResult<Result<(), String>> {
    if find(database, key)?.is_some() {
        // The KV outbox owns its replica.
        return Ok(meters.accept_any_version(key).await);
    }
    let meter = meters.clear(key).await;
    Ok(meter.and(replica.delete(&kv_name(key)).await))
}

fn due(database: &impl Database, now: Timestamp) -> DatabaseResult<Vec<(String, i64)>> {
    database
        .run(
            "SELECT locator, attempts FROM leftovers WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            &[time(now), BATCH.into()],
        )?
        .into_iter()
        .map(|mut row| Ok((row.text()?, row.integer()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{
        kv_replica::memory::{MemoryKv, expect_ready},
        meters::memory::MemoryMeters,
        testing::{NOW, count, create, new_key, workspace},
    };

    fn key(number: u32) -> Locator {
        format!("{number:016}").parse().unwrap()
    }

    fn with_replicas(keys: &[Locator]) -> MemoryKv {
        let kv = MemoryKv::default();
        kv.records.borrow_mut().extend(keys.iter().map(|key| (kv_name(*key), vec![1])));
        kv
    }

    #[test]
    fn a_failing_meter_is_retried_and_blocks_no_other() {
        let (database, meters) = (workspace(), MemoryMeters::default());
        let kv = with_replicas(&[key(1), key(2), key(3)]);
        meters.failing.borrow_mut().push(key(1));
        for number in 1..4 {
            enqueue_key(&database, key(number), NOW).unwrap();
            enqueue_key(&database, key(number), NOW).unwrap();
        }
        let turn = |now| expect_ready(run(&database, &meters, &kv, || now)).unwrap().len();
        assert_eq!(next_due(&database), Ok(Some(NOW)));
        assert_eq!((turn(NOW), meters.cleared.borrow().clone()), (1, vec![key(2), key(3)]));
        assert!(kv.records.borrow().is_empty(), "a failing meter does not block the replica");
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(1_000))));
        assert_eq!((turn(NOW.plus(999)), turn(NOW.plus(1_000))), (0, 1));
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(3_000))), "later each time");
        meters.failing.borrow_mut().clear();
        assert_eq!(turn(NOW.plus(3_000)), 0);
        assert_eq!((meters.cleared.borrow().len(), next_due(&database)), (3, Ok(None)));
        assert_eq!(count(&database, "leftovers"), 0);
    }

    #[test]
    fn a_replica_that_cannot_be_deleted_is_retried() {
        let (database, meters, kv) = (workspace(), MemoryMeters::default(), with_replicas(&[key(1)]));
        enqueue_key(&database, key(1), NOW).unwrap();
        kv.is_down.set(true);
        let turn = |now| expect_ready(run(&database, &meters, &kv, || now)).unwrap().len();
        assert_eq!(turn(NOW), 1);
        kv.is_down.set(false);
        assert_eq!(kv.records.borrow().len(), 1);
        assert_eq!(turn(NOW.plus(1_000)), 0);
        assert!(kv.records.borrow().is_empty());
        assert_eq!(next_due(&database), Ok(None));
    }

    #[test]
    fn an_imported_key_keeps_its_replica_and_its_usage() {
        let (database, meters) = (workspace(), MemoryMeters::default());
        let made = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        let kv = with_replicas(&[made.id]);
        enqueue_imported(&database, NOW).unwrap();
        for (moment, resets) in [(NOW.plus(FRESH_FOR), 0), (NOW.plus(SETTLE_TIME), 1)] {
            assert_eq!(expect_ready(run(&database, &meters, &kv, || moment)).unwrap(), Vec::<String>::new());
            assert_eq!(meters.version_reset.borrow().len(), resets, "edges may still use a later record");
        }
        assert_eq!((meters.version_reset.borrow().clone(), kv.records.borrow().len()), (vec![made.id], 1));
        assert!(meters.cleared.borrow().is_empty());
        assert_eq!(count(&database, "leftovers"), 0);
    }
}
