//! What must hold for every command on a key.

use super::*;
use crate::registry::{
    rows::record,
    testing::{NOW, OWNER, STRANGER, WORKSPACE, count, create as make, keyring, new_key, origin, workspace},
};
use ownchat_domain::{
    digest::SecretHash,
    key::{KeyPatch, Status},
    policy::decide,
    scope::ScopeSet,
    token::Environment,
    vault::Origin,
    verdict::Denial,
};

fn patch(json: &str) -> KeyPatch {
    serde_json::from_str(json).unwrap()
}

fn changed(database: &impl Database, key: &Key, json: &str) -> Done<Key> {
    let call = ChangeKey { origin: origin(OWNER), id: key.id, version: key.version, patch: patch(json) };
    change(database, &call, NOW.plus(1))
}

#[test]
fn a_new_key_is_what_was_asked_for_and_the_edge_lets_it_pass() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    assert_eq!((key.name.as_str(), key.status, key.version), ("Shop", Status::Active, 1));
    assert_eq!((key.created_by.as_str(), key.created_at), ("Ada", NOW));
    let ring = keyring();
    assert_eq!(key.id.open(&ring, Environment::Live), Some(Address { workspace: WORKSPACE, number: 1 }));
    let record = record(&database, WORKSPACE, key.id).unwrap().unwrap();
    let right = SecretHash::from_bytes([3; 32]);
    assert_eq!(decide(&record, &right, ScopeSet::EMPTY, &ring, NOW), Ok(()));
    let wrong = SecretHash::from_bytes([4; 32]);
    assert_eq!(decide(&record, &wrong, ScopeSet::EMPTY, &ring, NOW), Err(Denial::Unknown));
}

#[test]
fn each_change_has_one_audit_row_and_waits_in_the_outbox() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let key = changed(&database, &key, r#"{"status":"inactive"}"#).unwrap();
    let key = changed(&database, &key, r#"{"status":"active"}"#).unwrap();
    let key = changed(&database, &key, r#"{"name":"Store","scopes":["messages:send"]}"#).unwrap();
    delete(&database, &DeleteKey { origin: origin(OWNER), id: key.id, version: key.version }, NOW).unwrap();
    let actions: Vec<String> = database
        .run("SELECT action FROM audit ORDER BY sequence", &[])
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
    changed(&database, &key, r#"{"name":"Store"}"#).unwrap();
    let mut row = database
        .first("SELECT person, address, request_id, before, after FROM audit WHERE action = 'key.edit'", &[])
        .unwrap()
        .unwrap();
    assert_eq!(row.text().unwrap(), OWNER.to_string());
    assert_eq!((row.text().unwrap(), row.text().unwrap()), ("127.0.0.1".into(), "r1".into()));
    let (before, after) = (row.text().unwrap(), row.text().unwrap());
    assert!(before.contains("\"Shop\"") && after.contains("\"Store\""));
    assert!(!after.contains("digest") && !after.contains("secret"));
}

#[test]
fn what_changes_nothing_is_no_change() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let same = changed(&database, &key, r#"{"name":" Shop ","status":"active"}"#).unwrap();
    assert_eq!(same, key);
    assert_eq!(count(&database, "audit"), 1);
}

#[test]
fn a_stale_version_changes_nothing() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    changed(&database, &key, r#"{"name":"Store"}"#).unwrap();
    assert_eq!(changed(&database, &key, r#"{"name":"Other"}"#), Err(Failure::Stale.into()));
    let stale = DeleteKey { origin: origin(OWNER), id: key.id, version: key.version };
    assert_eq!(delete(&database, &stale, NOW), Err(Failure::Stale.into()));
    assert_eq!(read(&database, &ReadKey { person: OWNER, id: key.id }, NOW).unwrap().name, "Store");
}

#[test]
fn a_deleted_key_is_gone_for_admins_and_unknown_at_the_edge() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let call = DeleteKey { origin: origin(OWNER), id: key.id, version: 1 };
    delete(&database, &call, NOW).unwrap();
    assert_eq!(read(&database, &ReadKey { person: OWNER, id: key.id }, NOW), Err(Failure::NotFound.into()));
    assert_eq!(delete(&database, &call, NOW), Err(Failure::NotFound.into()));
    let record = record(&database, WORKSPACE, key.id).unwrap().unwrap();
    let hash = SecretHash::from_bytes([3; 32]);
    assert_eq!(decide(&record, &hash, ScopeSet::EMPTY, &keyring(), NOW), Err(Denial::Unknown));
}

#[test]
fn whoever_is_no_member_finds_nothing_and_changes_nothing() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let stranger: Origin = origin(STRANGER);
    let made = CreateKey {
        origin: stranger.clone(),
        key: new_key("X", &["contacts:read"]),
        secret: SecretHash::from_bytes([5; 32]),
    };
    assert_eq!(create(&database, &keyring(), WORKSPACE, &made, NOW), Err(Failure::NotFound.into()));
    assert_eq!(read(&database, &ReadKey { person: STRANGER, id: key.id }, NOW), Err(Failure::NotFound.into()));
    let call = ChangeKey { origin: stranger.clone(), id: key.id, version: 1, patch: patch(r#"{"name":"X"}"#) };
    assert_eq!(change(&database, &call, NOW), Err(Failure::NotFound.into()));
    let call = DeleteKey { origin: stranger, id: key.id, version: 1 };
    assert_eq!(delete(&database, &call, NOW), Err(Failure::NotFound.into()));
    assert_eq!((count(&database, "keys"), count(&database, "audit")), (1, 1));
}

#[test]
fn without_an_audit_row_there_is_no_change() {
    let database = workspace();
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    database.run("DROP TABLE audit", &[]).unwrap();
    assert!(make(&database, new_key("Second", &["contacts:read"]), NOW).is_err());
    assert!(changed(&database, &key, r#"{"status":"inactive"}"#).is_err());
    assert_eq!(count(&database, "keys"), 1);
    assert_eq!(count(&database, "secrets"), 1);
    assert_eq!(read(&database, &ReadKey { person: OWNER, id: key.id }, NOW).unwrap(), key);
}

#[test]
fn bad_input_makes_no_key_and_uses_no_number() {
    let database = workspace();
    assert!(make(&database, new_key("", &[]), NOW).is_err());
    let key = make(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    assert_eq!(key.id.open(&keyring(), Environment::Live).unwrap().number, 1);
}
