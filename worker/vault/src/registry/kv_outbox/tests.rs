//! Delivery of records, and removal of their rows.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        kv_replica::memory::{MemoryKv, expect_ready},
        testing::{NOW, count, create, keyring, new_key, workspace},
    },
};
use ownchat_domain::record::Record;

fn sealed(version: u64, settings: u64) -> SealedRecord {
    SealedRecord { name: String::new(), version, settings, bytes: Vec::new() }
}

fn confirmed(database: &MemoryDatabase, version: u64, now: Timestamp) {
    confirm(database, 1, &sealed(version, 1), 1, now).unwrap();
}

fn delivered(database: &MemoryDatabase, kv: &MemoryKv, now: Timestamp) -> Vec<String> {
    expect_ready(deliver(database, &keyring(), kv, || now)).unwrap()
}

#[test]
fn a_queued_record_is_due_at_once_and_is_current() {
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW)));
    let kv = MemoryKv::default();
    assert!(delivered(&database, &kv, NOW).is_empty());
    let records = kv.records.borrow();
    let bytes = records.get(&format!("k/{}", key.id)).unwrap();
    assert_eq!(Record::open(bytes, key.id, &keyring()).unwrap().name, "Shop");
    assert_eq!(count(&database, "outbox"), 0);
}

#[test]
fn a_confirmed_record_leaves_and_a_newer_change_stays() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    database.run("UPDATE keys SET version = 2", &[]).unwrap();
    confirmed(&database, 1, NOW);
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))), "one write per second");
    confirmed(&database, 2, NOW.plus(SECOND));
    assert_eq!(count(&database, "outbox"), 0);
    assert_eq!(next_due(&database), Ok(None));
}

#[test]
fn a_change_right_after_a_write_waits_one_second() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    confirmed(&database, 1, NOW);
    enqueue(&database, 1, NOW.plus(10)).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))));
}

#[test]
fn back_off_doubles_up_to_its_maximum() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    for (attempts, wait) in [(0, SECOND), (1, 2 * SECOND), (5, 32 * SECOND), (60, 5 * MINUTE)] {
        postpone(&database, 1, attempts, NOW).unwrap();
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(wait))), "{attempts}");
        assert!(rows::keys::due_records(&database, NOW.plus(wait - 1), BATCH).unwrap().is_empty());
        assert_eq!(rows::keys::due_records(&database, NOW.plus(wait), BATCH).unwrap().len(), 1);
    }
}

#[test]
fn a_new_change_resets_the_back_off() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    postpone(&database, 1, 60, NOW).unwrap();
    enqueue(&database, 1, NOW.plus(10)).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(10))));
}

#[test]
fn a_requested_record_is_rewritten_at_most_once_an_hour() {
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    confirmed(&database, 1, NOW);
    enqueue_missing(&database, key.id, NOW.plus(HOUR - 1)).unwrap();
    assert_eq!(count(&database, "outbox"), 0, "it was written lately");
    enqueue_missing(&database, key.id, NOW.plus(HOUR)).unwrap();
    enqueue_missing(&database, key.id, NOW.plus(HOUR)).unwrap();
    assert_eq!(count(&database, "outbox"), 1);
}

#[test]
fn all_records_can_be_queued() {
    let database = workspace();
    for name in ["One", "Two"] {
        create(&database, new_key(name, &["contacts:read"]), NOW).unwrap();
    }
    database.run("DELETE FROM outbox", &[]).unwrap();
    enqueue_all(&database, NOW).unwrap();
    assert_eq!(count(&database, "outbox"), 2);
}

#[test]
fn an_unreadable_row_does_not_block_the_others() {
    let database = workspace();
    create(&database, new_key("Broken", &["contacts:read"]), NOW).unwrap();
    let good = create(&database, new_key("Good", &["contacts:read"]), NOW).unwrap();
    database.run("UPDATE keys SET limits = 'no JSON' WHERE number = 1", &[]).unwrap();
    let kv = MemoryKv::default();
    let errors = delivered(&database, &kv, NOW);
    assert!(errors.len() == 1 && errors[0].starts_with("outbox: key "), "{errors:?}");
    assert!(kv.records.borrow().contains_key(&format!("k/{}", good.id)));
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))), "it is queued");
    delivered(&database, &kv, NOW.plus(SECOND));
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(3 * SECOND))), "the back-off doubles");
}

#[test]
fn everything_stays_queued_while_kv_is_down() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let kv = MemoryKv::default();
    kv.is_down.set(true);
    assert_eq!(delivered(&database, &kv, NOW).len(), 1);
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))));
}

/// The settings may change between the read of a record and the response of KV, as the key may.
#[test]
fn a_change_of_settings_during_the_write_stays_queued() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    database.run("UPDATE workspace SET version = 2", &[]).unwrap();
    confirmed(&database, 1, NOW);
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))));
    confirm(&database, 1, &sealed(1, 2), 1, NOW.plus(SECOND)).unwrap();
    assert_eq!(next_due(&database), Ok(None));
}
