//! Outcomes of commands that can take access away, once the feed has them or not.

use super::*;
use crate::registry::{
    idempotency::InFlight,
    keys,
    rotate::rotate_once,
    settings,
    testing::{NEW_SECRET, NOW, OWNER, deleted, keyring, make_key, origin, restored, workspace},
};
use ownchat_domain::{
    failure::Failure,
    idempotency::{BodyHash, Idempotency},
    key::KeyPatch,
    vault::registry::{ChangeKey, ChangeSettings, RotateKey},
};

const EVERYWHERE: Timestamp = NOW.plus(5_000);

fn unpublished<T>() -> CommandResult<T> {
    Err(Failure::NotEffectiveYet.into())
}

#[test]
fn a_narrowed_key_is_confirmed_once_the_feed_has_it() {
    let (database, key) = make_key();
    let delete = || deleted(&database, &key, NOW).unwrap();
    assert_eq!(delete().confirm(unpublished()), unpublished());
    assert_eq!(delete().confirm(Ok(EVERYWHERE)).unwrap().effective_at, Some(EVERYWHERE));
}

#[test]
fn a_widened_key_is_confirmed_without_the_feed() {
    let (database, key) = make_key();
    let patch = KeyPatch { name: Some("Till 7".into()), ..KeyPatch::default() };
    let change = ChangeKey { origin: origin(OWNER), id: key.id, version: 1, patch };
    let outcome = keys::change(&database, &change, NOW).unwrap();
    assert_eq!(outcome.confirm(unpublished()).unwrap().effective_at, None);
    // A restored key whose deletion is unpublished is not widened only.
    let gone = deleted(&database, &ownchat_domain::key::Key { version: 2, ..key.clone() }, NOW).unwrap();
    assert_eq!(restored(&database, &gone.key, NOW).unwrap().confirm(unpublished()), unpublished());
}

#[test]
fn narrowed_settings_are_confirmed_once_the_feed_has_them() {
    let database = workspace();
    let change = |version, suspended| {
        let origin = origin(OWNER);
        let change = ChangeSettings { origin, version, suspended: Some(suspended), outage_seconds: None, reason: None };
        settings::change(&database, &change, NOW).unwrap()
    };
    assert_eq!(change(1, true).confirm(unpublished()), unpublished());
    assert_eq!(change(2, true).confirm(Ok(EVERYWHERE)).unwrap().effective_at, Some(EVERYWHERE));
    crate::registry::testing::publish_all(&database, NOW);
    assert_eq!(change(2, false).confirm(unpublished()).unwrap().effective_at, None);
}

#[test]
fn a_rotation_returns_its_secret_without_the_feed() {
    let (database, key) = make_key();
    let once = Some(Idempotency { key: "a".parse().unwrap(), body: BodyHash::of(b"{}") });
    let command = RotateKey {
        origin: origin(OWNER),
        id: key.id,
        version: 1,
        overlap_seconds: 60,
        end_earlier: false,
        secret: NEW_SECRET,
        once,
    };
    let in_flight = InFlight::default();
    let rotate = || rotate_once(&database, &keyring(), &in_flight, &command, NOW);
    let first = rotate().unwrap();
    assert_eq!(rotate().err(), Some(Failure::Running.into()), "in flight");
    let unconfirmed = first.confirm(unpublished()).unwrap();
    assert_eq!((unconfirmed.effective_at, unconfirmed.key.secrets.len()), (None, 2));
    let end = Some(NOW.plus(60_000));
    let confirmed = rotate().unwrap().confirm(Ok(EVERYWHERE)).unwrap();
    assert_eq!((confirmed.effective_at, confirmed.replayed), (end, true));
    assert_eq!(rotate().unwrap().confirm(unpublished()).unwrap().effective_at, end, "known from the first response");
}
