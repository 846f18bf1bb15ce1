//! Purge after the restore period.

use super::*;
use crate::registry::{
    rows::record,
    testing::{NOW, count, create, deleted, make_key, new_key, restored},
};
use ownchat_domain::{failure::Failure, time::DAY};

#[test]
fn after_thirty_days_only_the_trail_remains() {
    let (database, key) = make_key();
    let other = create(&database, new_key("Other", &["contacts:read"]), NOW).unwrap();
    deleted(&database, &key, NOW).unwrap();
    assert_eq!(next_due(&database), Ok(Some(NOW.plus(30 * DAY))));
    assert_eq!(purge(&database, NOW.plus(30 * DAY - 1)), Ok(Purged::default()));
    assert_eq!(restored(&database, &key, NOW.plus(30 * DAY)).unwrap_err(), Failure::NotFound.into());
    let purged = Purged { keys: vec![key.id], errors: Vec::new() };
    assert_eq!(purge(&database, NOW.plus(30 * DAY)), Ok(purged));
    assert!(record(&database, key.id, NOW).unwrap().is_none());
    assert!(record(&database, other.id, NOW).unwrap().is_some());
    assert_eq!((count(&database, "keys"), count(&database, "secrets"), count(&database, "trail")), (1, 1, 4));
    assert_eq!(next_due(&database), Ok(None));
    assert_eq!(purge_cleanup::next_due(&database), Ok(Some(NOW.plus(30 * DAY))), "its meter is queued for clean-up");
}

#[test]
fn a_failed_purge_is_retried_and_blocks_no_other() {
    let (database, key) = make_key();
    let other = create(&database, new_key("Other", &["contacts:read"]), NOW).unwrap();
    for key in [&key, &other] {
        deleted(&database, key, NOW).unwrap();
    }
    database.run("UPDATE keys SET metadata = 'no JSON' WHERE number = 1", &[]).unwrap();
    let end = NOW.plus(30 * DAY);
    let purged = purge(&database, end).unwrap();
    assert_eq!(purged.keys, [other.id]);
    assert!(purged.errors.len() == 1 && purged.errors[0].contains(&key.id.to_string()), "{purged:?}");
    assert_eq!(next_due(&database), Ok(Some(end.plus(1_000))), "the retry backs off");
    assert_eq!(purge(&database, end.plus(999)), Ok(Purged::default()));
    assert_eq!(purge(&database, end.plus(1_000)).unwrap().errors.len(), 1);
    assert_eq!(next_due(&database), Ok(Some(end.plus(3_000))), "the back-off doubles");
    database.run("UPDATE keys SET metadata = '{}'", &[]).unwrap();
    assert_eq!(purge(&database, end.plus(3_000)).unwrap().keys, [key.id]);
    assert_eq!((next_due(&database), count(&database, "keys")), (Ok(None), 0));
}
