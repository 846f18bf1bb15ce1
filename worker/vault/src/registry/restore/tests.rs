//! Deletion and restoration.

use super::*;
use crate::registry::{
    feed_outbox::pending,
    keys,
    testing::{
        FIRST_SECRET as OLD, NOW, OWNER, STRANGER, count, decided, deleted, make_key, publish_all, restored, rotated,
    },
};
use ownchat_domain::{key::Reason, time::DAY, vault::registry::ReadKey, verdict::Denial};

#[test]
fn a_restored_key_is_as_it_was() {
    let (database, key) = make_key();
    let gone = deleted(&database, &key, NOW.plus(1)).unwrap();
    assert!(gone.narrowed && gone.key.reason == Some(Reason::Deleted));
    assert_eq!(gone.key.restore_until, Some(NOW.plus(1 + 30 * DAY)));
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(2)), Err(Denial::Unknown));
    assert!(keys::read(&database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW).is_err());
    let read = |caller: ownchat_domain::account::PersonId, at| {
        read_deleted(&database, &ReadDeleted { caller: caller.into(), id: key.id }, at).map(|key| key.restore_until)
    };
    assert_eq!(read(OWNER, NOW.plus(30 * DAY)), Ok(Some(NOW.plus(1 + 30 * DAY))));
    assert!(read(STRANGER, NOW.plus(2)).is_err(), "somebody else's");
    assert!(read(OWNER, NOW.plus(1 + 30 * DAY)).is_err(), "too late");
    let back = restored(&database, &key, NOW.plus(30 * DAY)).unwrap().key;
    assert!(read(OWNER, NOW.plus(30 * DAY)).is_err(), "it is no longer deleted");
    assert_eq!((back.name.as_str(), back.version, back.restore_until), ("Shop", 3, None));
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(30 * DAY)), Ok(1));
    let again = restored(&database, &key, NOW).unwrap();
    assert_eq!((&again.key, again.narrowed, count(&database, "trail")), (&back, true, 3), "retried");
    publish_all(&database, NOW);
    assert!(restored(&database, &key, NOW).unwrap().narrowed, "a retry gets an effective time");
    rotated(&database, &back, 0, NOW).unwrap();
    assert_eq!(restored(&database, &key, NOW).unwrap_err(), Failure::NotFound.into(), "it has changed since");
}

#[test]
fn every_key_command_queues_a_feed_entry() {
    let (database, key) = make_key();
    assert!(pending(&database, 7).unwrap().is_empty(), "a new key has no stale record");
    let key = rotated(&database, &key, 60, NOW).unwrap().key;
    let key = deleted(&database, &key, NOW).unwrap().key;
    restored(&database, &key, NOW).unwrap();
    let versions: Vec<u64> = pending(&database, 7).unwrap().into_iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [4]);
}
