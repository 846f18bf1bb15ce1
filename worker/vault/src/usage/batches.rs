//! Takes batches in: each is counted once, and never lost once it was answered.
//!
//! A batch costs one row written, whatever is in it: what it counts waits in the row of its isolate, beside the
//! numbers of the batches that were counted, and is put into the tables later, together with what others
//! have counted.

use super::table::{MINUTES, Rows};
use crate::database::{Database, DatabaseError, DatabaseResult, Value};
use ownchat_domain::{
    time::{HOUR, Timestamp},
    usage::{AHEAD_MAX, Batch, Cell, LastUse, Seen, Sight, Step, decode, encode, latest},
};

/// How long an isolate is remembered after its last batch, in milliseconds.
pub const ISOLATE_RETENTION: i64 = 25 * HOUR;
/// A batch that was made so long before its isolate became known, in milliseconds, may have been counted when the
/// isolate was known before. The difference is for clocks: that of an isolate may be [`AHEAD_MAX`] ahead, and
/// the own may have been set back by as much as is left.
const BATCH_AGE_MAX: i64 = 24 * HOUR;
const _: () = assert!(ISOLATE_RETENTION - BATCH_AGE_MAX > AHEAD_MAX);
/// What waits for one isolate is put into the tables when it is more than so many counts.
const PENDING_MAX: usize = 1_000;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingested {
    /// It is counted, now or before.
    Counted,
    /// It comes so late that nobody knows whether it was counted. It is not counted again.
    TooLate,
    /// It cannot be what an isolate has counted, and is not counted.
    Faulty(&'static str),
}

/// Counts a batch, if it is new.
pub fn ingest(database: &impl Database, batch: &Batch, now: Timestamp) -> DatabaseResult<Ingested> {
    if let Some(fault) = batch.fault(now) {
        return Ok(Ingested::Faulty(fault));
    }
    let isolate = Value::Blob(batch.isolate.to_be_bytes().to_vec());
    database.transaction(|| {
        let stored =
            database.first("SELECT since, seen, counts FROM isolates WHERE isolate = ?", std::slice::from_ref(&isolate))?;
        let (since, mut seen, pending) = match stored {
            Some(mut row) => {
                let since = Timestamp::from_millis(row.integer()?);
                let seen = Seen::decode(&row.blob()?).ok_or_else(|| DatabaseError("not numbers of batches".into()))?;
                (since, seen, row.optional_blob()?.map(|bytes| read(&bytes)).transpose()?)
            }
            None => (now, Seen::default(), None),
        };
        if batch.made_at().is_some_and(|made| made <= since.plus(-BATCH_AGE_MAX)) {
            return Ok(Ingested::TooLate);
        }
        match seen.note(batch.sequence) {
            Sight::New => {}
            Sight::Before => return Ok(Ingested::Counted),
            Sight::Unknown => return Ok(Ingested::TooLate),
        }
        let merged = Pending::of(pending.into_iter().chain([batch.clone()]).collect());
        let mut pending = merged.len();
        let mut counts = None;
        if pending > PENDING_MAX {
            merged.flush(database)?;
            pending = 0;
        } else if pending > 0 {
            counts = Some(Value::Blob(encode(&merged.into_batch())));
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
                seen.encode().as_slice().into(),
                counts.unwrap_or(Value::Null),
            ],
        )?;
        Ok(Ingested::Counted)
    })
}

/// Notes when a secret was last used, unless it was used later.
pub fn record_last_use(database: &impl Database, LastUse { key, secret, at }: LastUse) -> DatabaseResult<()> {
    let sql = "INSERT INTO last_uses (key, secret, at) VALUES (?, ?, ?) ON CONFLICT (key, secret) \
               DO UPDATE SET at = excluded.at WHERE excluded.at > last_uses.at";
    database.run(sql, &[key.to_string().into(), secret.into(), at.millis().into()]).map(drop)
}

/// What all isolates have counted that is not in the tables yet.
pub fn pending(database: &impl Database) -> DatabaseResult<Vec<Batch>> {
    let rows = database.run("SELECT counts FROM isolates WHERE waiting > 0", &[])?;
    rows.into_iter().map(|mut row| read(&row.blob()?)).collect()
}

/// Puts into the tables what waits for at most `most` isolates. Says whether there are more.
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
                .run("UPDATE isolates SET waiting = 0, counts = NULL WHERE isolate = ?", &[Value::Blob(isolate)])?;
        }
        Pending::of(pending).flush(database)?;
        Ok(more)
    })
}

/// Forgets isolates that are quiet for long, at most `most`. Says whether there may be more.
pub fn evict_idle(database: &impl Database, most: usize, now: Timestamp) -> DatabaseResult<bool> {
    let gone = database.run(
        "DELETE FROM isolates WHERE rowid IN (SELECT rowid FROM isolates WHERE waiting = 0 AND seen_at < ? LIMIT ?) \
         RETURNING 1",
        &[now.plus(-ISOLATE_RETENTION).millis().into(), i64::try_from(most).unwrap_or(i64::MAX).into()],
    )?;
    Ok(gone.len() >= most)
}

fn read(bytes: &[u8]) -> DatabaseResult<Batch> {
    decode(bytes).ok_or_else(|| DatabaseError("not a batch".into()))
}

/// Counts of several batches, together.
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

    /// As one batch, which is how it is stored. Its isolate and number are of no use.
    fn into_batch(self) -> Batch {
        Batch { isolate: 0, sequence: 0, counts: self.counts, last_uses: self.last_uses }
    }

    /// Puts everything into the tables: counts under their key and under all keys together.
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
