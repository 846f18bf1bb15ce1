//! The next thing that a workspace does by itself.

use super::{feed_outbox, idempotency, import_staging, kv_outbox, purge, purge_cleanup, sweep};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::time::Timestamp;

/// After so many milliseconds the feed is told again what it could not be told.
pub const FEED_RETRY: i64 = ownchat_domain::time::SECOND;

/// When the next thing is due that the workspace does by itself, if anything is.
pub fn next_due(database: &impl Database, now: Timestamp) -> CommandResult<Option<Timestamp>> {
    let has_pending = !feed_outbox::pending(database, 0)?.is_empty();
    let feed = has_pending.then(|| now.plus(FEED_RETRY));
    let record = kv_outbox::next_due(database)?;
    let purge = purge::next_due(database)?;
    let answer = idempotency::next_due(database)?;
    let left = purge_cleanup::next_due(database)?;
    let file = import_staging::next_due(database)?;
    let sweep = sweep::next_due(database)?;
    Ok([feed, record, purge, answer, left, file, sweep].into_iter().flatten().min())
}
