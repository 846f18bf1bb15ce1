//! The command that ends a key's old secrets before their grace period is over.

use super::{
    keys::{KeyOutcome, present, store},
    members::member,
    rows::secrets,
    trail::{AuditActor, Change},
};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{audit::Action, role::Operation, time::Timestamp, vault::registry::EndOldSecrets};

/// Ends every secret but the newest at once.
pub fn end_old_secrets(database: &impl Database, command: &EndOldSecrets, now: Timestamp) -> CommandResult<KeyOutcome> {
    let member = member(database, &command.origin.caller)?;
    let before = present(database, command.id)?;
    member.may(Operation::EndOldSecrets, Some(&before), None, now)?;
    let mut after = before.with_secrets_ending_by(now, now);
    if let (Some(newest), Some(was)) = (after.secrets.last_mut(), before.secrets.last()) {
        newest.ends_at = was.ends_at;
    }
    if after.secrets == before.secrets {
        return Ok(KeyOutcome::unchanged(before.to_key(now)));
    }
    let actor = AuditActor { origin: Some(&command.origin), name: &member.name };
    database.transaction(|| {
        secrets::set_ends(database, after.number, &after.secrets)?;
        let change = Change::of_key(Action::EndSecret, Some(&before), Some(&after), now)?;
        store(database, actor, &after, change, now)
    })?;
    Ok(KeyOutcome::new(after.to_key(now), true))
}
