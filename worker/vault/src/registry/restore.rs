//! The command that restores a deleted key, and the one that reads it.

use super::{
    feed_outbox,
    keys::{KeyOutcome, store},
    members::member,
    rows::{KeyRow, find},
    trail::{self, AuditActor, Change},
};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    audit::Action,
    failure::Failure,
    key::{Key, RESTORE_WITHIN},
    role::{Grant, Operation},
    time::Timestamp,
    vault::registry::{ReadDeleted, RestoreKey},
};

/// Reads a deleted key that can be restored.
pub fn read_deleted(database: &impl Database, command: &ReadDeleted, now: Timestamp) -> CommandResult<Key> {
    let member = member(database, &command.caller)?;
    let can_be_restored = |row: &KeyRow| row.deleted_at.is_some_and(|at| now.since(at) < RESTORE_WITHIN);
    let row = find(database, command.id)?.filter(can_be_restored).ok_or(Failure::NotFound)?;
    member.may(Operation::ReadKey, Some(&row), None, now)?;
    Ok(row.to_key(now))
}

/// Restores a deleted key. A retry changes nothing.
pub fn restore(database: &impl Database, command: &RestoreKey, now: Timestamp) -> CommandResult<KeyOutcome> {
    let member = member(database, &command.origin.caller)?;
    let before = find(database, command.id)?.ok_or(Failure::NotFound)?;
    let may_come_back = match before.deleted_at {
        Some(deleted_at) => now.since(deleted_at) < RESTORE_WITHIN,
        None => trail::last_action(database, command.id)? == Some(Action::Restore),
    };
    if !may_come_back {
        return Err(Failure::NotFound.into());
    }
    let grant = Grant::again(&before.details);
    member.may(Operation::RestoreKey, Some(&before), Some(&grant), now)?;
    if before.deleted_at.is_none() {
        return Ok(KeyOutcome::unchanged(before.to_key(now)));
    }
    let unpublished = feed_outbox::is_pending(database, Some(command.id))?;
    let after = KeyRow { deleted_at: None, version: before.version + 1, updated_at: now, ..before.clone() };
    let actor = AuditActor { origin: Some(&command.origin), name: &member.name };
    store(database, actor, &after, Change::of_key(Action::Restore, Some(&before), Some(&after), now)?, now)?;
    Ok(KeyOutcome::new(after.to_key(now), unpublished))
}

#[cfg(test)]
mod tests;
