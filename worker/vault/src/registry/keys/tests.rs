//! Rules of every command on a key.

use super::*;
use crate::registry::{
    rows::record,
    testing::{
        NOW, OWNER, STRANGER, WORKSPACE, count, create as make, keyring, new_key, origin, publish_all, workspace,
    },
};
use ownchat_domain::{
    checks::{AccessRequest, decide},
    digest::SecretHash,
    environment::Environment,
    key::{KeyPatch, Status},
    vault::Origin,
    verdict::Denial,
};

fn patch(json: &str) -> KeyPatch {
    serde_json::from_str(json).unwrap()
}

fn outcome(database: &impl Database, key: &Key, json: &str) -> CommandResult<KeyOutcome> {
    let command = ChangeKey { origin: origin(OWNER), id: key.id, version: key.version, patch: patch(json) };
    change(database, &command, NOW.plus(1))
}

fn changed(database: &impl Database, key: &Key, json: &str) -> CommandResult<Key> {
    outcome(database, key, json).map(|outcome| outcome.key)
}

#[test]
fn a_new_key_is_as_requested_and_accepted_by_the_edge() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    assert_eq!((key.name.as_str(), key.status, key.version), ("Shop", Status::Active, 1));
    assert_eq!((key.created_by.as_str(), key.created_at), ("Ada", NOW));
    let ring = keyring();
    assert_eq!(key.id.open(&ring, Environment::Live), Some(KeyNumber { workspace: WORKSPACE, number: 1 }));
    let record = record(&database, key.id, NOW).unwrap().unwrap();
    let right = SecretHash::from_bytes([3; 32]);
    assert_eq!(decide(&record, &right, &AccessRequest::default(), &ring, NOW), Ok(1));
    let wrong = SecretHash::from_bytes([4; 32]);
    assert_eq!(decide(&record, &wrong, &AccessRequest::default(), &ring, NOW), Err(Denial::Unknown));
}

#[test]
fn each_change_has_one_line_and_is_queued_in_the_outbox() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let key = changed(&database, &key, r#"{"status":"inactive"}"#).unwrap();
    let key = changed(&database, &key, r#"{"status":"active"}"#).unwrap();
    let key = changed(&database, &key, r#"{"name":"Store","scopes":["messages:send"]}"#).unwrap();
    delete(&database, &DeleteKey { origin: origin(OWNER), id: key.id, version: key.version }, NOW).unwrap();
    let actions: Vec<String> = database
        .run("SELECT action FROM trail ORDER BY sequence", &[])
        .unwrap()
        .into_iter()
        .map(|mut row| row.text().unwrap())
        .collect();
    assert_eq!(actions, ["key.create", "key.deactivate", "key.activate", "key.edit", "key.delete"]);
    assert_eq!(count(&database, "outbox"), 1, "changes of one key are coalesced");
}

#[test]
fn the_trail_shows_who_and_both_sides_and_no_secret() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    changed(&database, &key, r#"{"name":"Store","reason":"a new sign"}"#).unwrap();
    let mut row = database.first("SELECT line FROM trail WHERE action = 'key.edit'", &[]).unwrap().unwrap();
    let line: serde_json::Value = serde_json::from_str(&row.text().unwrap()).unwrap();
    assert_eq!((&line["actor"], &line["actor_name"]), (&OWNER.to_string().into(), &"Ada".into()));
    assert_eq!((&line["address"], &line["request_id"]), (&"127.0.0.1".into(), &"r1".into()));
    assert_eq!((&line["before"]["name"], &line["after"]["name"]), (&"Shop".into(), &"Store".into()));
    assert_eq!(line["reason"], "a new sign");
    assert!(!line.to_string().contains("digest") && line["after"]["secrets"][0].get("secret").is_none());
}

#[test]
fn only_a_change_that_can_refuse_a_request_narrows() {
    let database = workspace();
    let mut key = make(&database, new_key("Shop", &["contacts:read", "messages:send"]), NOW).unwrap();
    for (json, narrowed) in [
        (r#"{"name":"Store"}"#, false),
        (r#"{"scopes":["contacts:write","messages:send"]}"#, false),
        (r#"{"scopes":["contacts:write"]}"#, true),
        (r#"{"restrictions":{"allow":["203.0.113.0/24"]}}"#, true),
        (r#"{"restrictions":null}"#, false),
        (r#"{"rate_limit":{"limit":5,"window_seconds":1}}"#, true),
        (r#"{"expires_at":"2027-01-01T00:00:00Z"}"#, true),
        (r#"{"expires_at":null}"#, false),
        (r#"{"status":"inactive","reason":"leaked"}"#, true),
        (r#"{"status":"active"}"#, false),
    ] {
        let after = outcome(&database, &key, json).unwrap();
        assert_eq!(after.narrowed, narrowed, "{json}");
        key = after.key;
        publish_all(&database, NOW);
    }
}

fn again(database: &impl Database, key: &Key) -> Key {
    read(database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW).unwrap()
}

#[test]
fn an_unpublished_change_still_narrows_when_repeated() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let off = outcome(&database, &key, r#"{"status":"inactive"}"#).unwrap();
    let (lines, other) =
        (count(&database, "trail"), make(&database, new_key("Other", &["contacts:read"]), NOW).unwrap());
    for json in [r#"{"status":"inactive"}"#, r#"{"name":"Store"}"#] {
        let again = outcome(&database, &again(&database, &key), json).unwrap();
        assert!(off.narrowed && again.narrowed, "{json}");
    }
    assert_eq!((lines, count(&database, "trail")), (2, 4), "the first request has already changed it");
    assert!(
        !outcome(&database, &other, r#"{"name":"Another"}"#).unwrap().narrowed,
        "the other key has no pending entry"
    );
    publish_all(&database, NOW);
    assert!(!outcome(&database, &again(&database, &key), r#"{"name":"Shop"}"#).unwrap().narrowed);
    // A retry gets an effective time even if the feed has the entry by now.
    assert!(outcome(&database, &again(&database, &key), r#"{"status":"inactive"}"#).unwrap().narrowed);
}

#[test]
fn a_repeated_deletion_is_done_once() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let run = |version| delete(&database, &DeleteKey { origin: origin(OWNER), id: key.id, version }, NOW);
    let first = run(1).unwrap();
    let again = run(1).unwrap();
    assert_eq!((again.key, again.narrowed, count(&database, "trail")), (first.key, true, 2));
    for other in [0, 2, 3] {
        assert_eq!(run(other).map(|outcome| outcome.key), Err(Failure::NotFound.into()), "version {other}");
    }
    publish_all(&database, NOW);
    assert!(run(1).unwrap().narrowed, "a retry gets an effective time");
    assert_eq!(count(&database, "trail"), 2);
    let foreign = DeleteKey { origin: origin(STRANGER), id: key.id, version: 1 };
    assert_eq!(delete(&database, &foreign, NOW).map(|outcome| outcome.key), Err(Failure::NotFound.into()));
}

#[test]
fn a_repeated_change_changes_nothing() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let json = r#"{"name":"Store","scopes":["contacts:read"],"reason":"moved"}"#;
    let first = changed(&database, &key, json).unwrap();
    let same = outcome(&database, &key, json).unwrap();
    assert_eq!((same.key, same.narrowed, count(&database, "trail")), (first.clone(), true, 2));
    let stale = Failure::Stale.into();
    assert_eq!(changed(&database, &key, r#"{"name":"Market"}"#).unwrap_err(), stale, "another change");
    let second = changed(&database, &first, r#"{"description":"more"}"#).unwrap();
    assert_eq!(changed(&database, &key, json).unwrap_err(), stale, "it has changed since");
    assert_eq!(second.version, 3);
}

#[test]
fn a_reason_stays_while_the_key_is_off() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let key = changed(&database, &key, r#"{"status":"inactive","reason":"leaked"}"#).unwrap();
    assert_eq!(key.reason_text.as_deref(), Some("leaked"));
    let mut key = key;
    for edit in [r#"{"name":"Store"}"#, r#"{"name":"Market","reason":"typo"}"#] {
        key = changed(&database, &key, edit).unwrap();
        assert_eq!(key.reason_text.as_deref(), Some("leaked"), "{edit}");
    }
    let key = changed(&database, &key, r#"{"status":"inactive","reason":"sold"}"#).unwrap();
    assert_eq!(key.reason_text.as_deref(), Some("sold"));
    assert_eq!(changed(&database, &key, r#"{"status":"active"}"#).unwrap().reason_text, None);
}

#[test]
fn a_change_without_effect_is_no_change() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let same = changed(&database, &key, r#"{"name":" Shop ","status":"active"}"#).unwrap();
    assert_eq!(same, key);
    assert_eq!(count(&database, "trail"), 1);
}

#[test]
fn a_stale_version_changes_nothing() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    changed(&database, &key, r#"{"name":"Store"}"#).unwrap();
    for json in [r#"{"name":"Other"}"#, r#"{"status":"inactive","name":"Other"}"#] {
        assert_eq!(changed(&database, &key, json), Err(Failure::Stale.into()), "{json}");
    }
    assert_eq!(read(&database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW).unwrap().name, "Store");
}

#[test]
fn a_stale_version_does_not_prevent_deactivation() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    changed(&database, &key, r#"{"name":"Store"}"#).unwrap();
    let off = changed(&database, &key, r#"{"status":"inactive","reason":"leaked"}"#).unwrap();
    assert_eq!((off.version, off.name.as_str(), off.reason_text.as_deref()), (3, "Store", Some("leaked")));
    let again = changed(&database, &key, r#"{"status":"inactive","reason":"late"}"#).unwrap();
    assert_eq!(again, off, "an inactive key stays as it is");
    let stale = DeleteKey { origin: origin(OWNER), id: key.id, version: key.version };
    assert_eq!(delete(&database, &stale, NOW).unwrap().key.version, 4);
}

#[test]
fn a_deleted_key_is_gone_for_admins_and_unknown_at_the_edge() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let command = DeleteKey { origin: origin(OWNER), id: key.id, version: 1 };
    delete(&database, &command, NOW).unwrap();
    assert_eq!(read(&database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW), Err(Failure::NotFound.into()));
    let later = DeleteKey { version: 2, ..command };
    assert_eq!(delete(&database, &later, NOW).map(|outcome| outcome.key), Err(Failure::NotFound.into()));
    let record = record(&database, key.id, NOW).unwrap().unwrap();
    let hash = SecretHash::from_bytes([3; 32]);
    assert_eq!(decide(&record, &hash, &AccessRequest::default(), &keyring(), NOW), Err(Denial::Unknown));
}

#[test]
fn a_stranger_finds_nothing_and_changes_nothing() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let stranger: Origin = origin(STRANGER);
    let made = CreateKey {
        origin: stranger.clone(),
        key: new_key("X", &["contacts:read"]),
        secret: SecretHash::from_bytes([5; 32]),
        once: None,
    };
    assert_eq!(create(&database, &keyring(), WORKSPACE, &made, NOW), Err(Failure::NotFound.into()));
    assert_eq!(read(&database, &ReadKey { caller: STRANGER.into(), id: key.id }, NOW), Err(Failure::NotFound.into()));
    let command = ChangeKey { origin: stranger.clone(), id: key.id, version: 1, patch: patch(r#"{"name":"X"}"#) };
    assert_eq!(change(&database, &command, NOW).map(|outcome| outcome.key), Err(Failure::NotFound.into()));
    let command = DeleteKey { origin: stranger, id: key.id, version: 1 };
    assert_eq!(delete(&database, &command, NOW).map(|outcome| outcome.key), Err(Failure::NotFound.into()));
    assert_eq!((count(&database, "keys"), count(&database, "trail")), (1, 1));
}

#[test]
fn without_a_line_in_the_trail_there_is_no_change() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    database.run("DROP TABLE trail", &[]).unwrap();
    assert!(make(&database, new_key("Second", &["contacts:read"]), NOW).is_err());
    assert!(changed(&database, &key, r#"{"status":"inactive"}"#).is_err());
    assert_eq!(count(&database, "keys"), 1);
    assert_eq!(count(&database, "secrets"), 1);
    assert_eq!(read(&database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW).unwrap(), key);
}

#[test]
fn bad_input_makes_no_key_and_uses_no_number() {
    let database = workspace();
    assert!(make(&database, new_key("", &[]), NOW).is_err());
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    assert_eq!(key.id.open(&keyring(), Environment::Live).unwrap().number, 1);
}
