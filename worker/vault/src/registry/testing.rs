//! An in-memory workspace, for the tests of the registry.

use super::{feed_outbox, keys, keys::KeyOutcome, members, restore, rotate, rows::record, schema};
use crate::{
    database::{Database, memory::MemoryDatabase},
    rpc::CommandResult,
};
use ownchat_domain::{
    account::PersonId,
    checks::{AccessRequest, decide},
    digest::SecretHash,
    key::{Key, NewKey},
    keyring::Keyring,
    time::Timestamp,
    vault::{
        Caller, Origin,
        registry::{CreateKey, CreateWorkspace, DeleteKey, RestoreKey, RotateKey},
    },
    verdict::Denial,
};

pub const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);
pub const OWNER: PersonId = PersonId(1);
pub const STRANGER: PersonId = PersonId(2);
/// Secret hash of a key that [`create`] makes.
pub const FIRST_SECRET: SecretHash = SecretHash::from_bytes([3; 32]);
/// Secret hash that [`rotated`] adds.
pub const NEW_SECRET: SecretHash = SecretHash::from_bytes([4; 32]);
pub const WORKSPACE: u32 = 7;

pub fn keyring() -> Keyring {
    Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
}

pub fn workspace() -> MemoryDatabase {
    let database = MemoryDatabase::open();
    schema::apply(&database).unwrap();
    let found = CreateWorkspace { number: WORKSPACE, name: "Shop".into(), owner: OWNER, owner_name: "Ada".into() };
    members::create_workspace(&database, &found).unwrap();
    database
}

pub fn origin(caller: impl Into<Caller>) -> Origin {
    Origin { caller: caller.into(), address: "127.0.0.1".into(), request_id: "r1".into() }
}

pub fn new_key(name: &str, scopes: &[&str]) -> NewKey {
    NewKey {
        name: name.into(),
        environment: "live".into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..NewKey::default()
    }
}

pub fn create(database: &MemoryDatabase, key: NewKey, now: Timestamp) -> CommandResult<Key> {
    let command = CreateKey { origin: origin(OWNER), key, secret: FIRST_SECRET, once: None };
    keys::create(database, &keyring(), WORKSPACE, &command, now).map(|issued| issued.key)
}

/// Publishes every pending entry to the feed.
pub fn publish_all(database: &MemoryDatabase, now: Timestamp) {
    let pending = feed_outbox::pending(database, WORKSPACE).unwrap();
    feed_outbox::mark_published(database, &pending, now).unwrap();
}

/// A workspace with one key.
pub fn make_key() -> (MemoryDatabase, Key) {
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    (database, key)
}

pub fn rotated(
    database: &MemoryDatabase,
    key: &Key,
    overlap_seconds: u32,
    now: Timestamp,
) -> CommandResult<KeyOutcome> {
    let command = RotateKey {
        origin: origin(OWNER),
        id: key.id,
        version: key.version,
        overlap_seconds,
        end_earlier: true,
        secret: NEW_SECRET,
        once: None,
    };
    rotate::rotate(database, &keyring(), &command, now)
}

pub fn deleted(database: &MemoryDatabase, key: &Key, now: Timestamp) -> CommandResult<KeyOutcome> {
    keys::delete(database, &DeleteKey { origin: origin(OWNER), id: key.id, version: key.version }, now)
}

pub fn restored(database: &MemoryDatabase, key: &Key, now: Timestamp) -> CommandResult<KeyOutcome> {
    restore::restore(database, &RestoreKey { origin: origin(OWNER), id: key.id }, now)
}

/// Decision of an edge that has the newest record.
pub fn decided(database: &MemoryDatabase, key: &Key, secret: &SecretHash, now: Timestamp) -> Result<u32, Denial> {
    decide(&record(database, key.id, now).unwrap().unwrap(), secret, &AccessRequest::default(), &keyring(), now)
}

/// Counts the rows of a table.
pub fn count(database: &impl Database, table: &str) -> i64 {
    database.first(&format!("SELECT count(*) FROM {table}"), &[]).unwrap().unwrap().integer().unwrap()
}
