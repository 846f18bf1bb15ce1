//! A workspace in memory, for the tests of the registry.

use super::{announce, keys, members, schema};
use crate::{
    database::{Database, memory::MemoryDatabase},
    rpc::CommandResult,
};
use ownchat_domain::{
    account::PersonId,
    digest::SecretHash,
    key::{Key, NewKey},
    keyring::Keyring,
    time::Timestamp,
    vault::{
        Caller, Origin,
        registry::{CreateKey, Found},
    },
};

pub const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);
pub const OWNER: PersonId = PersonId(1);
pub const STRANGER: PersonId = PersonId(2);
pub const WORKSPACE: u32 = 7;

pub fn keyring() -> Keyring {
    Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
}

pub fn workspace() -> MemoryDatabase {
    let database = MemoryDatabase::open();
    schema::apply(&database).unwrap();
    let found = Found { number: WORKSPACE, name: "Shop".into(), owner: OWNER, owner_name: "Ada".into() };
    members::found(&database, &found).unwrap();
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
    let call = CreateKey { origin: origin(OWNER), key, secret: SecretHash::from_bytes([3; 32]), once: None };
    keys::create(database, &keyring(), WORKSPACE, &call, now).map(|issued| issued.key)
}

/// The feed hears everything that it was not told yet.
pub fn tell(database: &MemoryDatabase, now: Timestamp) {
    let waiting = announce::waiting(database, WORKSPACE).unwrap();
    announce::told(database, &waiting, now).unwrap();
}

/// How many rows a table has.
pub fn count(database: &impl Database, table: &str) -> i64 {
    database.first(&format!("SELECT count(*) FROM {table}"), &[]).unwrap().unwrap().integer().unwrap()
}
