//! Repairs of the sweep, its exceptions and its progress.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        kv_replica::memory::{MemoryKv, expect_ready},
        rows::time,
        testing::{NOW, count, create, keyring, new_key, workspace},
    },
};
use ownchat_domain::{
    key::Key,
    keyring::{Use, retire},
    record::LIFETIME,
};

const ONE: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const BOTH: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// A time at which a write at `NOW` has settled.
const LATER: Timestamp = NOW.plus(HOUR);

fn deliver(database: &MemoryDatabase, kv: &MemoryKv, ring: &Keyring, now: Timestamp) {
    assert!(expect_ready(kv_outbox::deliver(database, ring, kv, || now)).unwrap().is_empty());
}

fn sweep(database: &MemoryDatabase, kv: &MemoryKv, ring: &Keyring, now: Timestamp) -> Vec<String> {
    expect_ready(run_batch(database, ring, kv, || now)).unwrap()
}

/// A workspace with so many keys, all of them delivered.
fn delivered(keys: usize) -> (MemoryDatabase, MemoryKv, Vec<Key>) {
    let (database, kv) = (workspace(), MemoryKv::default());
    let keys = (0..keys).map(|_| create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap()).collect();
    while kv_outbox::next_due(&database).unwrap().is_some() {
        deliver(&database, &kv, &keyring(), NOW);
    }
    (database, kv, keys)
}

fn name(key: &Key) -> String {
    kv_name(key.id)
}

#[test]
fn a_correct_record_is_left_alone_at_any_age() {
    let (database, kv, keys) = delivered(3);
    let before = kv.records.borrow().clone();
    assert_eq!(sweep(&database, &kv, &keyring(), NOW.plus(3 * LIFETIME)), Vec::<String>::new());
    assert_eq!((count(&database, "outbox"), kv.reads.get()), (0, 3));
    assert_eq!(*kv.records.borrow(), before);
    assert_eq!(keys.len(), 3);
}

#[test]
fn a_differing_record_is_found_and_rewritten() {
    let (database, kv, keys) = delivered(6);
    let sealed = |change: &dyn Fn(&mut Record), key: &Key, ring: &Keyring| {
        let mut record = record(&database, key.id, NOW).unwrap().unwrap();
        change(&mut record);
        record.seal(ring).unwrap()
    };
    let foreign = Keyring::parse("9:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").unwrap();
    let mut altered = sealed(&|_| {}, &keys[1], &keyring());
    altered[9] ^= 1;
    let damage = [
        (None, "missing"),
        (Some(altered), "cannot be read"),
        (Some(sealed(&|_| {}, &keys[2], &foreign)), "unknown master secret"),
        (Some(sealed(&|record| record.version = 0, &keys[3], &keyring())), "older than the key"),
        (Some(sealed(&|record| record.workspace.version = 0, &keys[4], &keyring())), "older than the key"),
        (Some(sealed(&|record| record.name = "Sho".into(), &keys[5], &keyring())), "not what it should be"),
    ];
    let right = kv.records.borrow().clone();
    for ((bytes, _), key) in damage.iter().zip(&keys) {
        match bytes {
            Some(bytes) => drop(kv.records.borrow_mut().insert(name(key), bytes.clone())),
            None => drop(kv.records.borrow_mut().remove(&name(key))),
        }
    }
    let found = sweep(&database, &kv, &keyring(), LATER);
    assert_eq!(found.len(), damage.len(), "{found:?}");
    for ((_, words), (text, key)) in damage.iter().zip(found.iter().zip(&keys)) {
        assert!(text.contains(words) && text.contains(&key.id.to_string()), "{text} for {words}");
    }
    deliver(&database, &kv, &keyring(), LATER);
    for (name, bytes) in &right {
        let locator = name[2..].parse().unwrap();
        let mended = Record::open(&kv.records.borrow()[name], locator, &keyring()).unwrap();
        let right = Record::open(bytes, locator, &keyring()).unwrap();
        assert_eq!((mended.version, mended.name), (right.version, right.name));
    }
    assert!(sweep(&database, &kv, &keyring(), LATER.plus(2 * DAY)).is_empty(), "nothing is left to repair");
}

#[test]
fn a_recently_written_or_queued_record_is_left_alone() {
    let (database, kv, _) = delivered(2);
    kv.records.borrow_mut().clear();
    kv_outbox::enqueue(&database, 2, LATER).unwrap();
    database.run("UPDATE keys SET published_at = ? WHERE number = 1", &[time(LATER.plus(-SETTLE_TIME + 1))]).unwrap();
    assert!(sweep(&database, &kv, &keyring(), LATER).is_empty());
    assert_eq!(kv.reads.get(), 0);
}

/// By the outbox's own state, each key was written once or is queued.
#[test]
fn a_key_missing_from_the_outbox_is_found() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    database.run("DELETE FROM outbox", &[]).unwrap();
    assert_eq!(sweep(&database, &MemoryKv::default(), &keyring(), NOW).len(), 1);
    assert_eq!(count(&database, "outbox"), 1);
}

#[test]
fn one_pass_a_day_covers_all_keys_in_batches() {
    let (database, kv, _) = delivered(120);
    let mut now = LATER;
    for looked_at in [50, 100, 120] {
        assert!(next_due(&database).unwrap().unwrap() <= now);
        sweep(&database, &kv, &keyring(), now);
        assert_eq!(kv.reads.get(), looked_at);
        sweep(&database, &kv, &keyring(), now);
        assert_eq!(kv.reads.get(), looked_at, "not before the interval is over");
        now = now.plus(BATCH_INTERVAL);
    }
    assert_eq!(next_due(&database), Ok(Some(LATER.plus(DAY))));
    sweep(&database, &kv, &keyring(), LATER.plus(DAY));
    assert_eq!(kv.reads.get(), 170);
}

#[test]
fn a_pass_backs_off_while_kv_is_down_and_resumes() {
    let (database, kv, _) = delivered(60);
    sweep(&database, &kv, &keyring(), LATER);
    kv.is_down.set(true);
    let mut now = LATER.plus(BATCH_INTERVAL);
    for wait in [SECOND, 2 * SECOND, 4 * SECOND] {
        let found = sweep(&database, &kv, &keyring(), now);
        assert!(found.len() == 1 && found[0].contains("down"), "{found:?}");
        assert_eq!(next_due(&database), Ok(Some(now.plus(wait))));
        now = now.plus(wait);
    }
    kv.is_down.set(false);
    let before = kv.reads.get();
    sweep(&database, &kv, &keyring(), now);
    assert_eq!(kv.reads.get() - before, 10, "the rest of the pass");
}

#[test]
fn an_unreadable_row_is_logged_and_stops_nothing() {
    let (database, kv, keys) = delivered(3);
    database.run("UPDATE keys SET limits = 'no JSON' WHERE number = 2", &[]).unwrap();
    kv.records.borrow_mut().remove(&name(&keys[2]));
    let found = sweep(&database, &kv, &keyring(), LATER);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains(&keys[1].id.to_string()) && found[1].contains(&keys[2].id.to_string()), "{found:?}");
}

#[test]
fn a_workspace_without_keys_is_not_swept() {
    let database = workspace();
    assert_eq!(next_due(&database), Ok(None));
}

/// After one pass under a new master secret, the old seal key is unused.
#[test]
fn records_are_sealed_under_a_new_master_secret() {
    let (database, kv, keys) = delivered(3);
    let both = Keyring::parse(BOTH).unwrap();
    for key in &keys {
        let bytes = kv.records.borrow()[&name(key)].clone();
        assert!(Record::open(&bytes, key.id, &both).is_ok(), "the old secret still opens it");
    }
    assert_eq!(sweep(&database, &kv, &both, LATER).len(), 3);
    deliver(&database, &kv, &both, LATER);
    let left = Keyring::parse(&retire(BOTH, 1, &[Use::Locator, Use::Pepper]).unwrap()).unwrap();
    for key in &keys {
        assert!(Record::open(&kv.records.borrow()[&name(key)], key.id, &left).is_ok());
    }
    assert!(sweep(&database, &kv, &left, LATER.plus(2 * DAY)).is_empty());
    assert!(Keyring::parse(ONE).is_ok_and(|ring| sweep(&database, &kv, &ring, LATER.plus(4 * DAY)).len() == 3));
}

#[test]
fn the_issuing_master_secret_of_a_key_is_determined() {
    let (database, kv, _) = delivered(2);
    let issuers = |database: &MemoryDatabase| -> Vec<Option<i64>> {
        let rows = database.run("SELECT issuer FROM keys ORDER BY number", &[]).unwrap();
        rows.into_iter().map(|mut row| row.optional_integer().unwrap()).collect()
    };
    assert_eq!(issuers(&database), [Some(1), Some(1)]);
    database.run("UPDATE keys SET issuer = NULL WHERE number = 2", &[]).unwrap();
    sweep(&database, &kv, &Keyring::parse(BOTH).unwrap(), LATER);
    assert_eq!(issuers(&database), [Some(1), Some(1)]);
}
