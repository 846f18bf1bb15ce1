//! The commands that read and change the settings of a workspace.

use super::{
    effective, feed_outbox, kv_outbox,
    members::member,
    pipeline::Confirm,
    trail::{self, AuditActor, Change, to_raw_json},
};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    audit::Action,
    failure::Failure,
    key::DESCRIPTION_MAX,
    role::Operation,
    text,
    time::Timestamp,
    vault::registry::{ChangeSettings, ChangedSettings, OUTAGE_MAX, ReadSettings, Settings},
};

/// Reads the settings.
pub fn read(database: &impl Database, command: &ReadSettings, now: Timestamp) -> CommandResult<Settings> {
    member(database, &command.caller)?.may(Operation::ReadSettings, None, None, now)?;
    settings(database)
}

fn settings(database: &impl Database) -> CommandResult<Settings> {
    let row = database.first("SELECT name, version, suspended, outage_seconds FROM workspace", &[])?;
    let mut row = row.ok_or(Failure::NotFound)?;
    Ok(Settings {
        name: row.text()?,
        version: u64::try_from(row.integer()?).unwrap_or(0),
        suspended: row.integer()? != 0,
        outage_seconds: u32::try_from(row.integer()?).unwrap_or(0),
    })
}

/// The settings after a command.
#[derive(Debug)]
pub struct SettingsOutcome {
    pub settings: Settings,
    /// True if a request that passed before may be refused now, by this change or by an earlier
    /// unpublished one.
    pub narrowed: bool,
}

impl Confirm<ChangedSettings> for SettingsOutcome {
    fn confirm(self, published: CommandResult<Timestamp>) -> CommandResult<ChangedSettings> {
        let effective_at = self.narrowed.then_some(published).transpose()?;
        Ok(ChangedSettings { settings: self.settings, effective_at })
    }
}

/// Changes the settings, and queues every record for resealing.
pub fn change(database: &impl Database, command: &ChangeSettings, now: Timestamp) -> CommandResult<SettingsOutcome> {
    let member = member(database, &command.origin.caller)?;
    member.may(Operation::ChangeSettings, None, None, now)?;
    let before = settings(database)?;
    if let Some(seconds) = command.outage_seconds.filter(|seconds| *seconds > OUTAGE_MAX) {
        let message = format!("{seconds} s is too long; at most {OUTAGE_MAX} s are possible.");
        return Err(Failure::field("outage_seconds", message).into());
    }
    let reason = command.reason.as_deref().map(|reason| text::paragraph(reason, DESCRIPTION_MAX)).transpose();
    let reason = reason.map_err(|message| Failure::field("reason", message))?.filter(|reason| !reason.is_empty());
    let mut after = Settings {
        suspended: command.suspended.unwrap_or(before.suspended),
        outage_seconds: command.outage_seconds.unwrap_or(before.outage_seconds),
        ..before.clone()
    };
    let is_repeated = after == before && before.version == command.version + 1;
    // A stale version never prevents suspension.
    let only_suspends = command.suspended == Some(true) && command.outage_seconds.is_none();
    if before.version != command.version && !is_repeated && !only_suspends {
        return Err(Failure::Stale.into());
    }
    if after == before {
        // As with a key, a retry gets the latest possible `effective_at`.
        return Ok(SettingsOutcome { settings: after, narrowed: true });
    }
    let unpublished = feed_outbox::is_pending(database, None)?;
    after.version += 1;
    let narrowed =
        unpublished || (after.suspended && !before.suspended) || after.outage_seconds < before.outage_seconds;
    database.transaction(|| -> CommandResult<()> {
        database.run(
            "UPDATE workspace SET version = ?, suspended = ?, outage_seconds = ?",
            &[
                i64::try_from(after.version).unwrap_or(i64::MAX).into(),
                after.suspended.into(),
                after.outage_seconds.into(),
            ],
        )?;
        if after.outage_seconds < before.outage_seconds {
            effective::grace_period_shortened(database, before.outage_seconds)?;
        }
        let change = Change {
            action: Action::EditWorkspace,
            key: None,
            reason,
            before: Some(to_raw_json(&before)?),
            after: Some(to_raw_json(&after)?),
        };
        trail::append(database, AuditActor { origin: Some(&command.origin), name: &member.name }, change, now)?;
        feed_outbox::enqueue_workspace(database, after.version)?;
        Ok(kv_outbox::enqueue_all(database, now)?)
    })?;
    Ok(SettingsOutcome { settings: after, narrowed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{
        feed_outbox::pending,
        rows::record,
        testing::{NOW, OWNER, STRANGER, count, create, new_key, origin, publish_all, workspace},
    };
    use ownchat_domain::feed::{Affected, Entry};

    fn command(version: u64, suspended: Option<bool>, outage_seconds: Option<u32>) -> ChangeSettings {
        ChangeSettings { origin: origin(OWNER), version, suspended, outage_seconds, reason: Some("why".into()) }
    }

    #[test]
    fn a_suspension_reaches_every_record_and_the_feed() {
        let database = workspace();
        let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        database.run("DELETE FROM outbox", &[]).unwrap();
        let SettingsOutcome { settings: after, narrowed } =
            change(&database, &command(1, Some(true), None), NOW).unwrap();
        assert!(after.suspended && narrowed && after.version == 2);
        let record = record(&database, key.id, NOW).unwrap().unwrap();
        assert!(record.workspace.suspended && record.workspace.version == 2);
        assert_eq!(pending(&database, 7).unwrap(), [Entry { subject: Affected::Workspace(7), version: 2 }]);
        assert_eq!((count(&database, "outbox"), count(&database, "trail")), (1, 2));
        assert!(change(&database, &command(2, Some(true), None), NOW).unwrap().narrowed, "retried");
        let same = change(&database, &command(1, Some(true), None), NOW).unwrap();
        assert!(same.narrowed && same.settings.version == 2, "retried with the former version");
        assert_eq!(change(&database, &command(1, Some(false), None), NOW).unwrap_err(), Failure::Stale.into());
        publish_all(&database, NOW);
        assert!(change(&database, &command(2, Some(true), None), NOW).unwrap().narrowed, "retried");
        assert!(
            !change(&database, &command(2, Some(false), None), NOW).unwrap().narrowed,
            "lifting a suspension narrows nothing"
        );
    }

    #[test]
    fn a_stale_version_does_not_prevent_suspension() {
        let database = workspace();
        let SettingsOutcome { settings: after, narrowed } =
            change(&database, &command(9, Some(true), None), NOW).unwrap();
        assert!(after.suspended && narrowed);
    }

    #[test]
    fn invalid_stale_or_foreign_changes_are_refused() {
        let database = workspace();
        assert_eq!(change(&database, &command(1, Some(false), Some(0)), NOW).unwrap().settings.version, 1);
        for (suspended, outage) in [(Some(false), None), (Some(true), Some(1)), (None, Some(1))] {
            assert_eq!(change(&database, &command(9, suspended, outage), NOW).unwrap_err(), Failure::Stale.into());
        }
        assert!(change(&database, &command(1, None, Some(OUTAGE_MAX + 1)), NOW).is_err());
        let foreign = ChangeSettings { origin: origin(STRANGER), ..command(1, Some(true), None) };
        assert_eq!(change(&database, &foreign, NOW).unwrap_err(), Failure::NotFound.into());
        assert_eq!(count(&database, "trail"), 0);
    }
}
