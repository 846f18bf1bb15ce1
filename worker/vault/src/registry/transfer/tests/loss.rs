//! Recovery after a loss: state issued before it must not collide with state after it.

use super::*;
use crate::registry::{effective::effective_at, purge_cleanup, testing::publish_all};
use ownchat_domain::{
    feed::{Affected, Entry},
    key::Key,
};

#[test]
fn imported_keys_work_and_are_queued_for_feed_and_kv() {
    let database = workspace();
    let kept = create(&database, new_key("Kept", &["contacts:read"]), NOW).unwrap();
    let gone = create(&database, new_key("Gone", &["contacts:read"]), NOW).unwrap();
    keys::delete(&database, &DeleteKey { origin: origin(OWNER), id: gone.id, version: 1 }, NOW).unwrap();
    let other = workspace();
    imported(&other, &exported(&database)).unwrap();
    let secret = SecretHash::from_bytes([3; 32]);
    let current = |id| record(&other, id, NOW).unwrap().unwrap();
    assert_eq!(decide(&current(kept.id), &secret, &AccessRequest::default(), &keyring(), NOW), Ok(1));
    assert!(current(gone.id).deleted);
    assert_eq!(count(&other, "outbox"), 2, "both records are written");
    let expect_pending =
        |subject, version| assert!(pending(&other, WORKSPACE).unwrap().contains(&Entry { subject, version }));
    expect_pending(Affected::Key(gone.id), 2);
    expect_pending(Affected::Sealed(WORKSPACE), u64::try_from(NOW.millis()).unwrap());
    assert_eq!((count(&other, "announcements"), count(&other, "staged")), (2, 0));
}

#[test]
fn no_key_number_is_reused_after_a_loss() {
    let database = workspace();
    let number = |key: &Key| key.id.open(&keyring(), key.environment).unwrap().number;
    let make = |database: &MemoryDatabase| number(&create(database, new_key("Made", &["contacts:read"]), NOW).unwrap());
    assert_eq!(make(&database), 1);
    let file = exported(&database);
    let lost: Vec<u32> = (0..3).map(|_| make(&database)).collect();
    assert_eq!(lost, [2, 3, 4]);
    let mut first = 0;
    for later in [0, 60] {
        let other = workspace();
        staged(&other, &file).unwrap();
        let now = NOW.plus(later * SECOND);
        finish(&other, &keyring(), &FinishImport { origin: origin(OWNER) }, now).unwrap();
        assert_eq!(exported(&other), file, "the file does not contain it");
        let (one, two) = (make(&other), make(&other));
        assert_eq!((i64::from(one), two), (now.since(EPOCH_2026) / SECOND, one + 1), "one per second since 2026");
        assert!(first == 0 || one > first + 1, "a second import uses other numbers");
        first = one;
    }
    // Above one key per second, numbers continue after the last one.
    let busy = workspace();
    busy.run("UPDATE workspace SET last_key = 4000000000", &[]).unwrap();
    skip_numbers(&busy, NOW).unwrap();
    assert_eq!(make(&busy), 4_001_000_000);
}

#[test]
fn meters_of_imported_keys_accept_any_version() {
    let source = workspace();
    for name in ["Shop", "Store"] {
        create(&source, new_key(name, &["contacts:read"]), NOW).unwrap();
    }
    let other = workspace();
    imported(&other, &exported(&source)).unwrap();
    assert_eq!(purge_cleanup::next_due(&other), Ok(None), "edges may still use later records");
    publish_all(&other, NOW.plus(SECOND));
    assert_eq!(purge_cleanup::next_due(&other), Ok(Some(NOW.plus(9 * SECOND))), "edges have read the feed by now");
    let pending = other.run("SELECT locator FROM leftovers ORDER BY locator", &[]).unwrap();
    let keys = other.run("SELECT locator FROM keys ORDER BY locator", &[]).unwrap();
    assert_eq!((pending.len(), format!("{pending:?}")), (2, format!("{keys:?}")));
}

#[test]
fn an_import_assumes_the_longest_outage_grace_period() {
    let other = workspace();
    let source = workspace();
    create(&source, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    imported(&other, &exported(&source)).unwrap();
    assert_eq!(effective_at(&other, NOW), Ok(NOW.plus(3_600 * SECOND)));
    // Only a part of the pending entries is published, and nothing more for a while.
    feed_outbox::mark_published(&other, &[], NOW.plus(-60 * SECOND)).unwrap();
    assert_eq!(
        effective_at(&other, NOW.plus(SECOND)),
        Ok(NOW.plus(3_601 * SECOND)),
        "the grace period has not started"
    );
    publish_all(&other, NOW.plus(SECOND));
    assert_eq!(
        effective_at(&other, NOW.plus(9 * SECOND)),
        Ok(NOW.plus(3_601 * SECOND)),
        "it counts from the publication"
    );
    assert_eq!(effective_at(&other, NOW.plus(3_601 * SECOND)), Ok(NOW.plus(3_606 * SECOND)));
}
