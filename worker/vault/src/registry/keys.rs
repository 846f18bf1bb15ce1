//! Commands on one key: create, read, change, delete.
//!
//! Each is one transaction over the key, its audit line, its feed entry and its KV outbox row.

use super::{
    feed_outbox,
    idempotency::IdempotentRequest,
    kv_outbox,
    members::{Member, member},
    pipeline::Confirm,
    rows::{self, KeyRow, find},
    trail::{self, AuditActor, Change},
};
use crate::{
    database::{Database, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    audit::Action,
    digest::{KeyDigest, SecretHash},
    failure::Failure,
    key::{Details, Key, KeySecret, widens_only},
    keyring::Keyring,
    locator::{KeyNumber, Locator},
    role::{Grant, Operation},
    time::Timestamp,
    transfer::SecretFacts,
    vault::{
        Origin,
        registry::{ChangeKey, Changed, CreateKey, DeleteKey, Issued, ReadKey},
    },
};
use serde_json::value::RawValue;

/// A key after a command.
#[derive(Debug)]
pub struct KeyOutcome {
    pub key: Key,
    /// True if a request that passed before may be refused now, by this change or by an earlier
    /// unpublished one.
    pub narrowed: bool,
    /// Time until which the change itself lets the old access continue.
    pub grace_until: Option<Timestamp>,
    /// True if the stored response of an earlier request is replayed.
    pub replayed: bool,
    /// Time from which the change holds everywhere, if an earlier request has determined it.
    pub effective_at: Option<Timestamp>,
}

impl KeyOutcome {
    /// Outcome of a command that changed nothing, because the key is already as requested.
    ///
    /// The time of the real change is no longer known. A retry therefore gets the latest possible
    /// `effective_at`.
    pub const fn unchanged(key: Key) -> Self {
        Self::new(key, true)
    }

    /// Outcome of a command that ran now.
    pub const fn new(key: Key, narrowed: bool) -> Self {
        Self { key, narrowed, grace_until: None, replayed: false, effective_at: None }
    }
}

impl Confirm<Changed> for KeyOutcome {
    fn confirm(self, published: CommandResult<Timestamp>) -> CommandResult<Changed> {
        let effective_at = match (self.effective_at, self.narrowed) {
            (Some(known), _) => Some(known),
            (None, false) => None,
            (None, true) => Some(published?.max(self.grace_until.unwrap_or_default())),
        };
        Ok(Changed { key: self.key, effective_at, replayed: self.replayed })
    }
}

/// The command that creates a key.
pub fn create(
    database: &impl Database,
    keyring: &Keyring,
    workspace: u32,
    command: &CreateKey,
    now: Timestamp,
) -> CommandResult<Issued> {
    let member = member(database, &command.origin.caller)?;
    member.may(Operation::CreateKey, None, None, now)?;
    let request = IdempotentRequest::of::<CreateKey>(command.once.as_ref(), &command.origin.caller, "");
    if let Some(before) = request.replay(database, now)? {
        return Ok(Issued { key: before.key, replayed: true });
    }
    let details = command.key.check(now)?;
    let reason = command.key.reason();
    member.may(Operation::CreateKey, None, Some(&Grant::of_new(&details, reason.as_deref())), now)?;
    let creation =
        KeyCreation { workspace, details, secret: command.secret, action: Action::Create, before: None, reason };
    issue(database, keyring, creation, &command.origin, &member, request, now)
}

/// A key to be created, and the content of its audit line.
pub struct KeyCreation {
    /// Workspace that will own the key.
    pub workspace: u32,
    pub details: Details,
    /// Hash of the key's secret.
    pub secret: SecretHash,
    /// Action of the audit line.
    pub action: Action,
    /// JSON of its source, for a duplicate.
    pub before: Option<Box<RawValue>>,
    /// Reason for the audit line.
    pub reason: Option<String>,
}

/// Creates a key and everything that belongs to it, in one transaction.
pub fn issue(
    database: &impl Database,
    keyring: &Keyring,
    creation: KeyCreation,
    origin: &Origin,
    member: &Member,
    request: IdempotentRequest,
    now: Timestamp,
) -> CommandResult<Issued> {
    database.transaction(|| {
        let number = database
            .first("UPDATE workspace SET last_key = max(last_key + 1, next_key) RETURNING last_key", &[])?
            .ok_or(Failure::NotFound)?
            .integer()?;
        // At one key a second the numbers last for 136 years.
        let key_number = KeyNumber {
            workspace: creation.workspace,
            number: u32::try_from(number).map_err(|_| Failure::Unavailable)?,
        };
        let locator = Locator::issue(keyring, key_number, creation.details.environment);
        let row = KeyRow {
            number,
            locator,
            details: creation.details,
            active: true,
            reason: None,
            created_at: now,
            created_by: member.created_by(),
            updated_at: now,
            version: 1,
            deleted_at: None,
            owner: member.owner(),
            secrets: vec![KeySecret { number: 1, created_at: now, ends_at: None, last_used_at: None }],
        };
        rows::keys::insert(database, &row, Some(keyring.newest().id))?;
        store_secret(database, keyring, &row, &creation.secret)?;
        let actor = AuditActor { origin: Some(origin), name: &member.name };
        let change = Change::of_key(creation.action, None, Some(&row), now)?;
        trail::append(database, actor, Change { before: creation.before, reason: creation.reason, ..change }, now)?;
        kv_outbox::enqueue(database, number, now)?;
        let key = row.to_key(now);
        request.store_response(database, &key, now)?;
        Ok(Issued { key, replayed: false })
    })
}

/// Stores the newest secret of a key.
pub fn store_secret(
    database: &impl Database,
    keyring: &Keyring,
    row: &KeyRow,
    secret: &SecretHash,
) -> DatabaseResult<()> {
    let master = keyring.newest();
    let digest = KeyDigest::of(secret, row.locator, &master.pepper);
    let Some(&KeySecret { number, created_at, ends_at, .. }) = row.secrets.last() else { return Ok(()) };
    let facts = SecretFacts { number, master: master.id, digest, created_at, ends_at };
    rows::secrets::insert(database, row.number, &facts)
}

/// The command that reads a key. A deleted key is not found.
pub fn read(database: &impl Database, command: &ReadKey, now: Timestamp) -> CommandResult<Key> {
    let member = member(database, &command.caller)?;
    let row = present(database, command.id)?;
    member.may(Operation::ReadKey, Some(&row), None, now)?;
    Ok(row.to_key(now))
}

/// The command that changes a key.
///
/// A change without effect gets no new version and no audit line. A client may therefore retry
/// after a lost or failed response.
pub fn change(database: &impl Database, command: &ChangeKey, now: Timestamp) -> CommandResult<KeyOutcome> {
    let member = member(database, &command.origin.caller)?;
    let before = present(database, command.id)?;
    let permission = if command.patch.only_deactivates() { Operation::DeactivateKey } else { Operation::ChangeKey };
    member.may(permission, Some(&before), None, now)?;
    let patch = command.patch.check(now)?;
    let (switched, reason) = (patch.active, patch.reason.clone());
    let active = switched.unwrap_or(before.active);
    let details = patch.apply(&before.details)?;
    let is_activated = active && !before.active;
    let grant = Grant::of_change(&before.details, &details, is_activated, reason.as_deref());
    member.may(permission, Some(&before), grant.as_ref(), now)?;
    let shown_reason = match switched {
        Some(true) => None,
        Some(false) => reason.clone().or_else(|| before.reason.clone()),
        // The reason of another change does not explain the status.
        None => before.reason.clone(),
    };
    let mut after = KeyRow { details, active, reason: shown_reason, ..before.clone() };
    // A retry carries the version from before its own change.
    let is_repeated = after == before && before.version == command.version + 1;
    if before.version != command.version && !is_repeated {
        // A stale version never prevents deactivation. An inactive key keeps its reason.
        match permission {
            Operation::DeactivateKey if before.active => {}
            Operation::DeactivateKey => return Ok(KeyOutcome::unchanged(before.to_key(now))),
            _ => return Err(Failure::Stale.into()),
        }
    }
    if after == before {
        return Ok(KeyOutcome::unchanged(after.to_key(now)));
    }
    let unpublished = feed_outbox::is_pending(database, Some(command.id))?;
    after.version += 1;
    after.updated_at = now;
    let action = match (before.active, after.active) {
        (false, true) => Action::Activate,
        (true, false) => Action::Deactivate,
        _ => Action::Edit,
    };
    let actor = AuditActor { origin: Some(&command.origin), name: &member.name };
    let change = Change { reason, ..Change::of_key(action, Some(&before), Some(&after), now)? };
    store(database, actor, &after, change, now)?;
    Ok(KeyOutcome::new(after.to_key(now), unpublished || narrows(&before, &after)))
}

fn narrows(before: &KeyRow, after: &KeyRow) -> bool {
    (before.active && !after.active) || !widens_only(&before.details, &after.details)
}

/// The command that deletes a key, in any version. A retry changes nothing.
///
/// The row stays: the edge sees the deletion, the trail keeps its object, and the key can be
/// restored.
pub fn delete(database: &impl Database, command: &DeleteKey, now: Timestamp) -> CommandResult<KeyOutcome> {
    let member = member(database, &command.origin.caller)?;
    let is_this = |row: &KeyRow| row.deleted_at.is_some() && row.version == command.version + 1;
    if let Some(deleted) = find(database, command.id)?.filter(is_this) {
        member.may(Operation::DeleteKey, Some(&deleted), None, now)?;
        return Ok(KeyOutcome::unchanged(deleted.to_key(now)));
    }
    let before = present(database, command.id)?;
    member.may(Operation::DeleteKey, Some(&before), None, now)?;
    let after = KeyRow { deleted_at: Some(now), version: before.version + 1, updated_at: now, ..before.clone() };
    let actor = AuditActor { origin: Some(&command.origin), name: &member.name };
    store(database, actor, &after, Change::of_key(Action::Delete, Some(&before), None, now)?, now)?;
    Ok(KeyOutcome::new(after.to_key(now), true))
}

/// Stores a changed key and everything that belongs to the change, in one transaction.
pub fn store(
    database: &impl Database,
    actor: AuditActor<'_>,
    after: &KeyRow,
    change: Change,
    now: Timestamp,
) -> CommandResult<()> {
    database.transaction(|| {
        rows::keys::update(database, after)?;
        trail::append(database, actor, change, now)?;
        // Every change is published, so that widened access takes effect at once too.
        feed_outbox::enqueue_key(database, after.locator, after.version)?;
        Ok(kv_outbox::enqueue(database, after.number, now)?)
    })
}

/// Returns the key, unless it is deleted.
pub fn present(database: &impl Database, id: Locator) -> CommandResult<KeyRow> {
    let found = find(database, id)?.filter(|row| row.deleted_at.is_none());
    Ok(found.ok_or(Failure::NotFound)?)
}

#[cfg(test)]
mod tests;
