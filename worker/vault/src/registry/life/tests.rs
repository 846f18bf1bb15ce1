//! New secrets, deletion and its undoing, and the end.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        announce::waiting,
        keys,
        rows::record,
        testing::{NOW, OWNER, STRANGER, count, create, keyring, new_key, origin, tell, workspace},
    },
    rpc::CommandError,
};
use ownchat_domain::{
    digest::SecretHash,
    key::{Key, Reason},
    policy::{Call, decide},
    time::DAY,
    vault::registry::{DeleteKey, ReadKey},
    verdict::Denial,
};

const OLD: SecretHash = SecretHash::from_bytes([3; 32]);
const NEW: SecretHash = SecretHash::from_bytes([4; 32]);

fn made() -> (MemoryDatabase, Key) {
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    (database, key)
}

fn rotated(database: &MemoryDatabase, key: &Key, overlap_seconds: u32, now: Timestamp) -> CommandResult<Outcome> {
    let call = RotateKey {
        origin: origin(OWNER),
        id: key.id,
        version: key.version,
        overlap_seconds,
        end_earlier: true,
        secret: NEW,
        once: None,
    };
    rotate(database, &keyring(), &call, now)
}

fn deleted(database: &MemoryDatabase, key: &Key, now: Timestamp) -> CommandResult<Outcome> {
    keys::delete(database, &DeleteKey { origin: origin(OWNER), id: key.id, version: key.version }, now)
}

fn restored(database: &MemoryDatabase, key: &Key, now: Timestamp) -> CommandResult<Outcome> {
    restore(database, &RestoreKey { origin: origin(OWNER), id: key.id }, now)
}

fn ask(database: &MemoryDatabase, key: &Key, secret: &SecretHash, now: Timestamp) -> Result<u32, Denial> {
    decide(&record(database, key.id, now).unwrap().unwrap(), secret, &Call::default(), &keyring(), now)
}

#[test]
fn both_secrets_work_inside_the_overlap_and_the_new_one_after_it() {
    let (database, key) = made();
    let outcome = rotated(&database, &key, 60, NOW).unwrap();
    assert!(outcome.narrowed && outcome.key.version == 2 && outcome.key.id == key.id);
    assert_eq!(outcome.key.secrets.iter().map(|secret| secret.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(outcome.key.secrets[0].ends_at, Some(NOW.plus(60_000)));
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(59_999)), Ok(1));
    assert_eq!(ask(&database, &key, &NEW, NOW.plus(59_999)), Ok(2));
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(60_000)), Err(Denial::Replaced));
    assert_eq!(ask(&database, &key, &NEW, NOW.plus(60_000)), Ok(2));
}

#[test]
fn without_an_overlap_the_old_secret_ends_at_once() {
    let (database, key) = made();
    rotated(&database, &key, 0, NOW).unwrap();
    assert_eq!(ask(&database, &key, &OLD, NOW), Err(Denial::Replaced));
}

#[test]
fn an_old_secret_can_be_ended_before_its_time() {
    let (database, key) = made();
    let key = rotated(&database, &key, 3_600, NOW).unwrap().key;
    let call = EndOldSecrets { origin: origin(OWNER), id: key.id };
    let outcome = end_old_secrets(&database, &call, NOW.plus(5)).unwrap();
    assert!(outcome.narrowed);
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(5)), Err(Denial::Replaced));
    assert_eq!(ask(&database, &key, &NEW, NOW.plus(5)), Ok(2));
    tell(&database, NOW.plus(6));
    assert!(end_old_secrets(&database, &call, NOW.plus(6)).unwrap().narrowed);
    assert_eq!(count(&database, "trail"), 3, "what changes nothing is no change");
}

#[test]
fn a_second_rotation_prolongs_no_old_secret() {
    let (database, key) = made();
    let key = rotated(&database, &key, 60, NOW).unwrap().key;
    let key = rotated(&database, &key, 3_600, NOW.plus(1)).unwrap().key;
    assert_eq!(key.secrets[0].ends_at, Some(NOW.plus(60_000)));
    assert_eq!(key.secrets[1].ends_at, Some(NOW.plus(1 + 3_600_000)));
}

#[test]
fn a_second_rotation_ends_no_old_secret_earlier_than_promised_unless_it_says_so() {
    let (database, key) = made();
    let key = rotated(&database, &key, 3_600, NOW).unwrap().key;
    let again = |overlap_seconds, end_earlier, now| {
        let (id, version) = (key.id, key.version);
        let call =
            RotateKey { origin: origin(OWNER), id, version, overlap_seconds, end_earlier, secret: NEW, once: None };
        rotate(&database, &keyring(), &call, now)
    };
    let refused = again(60, false, NOW.plus(1)).unwrap_err();
    let CommandError::Failure(Failure::Invalid { errors }) = refused else { unreachable!() };
    assert_eq!(errors[0].field, "overlap_seconds");
    assert!(errors[0].message.contains(&NOW.plus(3_600_000).rfc3339()), "{}", errors[0].message);
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(3_599_999)), Ok(1), "nothing was changed");
    assert!(again(3_600, false, NOW.plus(1)).is_ok());
    let (database, key) = made();
    let key = rotated(&database, &key, 3_600, NOW).unwrap().key;
    assert!(rotated(&database, &key, 0, NOW.plus(1)).is_ok());
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(1)), Err(Denial::Replaced));
}

#[test]
fn what_cannot_be_rotated_stays_as_it_is() {
    let (database, key) = made();
    assert!(matches!(
        rotated(&database, &key, 30 * 86_400 + 1, NOW),
        Err(CommandError::Failure(Failure::Invalid { .. }))
    ));
    let stale = Key { version: 7, ..key.clone() };
    assert_eq!(rotated(&database, &stale, 0, NOW).unwrap_err(), Failure::Stale.into());
    let foreign = RotateKey {
        origin: origin(STRANGER),
        id: key.id,
        version: 1,
        overlap_seconds: 0,
        end_earlier: true,
        secret: NEW,
        once: None,
    };
    assert_eq!(rotate(&database, &keyring(), &foreign, NOW).unwrap_err(), Failure::NotFound.into());
    let mut many = key.clone();
    for step in 0..4 {
        many = rotated(&database, &many, 86_400, NOW.plus(step)).unwrap().key;
    }
    assert!(rotated(&database, &many, 86_400, NOW.plus(9)).is_err(), "too many secrets at once");
    assert!(rotated(&database, &many, 0, NOW.plus(9)).is_ok());
    assert_eq!((count(&database, "secrets"), count(&database, "trail")), (6, 6));
}

#[test]
fn a_deleted_key_comes_back_as_it_was() {
    let (database, key) = made();
    let gone = deleted(&database, &key, NOW.plus(1)).unwrap();
    assert!(gone.narrowed && gone.key.reason == Some(Reason::Deleted));
    assert_eq!(gone.key.restore_until, Some(NOW.plus(1 + 30 * DAY)));
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(2)), Err(Denial::Unknown));
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
    assert_eq!(ask(&database, &key, &OLD, NOW.plus(30 * DAY)), Ok(1));
    let again = restored(&database, &key, NOW).unwrap();
    assert_eq!((&again.key, again.narrowed, count(&database, "trail")), (&back, true, 3), "asked again");
    tell(&database, NOW);
    assert!(restored(&database, &key, NOW).unwrap().narrowed, "it is told a moment");
    rotated(&database, &back, 0, NOW).unwrap();
    assert_eq!(restored(&database, &key, NOW).unwrap_err(), Failure::NotFound.into(), "it was changed since");
}

#[test]
fn after_thirty_days_nothing_is_left_but_the_trail() {
    let (database, key) = made();
    let other = create(&database, new_key("Other", &["contacts:read"]), NOW).unwrap();
    deleted(&database, &key, NOW).unwrap();
    assert_eq!(next_purge(&database), Ok(Some(NOW.plus(30 * DAY))));
    assert_eq!(purge(&database, NOW.plus(30 * DAY - 1)), Ok(Purged::default()));
    assert_eq!(restored(&database, &key, NOW.plus(30 * DAY)).unwrap_err(), Failure::NotFound.into());
    let purged = Purged { gone: vec![key.id], troubles: Vec::new() };
    assert_eq!(purge(&database, NOW.plus(30 * DAY)), Ok(purged));
    assert!(record(&database, key.id, NOW).unwrap().is_none());
    assert!(record(&database, other.id, NOW).unwrap().is_some());
    assert_eq!((count(&database, "keys"), count(&database, "secrets"), count(&database, "trail")), (1, 1, 4));
    assert_eq!(next_purge(&database), Ok(None));
    assert_eq!(leftovers::next_due(&database), Ok(Some(NOW.plus(30 * DAY))), "its meter is to be cleared");
}

#[test]
fn what_cannot_be_removed_waits_and_keeps_nothing_else() {
    let (database, key) = made();
    let other = create(&database, new_key("Other", &["contacts:read"]), NOW).unwrap();
    for key in [&key, &other] {
        deleted(&database, key, NOW).unwrap();
    }
    database.run("UPDATE keys SET metadata = 'no JSON' WHERE number = 1", &[]).unwrap();
    let end = NOW.plus(30 * DAY);
    let purged = purge(&database, end).unwrap();
    assert_eq!(purged.gone, [other.id]);
    assert!(purged.troubles.len() == 1 && purged.troubles[0].contains(&key.id.to_string()), "{purged:?}");
    assert_eq!(next_purge(&database), Ok(Some(end.plus(1_000))), "not at once again");
    assert_eq!(purge(&database, end.plus(999)), Ok(Purged::default()));
    assert_eq!(purge(&database, end.plus(1_000)).unwrap().troubles.len(), 1);
    assert_eq!(next_purge(&database), Ok(Some(end.plus(3_000))), "and later each time");
    database.run("UPDATE keys SET metadata = '{}'", &[]).unwrap();
    assert_eq!(purge(&database, end.plus(3_000)).unwrap().gone, [key.id]);
    assert_eq!((next_purge(&database), count(&database, "keys")), (Ok(None), 0));
}

#[test]
fn every_command_of_a_key_tells_the_feed() {
    let (database, key) = made();
    assert!(waiting(&database, 7).unwrap().is_empty(), "of a new key nobody knows anything old");
    let key = rotated(&database, &key, 60, NOW).unwrap().key;
    let key = deleted(&database, &key, NOW).unwrap().key;
    restored(&database, &key, NOW).unwrap();
    let told: Vec<u64> = waiting(&database, 7).unwrap().into_iter().map(|entry| entry.version).collect();
    assert_eq!(told, [4]);
}

#[test]
fn ended_secrets_are_forgotten_but_for_the_last_few() {
    let (database, mut key) = made();
    for second in 0..20 {
        key = rotated(&database, &key, 0, NOW.plus(second * 1_000)).unwrap().key;
    }
    // The last rotation ends a secret at its own moment, so that ten had ended before and one ends with it.
    let numbers: Vec<u32> = key.secrets.iter().map(|secret| secret.number).collect();
    assert_eq!(numbers, (11..=21).collect::<Vec<_>>());
    assert_eq!(count(&database, "secrets"), 11);
    assert_eq!(ask(&database, &key, &NEW, NOW.plus(30_000)), Ok(21));
    assert_eq!(count(&database, "trail"), 21, "the trail names all of them");
    // What still works does not count among them.
    for second in 20..23 {
        key = rotated(&database, &key, 3_600, NOW.plus(second * 1_000)).unwrap().key;
    }
    let now = NOW.plus(23_000);
    let (ended, working): (Vec<_>, Vec<_>) =
        key.secrets.iter().partition(|secret| secret.ends_at.is_some_and(|end| end <= now));
    assert_eq!((ended.len(), working.len()), (10, 4));
}

#[test]
fn an_overlap_says_until_when_the_old_secret_works() {
    let (database, key) = made();
    let outcome = rotated(&database, &key, 3_600, NOW).unwrap();
    assert_eq!(outcome.left_until, Some(NOW.plus(3_600_000)));
}
