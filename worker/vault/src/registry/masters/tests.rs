//! Rolling a master secret: added, everything resealed, retired step by step.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        keys, kv_outbox,
        kv_replica::memory::{MemoryKv, expect_ready},
        rotate,
        rows::record,
        sweep,
        testing::{NOW, OWNER, STRANGER, WORKSPACE, new_key, origin, workspace},
    },
};
use ownchat_domain::{
    checks::{AccessRequest, decide},
    digest::SecretHash,
    failure::Failure,
    key::Key,
    keyring::{Use, retire},
    locator::Locator,
    record::kv_name,
    time::{DAY, HOUR},
    vault::registry::{CreateKey, RotateKey},
    verdict::Denial,
};

const ONE: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const TWO: &str = "2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const OLD: SecretHash = SecretHash::from_bytes([3; 32]);
const NEW: SecretHash = SecretHash::from_bytes([4; 32]);

fn ring(list: &str) -> Keyring {
    Keyring::parse(list).unwrap()
}

fn made(database: &MemoryDatabase, ring: &Keyring) -> Key {
    let command =
        CreateKey { origin: origin(OWNER), key: new_key("Shop", &["contacts:read"]), secret: OLD, once: None };
    keys::create(database, ring, WORKSPACE, &command, NOW).unwrap().key
}

fn deliver(database: &MemoryDatabase, kv: &MemoryKv, ring: &Keyring, now: Timestamp) {
    assert!(expect_ready(kv_outbox::deliver(database, ring, kv, || now)).unwrap().is_empty());
}

/// Counts of records, secrets and keys that need the master secret.
fn needs(database: &MemoryDatabase, ring: &Keyring, id: u16, now: Timestamp) -> (u64, u64, u64) {
    let masters = read(database, ring, &ReadMasters { caller: OWNER.into() }, now).unwrap();
    let found = masters.data.into_iter().find(|master| master.id == id);
    found.map_or((0, 0, 0), |master| (master.records, master.secrets, master.keys))
}

/// Decision of an edge that has only the replica in KV.
fn edge(kv: &MemoryKv, id: Locator, secret: &SecretHash, ring: &Keyring) -> Option<Result<u32, Denial>> {
    let bytes = kv.records.borrow().get(&kv_name(id)).cloned()?;
    let record = Record::open(&bytes, id, ring).ok()?;
    Some(decide(&record, secret, &AccessRequest::default(), ring, NOW))
}

#[test]
fn a_master_secret_is_rolled_step_by_step() {
    let (database, kv) = (workspace(), MemoryKv::default());
    let one = ring(ONE);
    let (first, second) = (made(&database, &one), made(&database, &one));
    deliver(&database, &kv, &one, NOW);
    assert_eq!(needs(&database, &one, 1, NOW), (2, 2, 2));

    // A new master secret is added: old records stay valid, and new keys use the new one.
    let list = format!("{ONE},{TWO}");
    let both = ring(&list);
    assert_eq!(edge(&kv, first.id, &OLD, &both), Some(Ok(1)));
    let third = made(&database, &both);
    deliver(&database, &kv, &both, NOW);
    assert_eq!(needs(&database, &both, 1, NOW), (2, 2, 2));
    assert_eq!(needs(&database, &both, 2, NOW), (1, 1, 1));

    // The sweep reseals the old records; then the old seal key is unused.
    let later = NOW.plus(HOUR);
    assert_eq!(expect_ready(sweep::run_batch(&database, &both, &kv, || later)).unwrap().len(), 2);
    deliver(&database, &kv, &both, later);
    assert_eq!(needs(&database, &both, 1, later), (0, 2, 2));
    let list = retire(&list, 1, &[Use::Locator, Use::Pepper]).unwrap();
    let left = ring(&list);
    for key in [&first, &second, &third] {
        assert_eq!(edge(&kv, key.id, &OLD, &left), Some(Ok(1)), "every resealed record is valid");
        assert!(key.id.open(&left, key.environment).is_some());
    }

    // A rotation peppers with the new master secret. Once the old secrets have ended, the old
    // pepper is unused.
    let mut moment = later;
    for key in [&first, &second] {
        let command = RotateKey {
            origin: origin(OWNER),
            id: key.id,
            version: 1,
            overlap_seconds: 60,
            end_earlier: true,
            secret: NEW,
            once: None,
        };
        rotate::rotate(&database, &left, &command, moment).unwrap();
        assert_eq!(needs(&database, &left, 1, moment).2, 2);
    }
    assert_eq!(needs(&database, &left, 1, moment).1, 2, "during the grace period");
    moment = moment.plus(60_000);
    assert_eq!(needs(&database, &left, 1, moment), (0, 0, 2));
    deliver(&database, &kv, &left, moment);
    let list = retire(&list, 1, &[Use::Locator]).unwrap();
    let left = ring(&list);
    assert_eq!(edge(&kv, first.id, &NEW, &left), Some(Ok(2)));
    assert_eq!(edge(&kv, first.id, &OLD, &left), Some(Err(Denial::Unknown)), "its secret has ended");

    // Without the part that tagged their locators the old keys are unknown. Newer keys stay valid.
    let list = retire(&list, 1, &[]).unwrap();
    let rest = ring(&list);
    assert_eq!(first.id.open(&rest, first.environment), None);
    assert!(third.id.open(&rest, third.environment).is_some());
    assert_eq!(edge(&kv, third.id, &OLD, &rest), Some(Ok(1)));
}

#[test]
fn a_missing_pepper_is_reported() {
    let database = workspace();
    let key = made(&database, &ring(ONE));
    let current = record(&database, key.id, NOW).unwrap().unwrap();
    assert!(missing_peppers(&current, &ring(&format!("{ONE},{TWO}"))).is_empty());
    let without = ring(&retire(&format!("{ONE},{TWO}"), 1, &[Use::Locator]).unwrap());
    let lines = missing_peppers(&current, &without);
    assert!(
        lines.len() == 1 && lines[0].contains(&key.id.to_string()) && lines[0].contains("master secret 1"),
        "{lines:?}"
    );
    assert_eq!(decide(&current, &OLD, &AccessRequest::default(), &without, NOW), Err(Denial::Unknown));
    let ended = RotateKey {
        origin: origin(OWNER),
        id: key.id,
        version: 1,
        overlap_seconds: 0,
        end_earlier: true,
        secret: NEW,
        once: None,
    };
    rotate::rotate(&database, &without, &ended, NOW).unwrap();
    assert!(
        missing_peppers(&record(&database, key.id, NOW).unwrap().unwrap(), &without).is_empty(),
        "its secret has ended"
    );
}

#[test]
fn owners_see_the_parts_left_of_each_master_secret() {
    let database = workspace();
    made(&database, &ring(ONE));
    database.run("UPDATE keys SET issuer = NULL", &[]).unwrap();
    let ring = ring(&retire(&format!("{ONE},{TWO}"), 1, &[Use::Locator]).unwrap());
    let masters = read(&database, &ring, &ReadMasters { caller: OWNER.into() }, NOW.plus(DAY)).unwrap();
    let whole = Left { seal: true, pepper: true, locator: true };
    let part = Left { locator: true, ..Left::default() };
    assert_eq!(
        masters.data,
        [
            Master { id: 2, left: whole, records: 0, secrets: 0, keys: 0 },
            Master { id: 1, left: part, records: 0, secrets: 1, keys: 0 },
        ]
    );
    assert_eq!(masters.unknown, 1);
    let foreign = read(&database, &ring, &ReadMasters { caller: STRANGER.into() }, NOW);
    assert_eq!(foreign.unwrap_err(), Failure::NotFound.into());
}
