//! Counts that an earlier version has left. The folder beside this file holds one database for each
//! schema step, as SQL; they are never regenerated.

use super::{
    batches::Ingested,
    schema,
    testing::{ExactCount, NOW, batch, ingest, kept, key, last_uses, run_all},
};
use crate::database::memory::MemoryDatabase;
use ownchat_domain::{
    time::{DAY, HOUR},
    usage::{Batch, LastUse, Step},
};

/// The counts in the fixture: in the tables of days, hours and minutes, and pending for one
/// isolate.
fn counted() -> [Batch; 5] {
    let ago = |millis: i64| NOW.plus(-millis);
    [
        batch(3, 1, key(1), &[(0, 3, 9)], ago(100 * DAY)),
        batch(1, 1, key(1), &[(0, 1, 40), (8, 2, 3)], ago(10 * DAY)),
        batch(1, 2, key(1), &[(0, 1, 5)], ago(3 * HOUR)),
        batch(2, 1, key(2), &[(0, 1, 7)], ago(3 * HOUR)),
        batch(2, 2, key(2), &[(7, 0, 2)], NOW),
    ]
}

fn all_is_there(database: &MemoryDatabase, exact: &ExactCount) {
    for step in [Step::Minute, Step::Hour, Step::Day] {
        let oldest = step.begin(step.number(NOW.plus(-step.kept_for())));
        for key in [None, Some(key(1)), Some(key(2))] {
            let expected = exact.kept(key, step, oldest, NOW);
            assert_eq!(kept(database, key, step, NOW), expected, "{key:?} by {step:?}");
        }
    }
    let uses = exact.last_uses.iter().map(|((key, secret), at)| LastUse { key: *key, secret: *secret, at: *at });
    let mut found = last_uses(database, &[key(1), key(2)]);
    found.sort_by_key(|last| (last.key, last.secret));
    assert_eq!(found, uses.collect::<Vec<_>>());
}

#[test]
fn counts_of_the_first_schema_are_read_and_added_to() {
    let database = MemoryDatabase::filled(include_str!("usage/first.sql"));
    schema::apply(&database).unwrap();
    schema::apply(&database).unwrap();
    let mut exact = ExactCount::default();
    for batch in &counted() {
        exact.count(batch);
    }
    all_is_there(&database, &exact);
    // Batches that were counted are not counted again; new ones are.
    for known in &counted()[2..] {
        assert_eq!(ingest(&database, known, NOW), Ingested::Counted);
    }
    all_is_there(&database, &exact);
    let next = batch(2, 3, key(2), &[(0, 1, 1), (7, 0, 1)], NOW);
    assert_eq!(ingest(&database, &next, NOW), Ingested::Counted);
    exact.count(&next);
    all_is_there(&database, &exact);
    run_all(&database, NOW.plus(HOUR));
    all_is_there(&database, &exact);
}
