//! Roll-up of counts: flushes pending counts, merges minutes into hours and hours into days, and
//! deletes counts older than two years. Whole rows are deleted, so up to 31 days later.
//!
//! Counts move between tables in a transaction, and each is in exactly one table. Queries are
//! therefore exact at any time.

use super::{
    batches,
    table::{DAYS, HOURS, MINUTES, Rows, Table, key_value},
};
use crate::database::{Database, DatabaseResult};
use ownchat_domain::time::{MINUTE, Timestamp};

/// Pending counts are flushed after this long, in milliseconds.
pub const FLUSH_AFTER: i64 = 5 * MINUTE;
/// Most isolates, and most rows of each table, in one run.
const ISOLATE_BATCH: usize = 10;
const ROW_BATCH: usize = 500;

/// Runs a bounded part of the due work. Returns true if there is more.
pub fn run(database: &impl Database, now: Timestamp) -> DatabaseResult<bool> {
    let more = [
        batches::flush(database, ISOLATE_BATCH)?,
        roll_up(database, &MINUTES, &HOURS, now)?,
        roll_up(database, &HOURS, &DAYS, now)?,
        drop_expired(database, now)?,
        batches::evict_idle(database, ROW_BATCH, now)?,
    ];
    Ok(more.contains(&true))
}

/// Returns the time of the next due work, if there is any.
pub fn next_due(database: &impl Database, now: Timestamp) -> DatabaseResult<Option<Timestamp>> {
    let row = database.first("SELECT max(waiting), min(seen_at) FROM isolates", &[])?;
    let (pending, quiet) = match row {
        Some(mut row) => (row.optional_integer()?.unwrap_or(0), row.optional_integer()?),
        None => (0, None),
    };
    let flush = (pending > 0).then(|| now.plus(FLUSH_AFTER));
    let evict = quiet.map(|millis| Timestamp::from_millis(millis).plus(batches::ISOLATE_RETENTION + 1));
    let tables = [MINUTES.next_due(database)?, HOURS.next_due(database)?, DAYS.next_due(database)?];
    Ok(tables.into_iter().chain([flush, evict]).flatten().min())
}

/// Moves counts past their retention in `from` to the longer steps of `to`.
fn roll_up(database: &impl Database, from: &Table, to: &Table, now: Timestamp) -> DatabaseResult<bool> {
    database.transaction(|| {
        let due = from.oldest(database, from.first_retained(now), ROW_BATCH)?;
        let Some((last_at, last_key, _)) = due.last() else { return Ok(false) };
        from.remove_up_to(database, *last_at, *last_key)?;
        let mut rows = Rows::new();
        for (at, key, sums) in &due {
            for sum in sums.iter() {
                let (row, step) = to.locate(from.begin(*at, sum.step));
                rows.entry((row, *key)).or_default().add(step, sum);
            }
        }
        to.add(database, rows)?;
        Ok(due.len() == ROW_BATCH)
    })
}

/// Deletes rows with only counts older than two years, and last uses as old.
fn drop_expired(database: &impl Database, now: Timestamp) -> DatabaseResult<bool> {
    database.transaction(|| {
        let due = DAYS.oldest(database, DAYS.first_retained(now), ROW_BATCH)?;
        let Some((last_at, last_key, _)) = due.last() else { return Ok(false) };
        DAYS.remove_up_to(database, *last_at, *last_key)?;
        for (at, key, _) in due.iter().filter(|(_, key, _)| key.is_some()) {
            let end = DAYS.begin(at.saturating_add(1), 0).millis();
            database.run("DELETE FROM last_uses WHERE key = ? AND at < ?", &[key_value(*key), end.into()])?;
        }
        Ok(due.len() == ROW_BATCH)
    })
}
