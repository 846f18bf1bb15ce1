//! When a record is written, and when its row may go.

use super::*;
use crate::registry::testing::{NOW, count, create, keyring, new_key, workspace};
use ownchat_domain::record::Record;

#[test]
fn what_waits_is_due_at_once_and_reads_as_the_truth() {
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW)));
    let waiting = due(&database, NOW).unwrap();
    let (name, version, bytes) = sealed(&database, &keyring(), waiting.first().unwrap(), NOW).unwrap().unwrap();
    assert_eq!((name, version), (format!("k/{}", key.id), 1));
    assert_eq!(Record::open(&bytes, key.id, &keyring()).unwrap().name, "Shop");
}

#[test]
fn a_confirmed_record_leaves_and_a_newer_change_stays() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    database.run("UPDATE keys SET version = 2", &[]).unwrap();
    confirm(&database, 1, 1, NOW).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))), "one write a second");
    confirm(&database, 1, 2, NOW.plus(SECOND)).unwrap();
    assert_eq!(count(&database, "outbox"), 0);
    assert_eq!(next_due(&database), Ok(None));
}

#[test]
fn a_change_right_after_a_write_waits_for_its_second() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    confirm(&database, 1, 1, NOW).unwrap();
    enqueue(&database, 1, NOW.plus(10)).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(SECOND))));
}

#[test]
fn failures_wait_longer_each_time_and_never_for_ever() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    for (attempts, wait) in [(0, SECOND), (1, 2 * SECOND), (5, 32 * SECOND), (60, 5 * MINUTE)] {
        postpone(&database, 1, attempts, NOW).unwrap();
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(wait))), "{attempts}");
        assert!(due(&database, NOW.plus(wait - 1)).unwrap().is_empty());
        assert_eq!(due(&database, NOW.plus(wait)).unwrap().len(), 1);
    }
}

#[test]
fn a_new_change_does_not_wait_for_the_failures_of_an_old_one() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    postpone(&database, 1, 60, NOW).unwrap();
    enqueue(&database, 1, NOW.plus(10)).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(10))));
}

#[test]
fn a_record_that_was_asked_for_is_written_again_but_not_for_each_question() {
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    confirm(&database, 1, 1, NOW).unwrap();
    enqueue_missing(&database, key.id, NOW.plus(MINUTE - 1)).unwrap();
    assert_eq!(count(&database, "outbox"), 0, "KV may not know it yet");
    enqueue_missing(&database, key.id, NOW.plus(MINUTE)).unwrap();
    enqueue_missing(&database, key.id, NOW.plus(MINUTE)).unwrap();
    assert_eq!(count(&database, "outbox"), 1);
}

#[test]
fn all_records_can_be_written_anew() {
    let database = workspace();
    for name in ["One", "Two"] {
        create(&database, new_key(name, &["contacts:read"]), NOW).unwrap();
    }
    database.run("DELETE FROM outbox", &[]).unwrap();
    enqueue_all(&database, NOW).unwrap();
    assert_eq!(count(&database, "outbox"), 2);
}
