//! Purge: deletes keys for good once they can no longer be restored.

use super::{
    purge_cleanup,
    rows::{self, find},
    scheduled_tasks::{self, ScheduledTask},
    trail::{self, Change, VAULT},
};
use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{audit::Action, key::RESTORE_WITHIN, locator::Locator, time::Timestamp};

/// Most keys that are purged in one batch; the rest follow with the next.
const BATCH: i64 = 100;

/// Result of a purge.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Keys that were purged.
    pub keys: Vec<Locator>,
    /// Errors, for the log.
    pub errors: Vec<String>,
}

/// Purges keys that were deleted too long ago: row and digests go, the trail stays.
///
/// A failed key blocks no other; the purge is retried with back-off.
pub fn purge(database: &impl Database, now: Timestamp) -> CommandResult<Purged> {
    let mut purged = Purged::default();
    if scheduled_tasks::schedule(database, ScheduledTask::Purge)?.due_at > now {
        return Ok(purged);
    }
    for (number, locator) in rows::keys::deleted_by(database, now.plus(-RESTORE_WITHIN), BATCH)? {
        match remove(database, number, &locator, now) {
            Ok(key) => purged.keys.push(key),
            Err(error) => purged.errors.push(format!("purge: key {locator}: {error:?}")),
        }
    }
    if purged.errors.is_empty() {
        scheduled_tasks::succeeded(database, ScheduledTask::Purge, now)?;
    } else {
        scheduled_tasks::failed(database, ScheduledTask::Purge, now)?;
    }
    Ok(purged)
}

fn remove(database: &impl Database, number: i64, locator: &str, now: Timestamp) -> CommandResult<Locator> {
    let locator = locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
    let key = find(database, locator)?.ok_or_else(|| DatabaseError("no such key".into()))?;
    database.transaction(|| {
        trail::append(database, VAULT, Change::of_key(Action::Purge, Some(&key), None, now)?, now)?;
        rows::secrets::delete(database, number, None)?;
        database.run("DELETE FROM outbox WHERE key = ?", &[number.into()])?;
        rows::keys::delete(database, number)?;
        purge_cleanup::enqueue_key(database, locator, now)?;
        Ok(locator)
    })
}

/// Returns the time of the next purge, if any key is deleted.
pub fn next_due(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    let Some(oldest) = rows::keys::first_deletion(database)? else { return Ok(None) };
    let due = oldest.plus(RESTORE_WITHIN);
    Ok(Some(due.max(scheduled_tasks::schedule(database, ScheduledTask::Purge)?.due_at)))
}

#[cfg(test)]
mod tests;
