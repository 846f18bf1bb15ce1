//! Ingestion of batches: each is counted exactly once, and durable once acknowledged.
//!
//! A batch costs one row written, whatever its size. Its counts are merged into the row of its
//! isolate, beside the sequence numbers that were counted. A later flush merges the counts of many
//! isolates into the tables.

use super::table::{MINUTES, Rows};
use crate::database::{Database, DatabaseResult, SqlValue};
use ownchat_domain::{
    time::{HOUR, Timestamp},
    usage::{AHEAD_MAX, Batch, BatchStatus, Cell, LastUse, Seen, Step, decode, encode, latest},
};

/// Retention of an isolate's row after its last batch, in milliseconds.
pub const ISOLATE_RETENTION: i64 = 25 * HOUR;
/// A batch made this long before its isolate's row, in milliseconds, may have been counted in a
/// former row.
///
/// The difference to the retention allows for clocks. An isolate's may be [`AHEAD_MAX`] ahead; our
/// own may have been set back by the rest.
const BATCH_AGE_MAX: i64 = 24 * HOUR;
const _: () = assert!(ISOLATE_RETENTION - BATCH_AGE_MAX > AHEAD_MAX);
/// Counts of one isolate are flushed once there are more than this many.
const PENDING_MAX: usize = 1_000;

/// Result of an ingestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingested {
    /// Counted, now or before.
    Counted,
    /// Too late to know if it was counted. It is not counted again.
    TooLate,
    /// Invalid, and not counted.
    Faulty(&'static str),
}

/// Counts a batch, if it is new.
pub fn ingest(database: &impl Database, batch: &Batch, now: Timestamp) -> DatabaseResult<Ingested> {
    if let Some(fault) = batch.fault(now) {
        return Ok(Ingested::Faulty(fault));
    }
    let isolate = SqlValue::Blob(batch.isolate.to_be_bytes().to_vec());
    database.transaction(|| {
        let stored =
            database.first("SELECT since, seen, counts FROM isolates WHERE isolate = ?", std::slice::from_ref(&isolate))?;
        let (since, mut seen, pending) = match stored {
            Some(mut row) => {
                let since = Timestamp::from_millis(row.integer()?);
                let seen = Seen::decode(&row.blob()?)?;
                (since, seen, row.optional_blob()?.map(|bytes| read(&bytes)).transpose()?)
            }
            None => (now, Seen::default(), None),
        };
        if batch.made_at().is_some_and(|made| made <= since.plus(-BATCH_AGE_MAX)) {
            return Ok(Ingested::TooLate);
        }
        match seen.note(batch.sequence) {
            BatchStatus::New => {}
            BatchStatus::Before => return Ok(Ingested::Counted),
            BatchStatus::Unknown => return Ok(Ingested::TooLate),
        }
        let merged = Pending::of(pending.into_iter().chain([batch.clone()]).collect());
        let mut pending = merged.len();
        let mut counts = None;
        if pending > PENDING_MAX {
            merged.flush(database)?;
            pending = 0;
        } else if pending > 0 {
            counts = Some(SqlValue::Blob(encode(&merged.into_batch())?));
        }
        database.run(
            "INSERT INTO isolates (isolate, since, seen_at, waiting, seen, counts) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (isolate) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at), waiting = excluded.waiting, seen = excluded.seen, \
             counts = excluded.counts",
            &[
                isolate,
                since.millis().into(),
                now.millis().into(),
                i64::try_from(pending).unwrap_or(i64::MAX).into(),
                seen.encode()?.as_slice().into(),
                counts.unwrap_or(SqlValue::Null),
            ],
        )?;
        Ok(Ingested::Counted)
    })
}

/// Stores the last use of a secret, unless a later one is stored.
pub fn record_last_use(database: &impl Database, LastUse { key, secret, at }: LastUse) -> DatabaseResult<()> {
    let sql = "INSERT INTO last_uses (key, secret, at) VALUES (?, ?, ?) ON CONFLICT (key, secret) \
               DO UPDATE SET at = excluded.at WHERE excluded.at > last_uses.at";
    database.run(sql, &[key.to_string().into(), secret.into(), at.millis().into()]).map(drop)
}

/// Returns the pending counts of all isolates.
pub fn pending(database: &impl Database) -> DatabaseResult<Vec<Batch>> {
    let rows = database.run("SELECT counts FROM isolates WHERE waiting > 0", &[])?;
    rows.into_iter().map(|mut row| read(&row.blob()?)).collect()
}

/// Flushes the pending counts of at most `most` isolates. Returns true if there are more.
pub fn flush(database: &impl Database, most: usize) -> DatabaseResult<bool> {
    database.transaction(|| {
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let rows = database.run("SELECT isolate, counts FROM isolates WHERE waiting > 0 LIMIT ?", &[limit.into()])?;
        let more = rows.len() > most;
        let mut pending = Vec::with_capacity(most);
        for mut row in rows.into_iter().take(most) {
            let isolate = row.blob()?;
            pending.push(read(&row.blob()?)?);
            database
                .run("UPDATE isolates SET waiting = 0, counts = NULL WHERE isolate = ?", &[SqlValue::Blob(isolate)])?;
        }
        Pending::of(pending).flush(database)?;
        Ok(more)
    })
}

/// Deletes the rows of at most `most` idle isolates. Returns true if there may be more.
pub fn evict_idle(database: &impl Database, most: usize, now: Timestamp) -> DatabaseResult<bool> {
    let gone = database.run(
        "DELETE FROM isolates WHERE rowid IN (SELECT rowid FROM isolates WHERE waiting = 0 AND seen_at < ? LIMIT ?) \
         RETURNING 1",
        &[now.plus(-ISOLATE_RETENTION).millis().into(), i64::try_from(most).unwrap_or(i64::MAX).into()],
    )?;
    Ok(gone.len() >= most)
}

fn read(bytes: &[u8]) -> DatabaseResult<Batch> {
    Ok(decode(bytes)?)
}

/// Merged counts of several batches.
struct Pending {
    counts: Vec<(Cell, u64)>,
    last_uses: Vec<LastUse>,
}

impl Pending {
    fn of(batches: Vec<Batch>) -> Self {
        let (mut counts, mut last_uses) = (Vec::new(), Vec::new());
        for batch in batches {
            counts.extend(batch.counts);
            last_uses.extend(batch.last_uses);
        }
        counts.sort_unstable_by_key(|(cell, _)| *cell);
        counts.dedup_by(|(cell, more), (before, calls)| {
            let same = cell == before;
            if same {
                *calls = calls.saturating_add(*more);
            }
            same
        });
        Self { counts, last_uses: latest(last_uses) }
    }

    fn len(&self) -> usize {
        self.counts.len() + self.last_uses.len()
    }

    /// Returns the counts as one batch, the form in which they are stored. Isolate and sequence
    /// number are unused.
    fn into_batch(self) -> Batch {
        Batch { isolate: 0, sequence: 0, counts: self.counts, last_uses: self.last_uses }
    }

    /// Adds all counts to the tables, under their key and under all keys together.
    fn flush(self, database: &impl Database) -> DatabaseResult<()> {
        let mut rows = Rows::new();
        for (cell, calls) in &self.counts {
            let (at, minute) = MINUTES.locate(Step::Minute.begin(cell.minute));
            for key in [Some(cell.key), None] {
                rows.entry((at, key)).or_default().count(minute, cell.outcome, cell.scopes, *calls);
            }
        }
        MINUTES.add(database, rows)?;
        self.last_uses.into_iter().try_for_each(|last| record_last_use(database, last))
    }
}
