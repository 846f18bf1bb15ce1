//! A repeated request is executed once.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        keys, rotate,
        testing::{NOW, OWNER, WORKSPACE, count, keyring, new_key, origin, workspace},
    },
};
use ownchat_domain::{
    digest::SecretHash,
    vault::registry::{CreateKey, Issued, RotateKey},
};

fn once(name: &str, body: &str) -> Idempotency {
    Idempotency { key: name.parse().unwrap(), body: BodyHash::of(body.as_bytes()) }
}

/// Every request has a new secret, as when the console makes it.
fn create(database: &MemoryDatabase, once: Option<Idempotency>, secret: u8, now: Timestamp) -> CommandResult<Issued> {
    let secret = SecretHash::from_bytes([secret; 32]);
    let command = CreateKey { origin: origin(OWNER), key: new_key("Shop", &["contacts:read"]), secret, once };
    keys::create(database, &keyring(), WORKSPACE, &command, now)
}

fn rotate(
    database: &MemoryDatabase,
    key: &Key,
    version: u64,
    name: &str,
    now: Timestamp,
) -> CommandResult<keys::KeyOutcome> {
    let command = RotateKey {
        origin: origin(OWNER),
        id: key.id,
        version,
        overlap_seconds: 0,
        end_earlier: true,
        secret: SecretHash::from_bytes([9; 32]),
        once: Some(once(name, "{}")),
    };
    rotate::rotate(database, &keyring(), &command, now)
}

#[test]
fn a_repeated_request_gets_the_first_response() {
    let database = workspace();
    let first = create(&database, Some(once("a", "{}")), 3, NOW).unwrap();
    let again = create(&database, Some(once("a", "{}")), 4, NOW.plus(5_000)).unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(again.key, first.key);
    assert_eq!((count(&database, "keys"), count(&database, "secrets"), count(&database, "trail")), (1, 1, 1));
    assert!(!create(&database, None, 3, NOW).unwrap().replayed);
    assert!(!create(&database, Some(once("b", "{}")), 3, NOW).unwrap().replayed);
    assert_eq!(count(&database, "keys"), 3);
}

#[test]
fn a_reused_key_with_another_body_is_refused() {
    let database = workspace();
    create(&database, Some(once("a", "{}")), 3, NOW).unwrap();
    assert_eq!(create(&database, Some(once("a", "{ }")), 3, NOW), Err(Failure::Reused.into()));
    assert_eq!(count(&database, "keys"), 1);
}

#[test]
fn an_idempotency_key_expires_after_a_day() {
    let database = workspace();
    create(&database, Some(once("a", "{}")), 3, NOW).unwrap();
    let almost = NOW.plus(REMEMBERED_FOR - 1);
    assert!(create(&database, Some(once("a", "{}")), 3, almost).unwrap().replayed);
    let after = NOW.plus(REMEMBERED_FOR);
    assert!(!create(&database, Some(once("a", "another")), 3, after).unwrap().replayed);
    assert_eq!((count(&database, "keys"), count(&database, "requests")), (2, 1));
}

#[test]
fn a_refused_request_does_not_use_up_its_idempotency_key() {
    let database = workspace();
    let bad = CreateKey {
        origin: origin(OWNER),
        key: new_key("", &[]),
        secret: SecretHash::from_bytes([3; 32]),
        once: Some(once("a", "bad")),
    };
    assert!(keys::create(&database, &keyring(), WORKSPACE, &bad, NOW).is_err());
    assert!(!create(&database, Some(once("a", "good")), 3, NOW).unwrap().replayed);
}

#[test]
fn a_key_is_made_only_with_its_stored_response() {
    let database = workspace();
    database.run("DROP TABLE requests", &[]).unwrap();
    database.run("CREATE TABLE requests (slot BLOB, kept_until INTEGER, body BLOB, answer TEXT CHECK (0), effective_at INTEGER)", &[]).unwrap();
    assert!(create(&database, Some(once("a", "{}")), 3, NOW).is_err());
    assert_eq!((count(&database, "keys"), count(&database, "trail"), count(&database, "outbox")), (0, 0, 0));
}

#[test]
fn a_rotation_is_replayed_whatever_its_version() {
    let database = workspace();
    let key = create(&database, None, 3, NOW).unwrap().key;
    let first = rotate(&database, &key, 1, "a", NOW).unwrap();
    let again = rotate(&database, &key, 2, "a", NOW.plus(1)).unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!((again.key, again.effective_at), (first.key, None));
    let request = IdempotentRequest::of::<RotateKey>(Some(&once("a", "{}")), &OWNER.into(), &key.id.to_string());
    request.store_effective_at(&database, NOW.plus(5_000)).unwrap();
    assert_eq!(rotate(&database, &key, 2, "a", NOW.plus(2)).unwrap().effective_at, Some(NOW.plus(5_000)));
    assert_eq!(count(&database, "secrets"), 2);
    // The idempotency key belongs to a rotation of this key and to nothing else.
    let second = create(&database, Some(once("a", "{}")), 3, NOW).unwrap();
    assert!(!second.replayed && !rotate(&database, &second.key, 1, "a", NOW).unwrap().replayed);
}

#[test]
fn neither_idempotency_key_nor_body_nor_secret_is_stored() {
    let database = workspace();
    create(&database, Some(once("planted-name", "planted-body")), 0x41, NOW).unwrap();
    let mut row = database.first("SELECT hex(slot) || hex(body) || answer FROM requests", &[]).unwrap().unwrap();
    let text = row.text().unwrap();
    let hash = SecretHash::from_bytes([0x41; 32]);
    let planted = [serde_json::to_string(&hash).unwrap(), "41".repeat(32), "planted".into(), "706C616E746564".into()];
    for planted in planted {
        assert!(!text.contains(planted.trim_matches('"')), "{planted}");
    }
}

#[test]
fn expired_responses_are_deleted_in_batches() {
    let database = workspace();
    assert_eq!(next_due(&database), Ok(None));
    for number in 0..=EXPIRE_BATCH {
        let request = IdempotentRequest::of::<CreateKey>(Some(&once(&format!("n{number}"), "{}")), &OWNER.into(), "");
        let key = create(&database, None, 3, NOW).unwrap().key;
        request.store_response(&database, &key, NOW.plus(number)).unwrap();
    }
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(REMEMBERED_FOR))));
    expire(&database, NOW.plus(REMEMBERED_FOR - 1)).unwrap();
    assert_eq!(count(&database, "requests"), EXPIRE_BATCH + 1);
    expire(&database, NOW.plus(2 * REMEMBERED_FOR)).unwrap();
    assert_eq!(count(&database, "requests"), 1);
    expire(&database, NOW.plus(2 * REMEMBERED_FOR)).unwrap();
    assert_eq!((count(&database, "requests"), next_due(&database)), (0, Ok(None)));
}

#[test]
fn a_request_in_flight_refuses_its_repetition() {
    let in_flight = InFlight::default();
    let named = |name| IdempotentRequest::of::<RotateKey>(Some(&once(name, "{}")), &OWNER.into(), "x");
    let guard = in_flight.enter(named("a")).unwrap();
    assert_eq!(in_flight.enter(named("a")).err(), Some(Failure::Running.into()));
    assert!(in_flight.enter(named("b")).is_ok());
    assert!(in_flight.enter(IdempotentRequest::of::<RotateKey>(None, &OWNER.into(), "x")).is_ok());
    drop(guard);
    assert!(in_flight.enter(named("a")).is_ok());
}
