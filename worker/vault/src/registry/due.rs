//! The next thing that a workspace does by itself.

use super::{announce, idempotency, leftovers, life, outbox, staged, sweep};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::time::Timestamp;

/// After so many milliseconds the feed is told again what it could not be told.
pub const RETRY_ANNOUNCING: i64 = ownchat_domain::time::SECOND;

/// When the next thing is due that the workspace does by itself, if anything is.
pub fn next_due(database: &impl Database, now: Timestamp) -> CommandResult<Option<Timestamp>> {
    let waits = !announce::waiting(database, 0)?.is_empty();
    let announcement = waits.then(|| now.plus(RETRY_ANNOUNCING));
    let record = outbox::next_due(database)?;
    let purge = life::next_purge(database)?;
    let answer = idempotency::next_due(database)?;
    let left = leftovers::next_due(database)?;
    let file = staged::next_due(database)?;
    let sweep = sweep::next_due(database)?;
    Ok([announcement, record, purge, answer, left, file, sweep].into_iter().flatten().min())
}
