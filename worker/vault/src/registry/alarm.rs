//! Time of the next alarm of a workspace.

use super::{feed_outbox, idempotency, import_staging, kv_outbox, purge, purge_cleanup, sweep};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::time::Timestamp;

/// Retry interval of publications to the feed, in milliseconds.
pub const FEED_RETRY: i64 = ownchat_domain::time::SECOND;

/// Returns the time at which the next background work is due, if there is any.
pub fn next_due(database: &impl Database, now: Timestamp) -> CommandResult<Option<Timestamp>> {
    let has_pending = !feed_outbox::pending(database, 0)?.is_empty();
    let feed = has_pending.then(|| now.plus(FEED_RETRY));
    let record = kv_outbox::next_due(database)?;
    let purge = purge::next_due(database)?;
    let response = idempotency::next_due(database)?;
    let clean_up = purge_cleanup::next_due(database)?;
    let import = import_staging::next_due(database)?;
    let sweep = sweep::next_due(database)?;
    Ok([feed, record, purge, response, clean_up, import, sweep].into_iter().flatten().min())
}
