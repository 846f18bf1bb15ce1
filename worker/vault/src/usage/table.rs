//! The tables of counts by minute, hour and day. One row holds many steps, since rows are billed.

use crate::database::{Database, DatabaseResult, SqlValue};
use ownchat_domain::{
    locator::Locator,
    time::Timestamp,
    usage::{Span, Step, Sum, Sums},
};
use std::collections::BTreeMap;

/// A table of counts.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Length of one step.
    pub step: Step,
    /// Steps in one row.
    ///
    /// A row is deleted as a whole, so its first step outlives its retention by almost that much.
    /// Deleting it earlier would rewrite the rows of all keys at every step.
    per_row: i64,
}

/// The last 48 hours.
pub const MINUTES: Table = Table { name: "minutes", step: Step::Minute, per_row: 60 };
/// The last 60 days, without those 48 hours.
pub const HOURS: Table = Table { name: "hours", step: Step::Hour, per_row: 24 };
/// The last two years, without those 60 days.
pub const DAYS: Table = Table { name: "days", step: Step::Day, per_row: 32 };

/// Rows to add to a table, by `at` and key; `None` is all keys together. Steps of the sums are
/// numbered within the row.
pub type Rows = BTreeMap<(i64, Option<Locator>), Sums>;

/// Encodes a key as it is stored.
pub fn key_value(key: Option<Locator>) -> SqlValue {
    SqlValue::Text(key.map(|key| key.to_string()).unwrap_or_default())
}

impl Table {
    /// Returns the row of a time, and the step within it.
    pub fn locate(&self, moment: Timestamp) -> (i64, i64) {
        let number = self.step.number(moment);
        (number.div_euclid(self.per_row), number.rem_euclid(self.per_row))
    }

    /// Returns the start of a step in a row.
    pub fn begin(&self, at: i64, step: i64) -> Timestamp {
        self.step.begin(at.saturating_mul(self.per_row).saturating_add(step))
    }

    /// Returns the first row within the retention.
    pub fn first_retained(&self, now: Timestamp) -> i64 {
        self.locate(now.plus(-self.step.kept_for())).0
    }

    /// Returns the time at which the oldest row leaves the retention, if there is one.
    pub fn next_due(&self, database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
        let row = database.first(&format!("SELECT min(at) FROM {}", self.name), &[])?;
        let oldest = row.map(|mut row| row.optional_integer()).transpose()?.flatten();
        Ok(oldest.map(|at| self.begin(at.saturating_add(1), 0).plus(self.step.kept_for())))
    }

    /// Adds counts to the stored ones.
    pub fn add(&self, database: &impl Database, rows: Rows) -> DatabaseResult<()> {
        let read = format!("SELECT counts FROM {} WHERE at = ? AND key = ?", self.name);
        let write = format!(
            "INSERT INTO {} (at, key, counts) VALUES (?, ?, ?) ON CONFLICT (at, key) DO UPDATE SET counts = excluded.counts",
            self.name
        );
        for ((at, key), more) in rows {
            let (at, key) = (SqlValue::Integer(at), key_value(key));
            let sums = match database.first(&read, &[at.clone(), key.clone()])? {
                Some(mut row) => {
                    let mut sums = decode(&row.blob()?)?;
                    more.iter().for_each(|sum| sums.add(sum.step, sum));
                    sums
                }
                None => more,
            };
            database.run(&write, &[at, key, SqlValue::Blob(sums.encode()?)])?;
        }
        Ok(())
    }

    /// Returns at most `most` rows before `end`, oldest first.
    pub fn oldest(
        &self,
        database: &impl Database,
        end: i64,
        most: usize,
    ) -> DatabaseResult<Vec<(i64, Option<Locator>, Sums)>> {
        let sql = format!("SELECT at, key, counts FROM {} WHERE at < ? ORDER BY at, key LIMIT ?", self.name);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found = database.run(&sql, &[end.into(), most.into()])?.into_iter().map(|mut row| {
            let (at, key, counts) = (row.integer()?, row.text()?, row.blob()?);
            Ok((at, key.parse().ok(), decode(&counts)?))
        });
        found.collect()
    }

    /// Deletes the oldest rows up to this one.
    pub fn remove_up_to(&self, database: &impl Database, at: i64, key: Option<Locator>) -> DatabaseResult<()> {
        let sql = format!("DELETE FROM {} WHERE (at, key) <= (?, ?)", self.name);
        database.run(&sql, &[at.into(), key_value(key)]).map(|_| ())
    }

    /// Returns the SQL that reads the rows of a key from one `at` to another. It looks each row up
    /// by its key, since a range would scan the rows of all keys.
    pub fn lookup_sql(&self) -> String {
        format!(
            "WITH RECURSIVE wanted (at) AS (
                SELECT max(?, (SELECT min(at) FROM {table})) UNION ALL SELECT at + 1 FROM wanted WHERE at < ?
            ) SELECT found.at, found.counts FROM wanted CROSS JOIN {table} AS found
            ON found.at = wanted.at AND found.key = ?",
            table = self.name
        )
    }

    /// Calls `each` with the start of every step in the span and its sum, for one key or all
    /// together.
    pub fn read(
        &self,
        database: &impl Database,
        key: Option<Locator>,
        span: &Span,
        mut each: impl FnMut(Timestamp, &Sum),
    ) -> DatabaseResult<()> {
        let (first, last) = (self.locate(span.from).0, self.locate(span.to.plus(-1)).0);
        for mut row in database.run(&self.lookup_sql(), &[first.into(), last.into(), key_value(key)])? {
            let (at, counts) = (row.integer()?, decode(&row.blob()?)?);
            for sum in counts.iter() {
                let moment = self.begin(at, sum.step);
                if span.contains(moment) {
                    each(moment, sum);
                }
            }
        }
        Ok(())
    }
}

fn decode(bytes: &[u8]) -> DatabaseResult<Sums> {
    Ok(Sums::decode(bytes)?)
}
