//! Exactness of usage, in any order of events.

use super::{
    batches::{self, Ingested},
    queries, rollup,
    table::{DAYS, HOURS, MINUTES, Rows},
    testing::{ExactCount, NOW, batch, fresh, ingest, kept, key, last_uses, rows, run_all, total},
};
use crate::{
    database::{Database, SqlValue},
    rpc::CommandError,
};
use ownchat_domain::{
    failure::Failure,
    scope::Scope,
    time::{DAY, HOUR, MINUTE, SECOND, Timestamp},
    usage::{BATCH_MAX, Batch, Cell, LastUse, Parts, Step, Sums},
    vault::usage::{ReadLastUses, ReadUsage, UsageQuery},
    verdict::Code,
};
use proptest::prelude::*;
use std::collections::HashSet;

const STEPS: [Step; 3] = [Step::Minute, Step::Hour, Step::Day];

#[test]
fn a_use_at_the_management_api_is_a_last_use() {
    let database = fresh();
    let last = |at| LastUse { key: key(1), secret: 1, at };
    batches::record_last_use(&database, last(NOW)).unwrap();
    batches::record_last_use(&database, last(NOW.plus(-1))).unwrap();
    let uses = || queries::last_uses(&database, &ReadLastUses { keys: vec![key(1)] }).unwrap();
    assert_eq!(uses(), [last(NOW)]);
    ingest(&database, &batch(7, 1, key(1), &[(0, 1, 5)], NOW.plus(2)), NOW.plus(2));
    assert_eq!(uses(), [last(NOW.plus(2))], "the later one wins");
}

#[test]
fn a_repeated_batch_is_counted_once() {
    let database = fresh();
    let (first, second) = (batch(7, 1, key(1), &[(0, 1, 5)], NOW), batch(7, 2, key(1), &[(0, 1, 3)], NOW));
    for sent in [&second, &first, &second, &first] {
        assert_eq!(ingest(&database, sent, NOW), Ingested::Counted);
    }
    assert_eq!(total(&database, Some(key(1)), Step::Minute, NOW), 8);
    run_all(&database, NOW);
    assert_eq!((ingest(&database, &first, NOW), total(&database, None, Step::Minute, NOW)), (Ingested::Counted, 8));
    // The same number from another isolate is another batch.
    assert_eq!(ingest(&database, &Batch { isolate: 8, ..first }, NOW), Ingested::Counted);
    assert_eq!(total(&database, None, Step::Minute, NOW), 13);
}

#[test]
fn a_batch_of_an_evicted_isolate_is_not_counted_twice() {
    let database = fresh();
    let sent = batch(7, 1, key(1), &[(0, 1, 5)], NOW);
    ingest(&database, &sent, NOW);
    let retained = NOW.plus(batches::ISOLATE_RETENTION);
    run_all(&database, retained);
    assert_eq!(ingest(&database, &sent, retained), Ingested::Counted, "its isolate has a row, and it was counted");
    run_all(&database, retained.plus(1));
    assert_eq!(rows(&database, "isolates"), 0);
    assert_eq!(ingest(&database, &sent, retained.plus(1)), Ingested::TooLate);
    // Another batch of the isolate does not change that.
    ingest(&database, &batch(7, 2, key(2), &[(0, 1, 1)], retained), retained.plus(1));
    assert_eq!(ingest(&database, &sent, retained.plus(1)), Ingested::TooLate);
    assert_eq!(total(&database, Some(key(1)), Step::Hour, retained), 5);
    // Most of a day late is accepted, even from an isolate that never sent anything.
    let late = batch(9, 4, key(1), &[(0, 1, 2)], retained.plus(-23 * HOUR));
    assert_eq!(ingest(&database, &late, retained), Ingested::Counted);
    assert_eq!(total(&database, Some(key(1)), Step::Hour, retained), 7);
}

#[test]
fn a_batch_costs_one_row_written() {
    let database = fresh();
    let changes = || database.first("SELECT total_changes()", &[]).unwrap().unwrap().integer().unwrap();
    let calls: Vec<_> = (0..14).map(|outcome| (outcome, 1, 1)).collect();
    ingest(&database, &batch(7, 1, key(1), &calls, NOW), NOW);
    let before = changes();
    for sequence in 2..60 {
        ingest(&database, &batch(7, sequence, key(1), &calls, NOW.plus(HOUR / 60)), NOW);
    }
    assert_eq!(changes() - before, 58);
    let before = changes();
    run_all(&database, NOW);
    // The key, all keys, the last use, and the isolate without pending counts.
    assert_eq!(changes() - before, 4);
    assert_eq!(total(&database, None, Step::Hour, NOW), 59 * 14);
}

#[test]
fn too_many_pending_counts_are_flushed_at_once() {
    let database = fresh();
    let minute = Step::Minute.number(NOW);
    let numbers = 0..u32::try_from(BATCH_MAX).unwrap();
    let counts = numbers.clone().map(|number| (Cell { key: key(number), minute, outcome: 0, scopes: 1 }, 1)).collect();
    let last_uses = numbers.map(|number| LastUse { key: key(number), secret: 1, at: NOW }).collect();
    let full = Batch { isolate: 7, sequence: 1, counts, last_uses };
    for (sequence, pending) in [(1, 0), (2, 0)] {
        ingest(&database, &Batch { sequence, ..full.clone() }, NOW);
        assert_eq!(batches::pending(&database).unwrap().len(), pending);
    }
    ingest(&database, &batch(7, 3, key(1), &[(0, 1, 1)], NOW), NOW);
    assert_eq!(batches::pending(&database).unwrap().len(), 1);
    assert_eq!(total(&database, None, Step::Minute, NOW), 2 * u64::try_from(BATCH_MAX).unwrap() + 1);
    assert_eq!(total(&database, Some(key(1)), Step::Minute, NOW), 3);
}

#[test]
fn faulty_batches_are_not_counted_at_all() {
    let database = fresh();
    let mut sent = batch(7, 1, key(1), &[(0, 1, 5)], NOW);
    let ahead = Cell { key: key(1), minute: Step::Minute.number(NOW) + 31, outcome: 0, scopes: 0 };
    sent.counts.push((ahead, 1));
    assert_eq!(ingest(&database, &sent, NOW), Ingested::Faulty("a minute that is still to come"));
    assert_eq!((rows(&database, "isolates"), rows(&database, "minutes")), (0, 0));
    // Its number was not recorded as counted.
    sent.counts.pop();
    assert_eq!((ingest(&database, &sent, NOW), total(&database, None, Step::Minute, NOW)), (Ingested::Counted, 5));
}

#[test]
fn minutes_roll_up_to_hours_and_days_and_expire() {
    let database = fresh();
    let at = Timestamp::parse("2026-11-23T16:46:48Z").unwrap();
    ingest(&database, &batch(7, 1, key(1), &[(0, 1, 5), (8, 2, 1)], at), at);
    let tables = || ["minutes", "hours", "days", "last_uses"].map(|table| rows(&database, table));
    let time = |text| Timestamp::parse(text).unwrap();
    for (now, expected) in [
        ("2026-11-23T16:46:48Z", [2, 0, 0, 1]),
        // 48 hours after the last minute of its hour.
        ("2026-11-25T16:59:59.999Z", [2, 0, 0, 1]),
        ("2026-11-25T17:00:00Z", [0, 2, 0, 1]),
        // 60 days after the last hour of its day.
        ("2027-01-22T23:59:59.999Z", [0, 2, 0, 1]),
        ("2027-01-23T00:00:00Z", [0, 0, 2, 1]),
        ("2028-11-23T23:59:59.999Z", [0, 0, 2, 1]),
        ("2028-11-24T00:00:00Z", [0, 0, 2, 1]),
        // 731 days after the last of the 32 days that are stored together.
        ("2028-12-12T23:59:59.999Z", [0, 0, 2, 1]),
        ("2028-12-13T00:00:00Z", [0, 0, 0, 0]),
    ] {
        run_all(&database, time(now));
        assert_eq!(tables(), expected, "{now}");
        for step in STEPS {
            let is_kept = step.number(at) >= step.number(time(now).plus(-step.kept_for()));
            let found = total(&database, Some(key(1)), step, time(now));
            assert_eq!(found, if is_kept { 6 } else { 0 }, "{now} {step:?}");
        }
        let due = rollup::next_due(&database, time(now)).unwrap();
        assert!(due.is_none_or(|due| due > time(now)), "{now}");
    }
    assert_eq!(rollup::next_due(&database, time("2028-12-13T00:00:00Z")), Ok(None));
}

#[test]
fn no_step_outlives_its_retention_by_a_whole_row() {
    for (table, longer) in [(&MINUTES, 59 * MINUTE), (&HOURS, 23 * HOUR), (&DAYS, 31 * DAY)] {
        let database = fresh();
        let (row, _) = table.locate(NOW);
        let (first, last) = (table.begin(row, 0), table.begin(row + 1, -1));
        let mut rows = Rows::new();
        for at in [first, last] {
            let (row, step) = table.locate(at);
            rows.entry((row, Some(key(1)))).or_default().count(step, 0, 1, 5);
        }
        table.add(&database, rows).unwrap();
        // The end of the step, plus its retention.
        let must_stay_until = |at: Timestamp| at.plus(table.step.millis() + table.step.kept_for());
        let gone = table.next_due(&database).unwrap().unwrap();
        assert_eq!(gone.since(must_stay_until(first)), longer, "{}", table.name);
        assert_eq!(gone, must_stay_until(last), "{}", table.name);
        assert_eq!(table.first_retained(gone.plus(-1)), row, "{}", table.name);
        assert_eq!(table.first_retained(gone), row + 1, "{}", table.name);
    }
}

#[test]
fn totals_stay_exact_during_a_roll_up() {
    let database = fresh();
    let minute = Step::Minute.number(NOW);
    for sequence in 1..=2 {
        let counts = (0..900).map(|number| (Cell { key: key(number), minute, outcome: 0, scopes: 1 }, 1)).collect();
        ingest(&database, &Batch { isolate: sequence, sequence, counts, last_uses: Vec::new() }, NOW);
    }
    let mut goes = 0;
    for later in [NOW.plus(50 * HOUR), NOW.plus(62 * DAY)] {
        loop {
            let more = rollup::run(&database, later).unwrap();
            goes += 1;
            assert_eq!(total(&database, None, Step::Day, later), 1_800);
            assert_eq!(total(&database, Some(key(899)), Step::Day, later), 2);
            if !more {
                break;
            }
        }
    }
    assert!(goes > 3, "{goes}");
    assert_eq!((rows(&database, "minutes"), rows(&database, "hours"), rows(&database, "days")), (0, 0, 901));
}

#[test]
fn late_counts_of_a_rolled_up_minute_are_added() {
    let database = fresh();
    ingest(&database, &batch(7, 1, key(1), &[(0, 1, 5)], NOW), NOW);
    let later = NOW.plus(49 * HOUR);
    // A current batch, so that the isolate has a row.
    ingest(&database, &batch(7, 2, key(1), &[(0, 1, 1)], later), later);
    run_all(&database, later);
    let late = batch(7, 3, key(1), &[(0, 1, 2)], later.plus(-48 * HOUR));
    assert_eq!(ingest(&database, &late, later), Ingested::Counted);
    assert_eq!(total(&database, None, Step::Day, later), 8);
    run_all(&database, later.plus(HOUR));
    assert_eq!(total(&database, None, Step::Hour, later.plus(HOUR)), 8);
}

#[test]
fn a_clock_set_back_loses_nothing_and_doubles_nothing() {
    let database = fresh();
    ingest(&database, &batch(7, 1, key(1), &[(0, 1, 5)], NOW), NOW);
    // A clock two days ahead has rolled up the current minutes; then it is corrected.
    run_all(&database, NOW.plus(49 * HOUR));
    let back = NOW.plus(-29 * MINUTE);
    for (sequence, at) in [(2, back), (1, NOW), (3, NOW), (1, NOW)] {
        assert_eq!(ingest(&database, &batch(8, sequence, key(1), &[(0, 1, 5)], at), back), Ingested::Counted);
        run_all(&database, back);
    }
    for now in [NOW, NOW.plus(HOUR), NOW.plus(49 * HOUR), NOW.plus(62 * DAY)] {
        assert_eq!(total(&database, None, Step::Day, now), 20, "{}", now.rfc3339());
        run_all(&database, now);
        assert_eq!(total(&database, None, Step::Day, now), 20, "{}", now.rfc3339());
    }
    assert_eq!(last_uses(&database, &[key(1)]), [LastUse { key: key(1), secret: 1, at: NOW }]);
}

#[test]
fn the_last_use_is_the_latest_in_any_order() {
    let database = fresh();
    let of = |sequence, key, secret, at| {
        let last_uses = vec![LastUse { key, secret, at }];
        ingest(&database, &Batch { isolate: 7, sequence, counts: Vec::new(), last_uses }, NOW);
    };
    of(1, key(1), 1, NOW.plus(-5 * SECOND));
    of(2, key(1), 2, NOW);
    run_all(&database, NOW);
    of(3, key(1), 1, NOW.plus(-9 * SECOND));
    assert_eq!(last_uses(&database, &[key(1)]).len(), 2);
    run_all(&database, NOW);
    of(4, key(1), 2, NOW.plus(SECOND));
    of(5, key(2), 1, NOW);
    let found = last_uses(&database, &[key(1), key(3)]);
    let expected = [(1, NOW.plus(-5 * SECOND)), (2, NOW.plus(SECOND))];
    assert_eq!(found, expected.map(|(secret, at)| LastUse { key: key(1), secret, at }));
    let too_many = ReadLastUses { keys: vec![key(1); 101] };
    assert!(matches!(queries::last_uses(&database, &too_many), Err(CommandError::Failure(Failure::Invalid { .. }))));
    assert_eq!(last_uses(&database, &vec![key(2); 100]).len(), 1);
}

#[test]
fn usage_is_filtered_by_outcome_and_scope() {
    let database = fresh();
    let scope: Scope = "contacts:read".parse().unwrap();
    let (valid, missing) = (Code::Valid.number(), Code::ScopeMissing.number());
    let calls = [(valid, scope.mask(), 5), (missing, scope.mask(), 2), (missing, 0, 1)];
    ingest(&database, &batch(7, 1, key(1), &calls, NOW), NOW);
    let query = |outcome, scope| {
        let query = UsageQuery { outcome, scope, ..UsageQuery::default() };
        let series = queries::usage(&database, &ReadUsage { key: None, query }, NOW).unwrap();
        series.points.into_iter().map(|point| (point.outcomes, point.scopes)).collect::<Vec<_>>()
    };
    let bit = scope.info().bit;
    let parts = |pairs: &[(u8, u64)]| Parts::from(pairs);
    assert_eq!(query(None, None), [(parts(&[(valid, 5), (missing, 3)]), parts(&[(bit, 7)]))]);
    assert_eq!(query(Some(Code::ScopeMissing), None), [(parts(&[(missing, 3)]), parts(&[(bit, 2)]))]);
    assert_eq!(query(None, Some(scope)), [(parts(&[(valid, 5), (missing, 2)]), parts(&[(bit, 7)]))]);
    assert_eq!(query(Some(Code::Expired), None), []);
}

/// The store accepts values of up to 2 MB.
#[test]
fn the_size_of_a_row_is_bounded() {
    let mut row = Sums::default();
    for minute in 0..60 {
        for outcome in 0..32 {
            row.count(minute, outcome, (1 << 53) - 1, u64::MAX);
        }
    }
    let size = row.encode().unwrap().len();
    assert!(size < 1_200_000, "{size}");
}

/// A query reads few rows, however many keys there are.
#[test]
fn a_query_looks_up_each_row_by_its_key() {
    let database = fresh();
    for table in [&MINUTES, &HOURS, &DAYS] {
        let values = [SqlValue::Integer(1), SqlValue::Integer(9), "x".into()];
        let plan = database.run(&format!("EXPLAIN QUERY PLAN {}", table.lookup_sql()), &values).unwrap();
        let read = plan.into_iter().map(|mut row| {
            for _ in 0..3 {
                row.integer().unwrap();
            }
            row.text().unwrap()
        });
        let plan: Vec<_> = read.collect();
        assert!(plan.iter().any(|line| line.contains("SEARCH found USING PRIMARY KEY (at=? AND key=?)")), "{plan:?}");
        let scans = plan.iter().filter(|line| line.starts_with("SCAN") && !line.starts_with("SCAN wanted"));
        assert!(scans.clone().all(|line| line == "SCAN CONSTANT ROW"), "{plan:?}");
    }
}

/// An event of a usage object.
#[derive(Clone, Debug)]
enum Event {
    /// Counts are made and sent; if `held`, the isolate keeps them for now.
    Count { isolate: u8, calls: Vec<(u8, u8, u8, u8, u8)>, held: bool },
    /// A batch is sent, for the first time or again.
    Send(prop::sample::Index),
    /// Background work runs.
    Work { whole: bool },
    /// Time passes, in minutes, or the clock is set back a little.
    Wait(i16),
}

fn event() -> impl Strategy<Value = Event> {
    let call = (0u8..4, 0u8..14, 0u8..8, 1u8..5, 0u8..90);
    prop_oneof![
        6 => (0u8..3, prop::collection::vec(call, 1..6), any::<bool>())
            .prop_map(|(isolate, calls, held)| Event::Count { isolate, calls, held }),
        4 => any::<prop::sample::Index>().prop_map(Event::Send),
        2 => any::<bool>().prop_map(|whole| Event::Work { whole }),
        3 => prop_oneof![-20i16..20, 0i16..300, 1_300i16..1_700, 0i16..15_000].prop_map(Event::Wait),
    ]
}

proptest! {
    /// Batches repeat, arrive late and out of order, between roll-ups at any time.
    #[test]
    fn the_total_is_an_exact_count(events in prop::collection::vec(event(), 1..60)) {
        let database = fresh();
        let (mut exact, mut now, mut latest) = (ExactCount::default(), NOW, NOW);
        let mut made: Vec<(Batch, Timestamp)> = Vec::new();
        let mut counted = HashSet::new();
        for event in events {
            let mut sending = None;
            match event {
                Event::Count { isolate, calls, held } => {
                    let sequence = u64::try_from(made.len()).unwrap() + 1;
                    let mut batch = Batch { isolate: isolate.into(), sequence, counts: Vec::new(), last_uses: Vec::new() };
                    for (number, outcome, scopes, calls, ago) in calls {
                        let (key, at) = (key(number.into()), now.plus(-i64::from(ago) * SECOND));
                        let cell = Cell { key, minute: Step::Minute.number(at), outcome, scopes: scopes.into() };
                        batch.counts.push((cell, calls.into()));
                        batch.last_uses.push(LastUse { key, secret: u32::from(calls % 2), at });
                    }
                    made.push((batch, now));
                    sending = (!held).then(|| made.len() - 1);
                }
                Event::Send(index) => sending = (!made.is_empty()).then(|| index.index(made.len())),
                Event::Work { whole: true } => run_all(&database, now),
                Event::Work { whole: false } => drop(rollup::run(&database, now).unwrap()),
                Event::Wait(minutes) => {
                    now = now.plus(i64::from(minutes) * MINUTE).max(latest.plus(-20 * MINUTE));
                    latest = latest.max(now);
                }
            }
            if let Some((batch, at)) = sending.and_then(|index| made.get(index)) {
                match ingest(&database, batch, now) {
                    Ingested::Counted => if counted.insert(batch.sequence) {
                        exact.count(batch);
                    },
                    Ingested::TooLate => prop_assert!(now.since(*at) > 23 * HOUR + 38 * MINUTE, "refused after {}", now.since(*at)),
                    Ingested::Faulty(_) => prop_assert!(now.since(*at) > 47 * HOUR, "refused after {}", now.since(*at)),
                }
            }
        }
        for keys in [None, Some(key(0)), Some(key(3))] {
            for step in STEPS {
                // A clock set back does not undo an earlier roll-up.
                let from = step.begin(step.number(latest.plus(-step.kept_for())));
                let found: Vec<_> = kept(&database, keys, step, now).into_iter().filter(|point| point.at >= from).collect();
                let skipped = if step == Step::Minute { from.plus(HOUR) } else { from };
                let expected = exact.kept(keys, step, skipped, now);
                let found: Vec<_> = found.into_iter().filter(|point| point.at >= skipped).collect();
                prop_assert_eq!(found, expected);
            }
        }
        let keys: Vec<_> = (0..4).map(key).collect();
        let found: Vec<_> = last_uses(&database, &keys).into_iter().map(|last| ((last.key, last.secret), last.at)).collect();
        prop_assert_eq!(found, exact.last_uses.into_iter().collect::<Vec<_>>());
    }
}
