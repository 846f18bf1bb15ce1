//! An in-memory usage object, and an exact count to compare it with.

use super::{batches, batches::Ingested, queries, rollup, schema};
use crate::database::{Database, memory::MemoryDatabase};
use ownchat_domain::{
    locator::Locator,
    time::Timestamp,
    usage::{Batch, Cell, LastUse, Parts, Point, Span, Step},
    vault::usage::{ReadLastUses, ReadUsage, UsageQuery},
};
use std::collections::BTreeMap;

/// 2026-11-23T16:46:48Z
pub const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

pub fn fresh() -> MemoryDatabase {
    let database = MemoryDatabase::open();
    schema::apply(&database).unwrap();
    database
}

pub fn key(number: u32) -> Locator {
    format!("{number:016}").parse().unwrap()
}

/// A batch of requests with one key in the minute of `at`, where one secret was last used.
pub fn batch(isolate: u64, sequence: u64, key: Locator, calls: &[(u8, u64, u64)], at: Timestamp) -> Batch {
    let minute = Step::Minute.number(at);
    let counts = calls
        .iter()
        .map(|(outcome, scopes, calls)| (Cell { key, minute, outcome: *outcome, scopes: *scopes }, *calls))
        .collect();
    Batch { isolate, sequence, counts, last_uses: vec![LastUse { key, secret: 1, at }] }
}

pub fn ingest(database: &MemoryDatabase, batch: &Batch, now: Timestamp) -> Ingested {
    batches::ingest(database, batch, now).unwrap()
}

/// Runs all due work.
pub fn run_all(database: &MemoryDatabase, now: Timestamp) {
    while rollup::run(database, now).unwrap() {}
}

/// Counts the rows of a table.
pub fn rows(database: &MemoryDatabase, table: &str) -> i64 {
    database.first(&format!("SELECT count(*) FROM {table}"), &[]).unwrap().unwrap().integer().unwrap()
}

/// Returns all retained counts by this step, queried day by day.
pub fn kept(database: &MemoryDatabase, key: Option<Locator>, step: Step, now: Timestamp) -> Vec<Point> {
    let oldest = step.begin(step.number(now.plus(-step.kept_for())));
    let end = step.begin(step.number(now) + 1);
    let mut points = Vec::new();
    let mut from = oldest;
    while from < end {
        let to = from.plus(1_400 * step.millis()).min(end);
        let query = UsageQuery { from: Some(from), to: Some(to), step: Some(step), ..UsageQuery::default() };
        let series = queries::usage(database, &ReadUsage { key, query }, now).unwrap();
        assert_eq!(series.span, Span { from, to, step });
        points.extend(series.points);
        from = to;
    }
    points
}

/// Returns the sum of all retained counts by this step.
pub fn total(database: &MemoryDatabase, key: Option<Locator>, step: Step, now: Timestamp) -> u64 {
    kept(database, key, step, now)
        .iter()
        .flat_map(|point| point.outcomes.iter().map(|(_, calls)| *calls).collect::<Vec<_>>())
        .sum()
}

pub fn last_uses(database: &MemoryDatabase, keys: &[Locator]) -> Vec<LastUse> {
    queries::last_uses(database, &ReadLastUses { keys: keys.to_vec() }).unwrap()
}

/// An exact count.
#[derive(Default)]
pub struct ExactCount {
    pub cells: Vec<(Cell, u64)>,
    pub last_uses: BTreeMap<(Locator, u32), Timestamp>,
}

impl ExactCount {
    pub fn count(&mut self, batch: &Batch) {
        self.cells.extend(&batch.counts);
        for LastUse { key, secret, at } in &batch.last_uses {
            let last = self.last_uses.entry((*key, *secret)).or_insert(*at);
            *last = (*last).max(*at);
        }
    }

    /// Returns the counts that [`kept`] must return for steps from `from` on.
    pub fn kept(&self, key: Option<Locator>, step: Step, from: Timestamp, now: Timestamp) -> Vec<Point> {
        let end = step.begin(step.number(now) + 1);
        let mut points: BTreeMap<Timestamp, [BTreeMap<u8, u64>; 2]> = BTreeMap::new();
        for (cell, calls) in self.cells.iter().filter(|(cell, _)| key.is_none_or(|key| key == cell.key)) {
            let at = step.begin(step.number(Step::Minute.begin(cell.minute)));
            if at < from || at >= end {
                continue;
            }
            let [outcomes, scopes] = points.entry(at).or_default();
            *outcomes.entry(cell.outcome).or_default() += calls;
            for bit in (0..64).filter(|bit| cell.scopes >> bit & 1 == 1) {
                *scopes.entry(bit).or_default() += calls;
            }
        }
        let parts = |map: BTreeMap<u8, u64>| map.into_iter().collect::<Parts>();
        points
            .into_iter()
            .map(|(at, [outcomes, scopes])| Point { at, outcomes: parts(outcomes), scopes: parts(scopes) })
            .collect()
    }
}
