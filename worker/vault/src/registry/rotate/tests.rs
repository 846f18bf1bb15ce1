//! Rotation, and the ending of old secrets.

use super::*;
use crate::{
    registry::{
        end_secrets::end_old_secrets,
        testing::{
            FIRST_SECRET as OLD, NEW_SECRET as NEW, NOW, OWNER, STRANGER, count, decided, keyring, make_key, origin,
            publish_all, rotated,
        },
    },
    rpc::CommandError,
};
use ownchat_domain::{key::Key, vault::registry::EndOldSecrets, verdict::Denial};

#[test]
fn both_secrets_work_during_the_grace_period() {
    let (database, key) = make_key();
    let outcome = rotated(&database, &key, 60, NOW).unwrap();
    assert!(outcome.narrowed && outcome.key.version == 2 && outcome.key.id == key.id);
    assert_eq!(outcome.key.secrets.iter().map(|secret| secret.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(outcome.key.secrets[0].ends_at, Some(NOW.plus(60_000)));
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(59_999)), Ok(1));
    assert_eq!(decided(&database, &key, &NEW, NOW.plus(59_999)), Ok(2));
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(60_000)), Err(Denial::Replaced));
    assert_eq!(decided(&database, &key, &NEW, NOW.plus(60_000)), Ok(2));
}

#[test]
fn without_a_grace_period_the_old_secret_ends_at_once() {
    let (database, key) = make_key();
    rotated(&database, &key, 0, NOW).unwrap();
    assert_eq!(decided(&database, &key, &OLD, NOW), Err(Denial::Replaced));
}

#[test]
fn an_old_secret_can_be_ended_early() {
    let (database, key) = make_key();
    let key = rotated(&database, &key, 3_600, NOW).unwrap().key;
    let command = EndOldSecrets { origin: origin(OWNER), id: key.id };
    let outcome = end_old_secrets(&database, &command, NOW.plus(5)).unwrap();
    assert!(outcome.narrowed);
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(5)), Err(Denial::Replaced));
    assert_eq!(decided(&database, &key, &NEW, NOW.plus(5)), Ok(2));
    publish_all(&database, NOW.plus(6));
    assert!(end_old_secrets(&database, &command, NOW.plus(6)).unwrap().narrowed);
    assert_eq!(count(&database, "trail"), 3, "a change without effect has no line");
}

#[test]
fn a_second_rotation_extends_no_grace_period() {
    let (database, key) = make_key();
    let key = rotated(&database, &key, 60, NOW).unwrap().key;
    let key = rotated(&database, &key, 3_600, NOW.plus(1)).unwrap().key;
    assert_eq!(key.secrets[0].ends_at, Some(NOW.plus(60_000)));
    assert_eq!(key.secrets[1].ends_at, Some(NOW.plus(1 + 3_600_000)));
}

#[test]
fn a_grace_period_is_shortened_only_on_request() {
    let (database, key) = make_key();
    let key = rotated(&database, &key, 3_600, NOW).unwrap().key;
    let again = |overlap_seconds, end_earlier, now| {
        let (id, version) = (key.id, key.version);
        let command =
            RotateKey { origin: origin(OWNER), id, version, overlap_seconds, end_earlier, secret: NEW, once: None };
        rotate(&database, &keyring(), &command, now)
    };
    let refused = again(60, false, NOW.plus(1)).unwrap_err();
    let CommandError::Failure(Failure::Invalid { errors }) = refused else { unreachable!() };
    assert_eq!(errors[0].field, "overlap_seconds");
    assert!(errors[0].message.contains(&NOW.plus(3_600_000).rfc3339()), "{}", errors[0].message);
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(3_599_999)), Ok(1), "nothing has changed");
    assert!(again(3_600, false, NOW.plus(1)).is_ok());
    let (database, key) = make_key();
    let key = rotated(&database, &key, 3_600, NOW).unwrap().key;
    assert!(rotated(&database, &key, 0, NOW.plus(1)).is_ok());
    assert_eq!(decided(&database, &key, &OLD, NOW.plus(1)), Err(Denial::Replaced));
}

#[test]
fn a_refused_rotation_changes_nothing() {
    let (database, key) = make_key();
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
    assert!(rotated(&database, &many, 86_400, NOW.plus(9)).is_err(), "too many working secrets");
    assert!(rotated(&database, &many, 0, NOW.plus(9)).is_ok());
    assert_eq!((count(&database, "secrets"), count(&database, "trail")), (6, 6));
}

#[test]
fn only_the_latest_ended_secrets_stay_listed() {
    let (database, mut key) = make_key();
    for second in 0..20 {
        key = rotated(&database, &key, 0, NOW.plus(second * 1_000)).unwrap().key;
    }
    // The last rotation ends one secret at its own time. Ten had ended before.
    let numbers: Vec<u32> = key.secrets.iter().map(|secret| secret.number).collect();
    assert_eq!(numbers, (11..=21).collect::<Vec<_>>());
    assert_eq!(count(&database, "secrets"), 11);
    assert_eq!(decided(&database, &key, &NEW, NOW.plus(30_000)), Ok(21));
    assert_eq!(count(&database, "trail"), 21, "the trail has every rotation");
    // Working secrets do not count among them.
    for second in 20..23 {
        key = rotated(&database, &key, 3_600, NOW.plus(second * 1_000)).unwrap().key;
    }
    let now = NOW.plus(23_000);
    let (ended, working): (Vec<_>, Vec<_>) =
        key.secrets.iter().partition(|secret| secret.ends_at.is_some_and(|end| end <= now));
    assert_eq!((ended.len(), working.len()), (10, 4));
}

#[test]
fn a_rotation_returns_the_end_of_the_grace_period() {
    let (database, key) = make_key();
    let outcome = rotated(&database, &key, 3_600, NOW).unwrap();
    assert_eq!(outcome.grace_until, Some(NOW.plus(3_600_000)));
}
