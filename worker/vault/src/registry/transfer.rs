//! Export and import of a workspace as a file ([`ownchat_domain::transfer`]): exported in parts,
//! imported into an empty workspace in one transaction.

use super::{
    effective, feed_outbox, kv_outbox,
    members::member,
    pipeline::Confirm,
    rows::{self, KeyRow, time, workspace},
    trail::{self, AuditActor, Change, LineFilter, to_raw_json},
};
use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    audit::{Action, Line},
    failure::Failure,
    key::Restrictions,
    keyring::Keyring,
    role::Operation,
    time::{SECOND, Timestamp},
    transfer::{BadLine, ExportHeader, ExportLine, FORMAT, KeyFacts, LINES_MAX, Reader, SecretFacts},
    vault::{
        registry::OUTAGE_MAX,
        transfer::{ExportCursor, ExportPart, FinishImport, Imported, ReadExport, StageImport},
    },
};
use serde_json::value::RawValue;

/// Most keys or audit lines in one part of an export.
const PART: u32 = 100;
/// Approximate size limit of one part, in bytes.
const PART_BYTES: usize = 1024 * 1024;
/// Most lines of a file in memory during an import.
const PAGE: i64 = 200;

/// The command that reads the next part of an export.
pub fn read(database: &impl Database, command: &ReadExport, now: Timestamp) -> CommandResult<ExportPart> {
    let owner = member(database, &command.origin.caller)?;
    owner.may(Operation::MoveWorkspace, None, None, now)?;
    let until = last_change(database)?;
    let mut part = ExportPart { lines: Vec::new(), next: None };
    let position = match command.after {
        // Parts of two different states do not make one file.
        Some(position) if position.until != until => return Err(Failure::Stale.into()),
        Some(position) => position,
        None => {
            // An untouched workspace stays untouched, so its export is not logged.
            if !is_untouched(database)? {
                let actor = AuditActor { origin: Some(&command.origin), name: &owner.name };
                trail::append(database, actor, trail_line(Action::Export, None), now)?;
            }
            part.lines.push(ExportLine::Export(header(database)?).write());
            ExportCursor { until, key: Some(0), line: 0 }
        }
    };
    if let Some(after) = position.key {
        part.next = Some(ExportCursor { key: None, ..position });
        for key in keys(database, after)? {
            part.next = Some(ExportCursor { key: Some(key.number), ..position });
            part.lines.push(ExportLine::Key(key.into()).write());
            if is_full(&part) {
                break;
            }
        }
        return Ok(part);
    }
    let lines = trail::lines(database, &LineFilter { after: position.line, limit: PART, ..LineFilter::default() })?;
    for (number, line) in lines.into_iter().filter(|(number, _)| *number <= until) {
        part.next = Some(ExportCursor { line: number, ..position });
        let line = RawValue::from_string(line).map_err(|error| DatabaseError(error.to_string()))?;
        part.lines.push(ExportLine::Line(line).write());
        if is_full(&part) {
            break;
        }
    }
    Ok(part)
}

fn is_full(part: &ExportPart) -> bool {
    part.lines.iter().map(String::len).sum::<usize>() >= PART_BYTES
}

/// The audit line of an export or import.
fn trail_line(action: Action, after: Option<Box<RawValue>>) -> Change {
    Change { action, key: None, reason: None, before: None, after }
}

/// Returns the number of the last audit line that is a change.
fn last_change(database: &impl Database) -> DatabaseResult<u64> {
    let last = database.first(
        "SELECT sequence FROM trail WHERE action NOT IN (?, ?) AND action NOT LIKE 'session.%' \
         ORDER BY sequence DESC LIMIT 1",
        &[Action::Export.as_str().into(), Action::Import.as_str().into()],
    )?;
    let last = last.map(|mut row| row.integer()).transpose()?.unwrap_or(0);
    u64::try_from(last).map_err(|_| DatabaseError("a negative number".into()))
}

fn header(database: &impl Database) -> DatabaseResult<ExportHeader> {
    let settings = workspace(database)?;
    let mut row = database
        .first("SELECT last_key, name FROM workspace", &[])?
        .ok_or_else(|| DatabaseError("no workspace".into()))?;
    Ok(ExportHeader {
        format: FORMAT,
        workspace: settings.number,
        last_key: number(row.integer()?)?,
        name: row.text()?,
        version: settings.version,
        suspended: settings.suspended,
        outage_seconds: settings.outage_seconds,
    })
}

fn keys(database: &impl Database, after: u32) -> DatabaseResult<Vec<KeyFacts>> {
    let rows = rows::keys::after(database, after, PART)?;
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let secrets = rows::secrets::of_keys(database, first.number, last.number)?;
    let mut secrets = secrets.into_iter().peekable();
    rows.into_iter()
        .map(|row| {
            // Both lists are in the order of the keys' numbers.
            let mut of_key = Vec::new();
            while let Some((_, secret)) = secrets.next_if(|(key, _)| *key == row.number) {
                of_key.push(secret);
            }
            facts(row, of_key)
        })
        .collect()
}

fn facts(row: KeyRow, secrets: Vec<SecretFacts>) -> DatabaseResult<KeyFacts> {
    let details = row.details;
    Ok(KeyFacts {
        number: number(row.number)?,
        locator: row.locator,
        environment: details.environment,
        name: details.name,
        description: details.description,
        integration: details.integration,
        scopes: details.scopes,
        not_before: details.not_before,
        expires_at: details.expires_at,
        restrictions: Restrictions {
            allow: details.networks.allow,
            deny: details.networks.deny,
            channels: details.channels,
        },
        limits: details.limits,
        metadata: details.metadata,
        active: row.active,
        reason: row.reason,
        created_at: row.created_at,
        created_by: row.created_by,
        owner: row.owner,
        updated_at: row.updated_at,
        version: row.version,
        deleted_at: row.deleted_at,
        secrets,
    })
}

fn number(number: i64) -> DatabaseResult<u32> {
    u32::try_from(number).map_err(|_| DatabaseError("a number out of range".into()))
}

/// Stages lines of a file.
pub fn stage(database: &impl Database, command: &StageImport, now: Timestamp) -> CommandResult<()> {
    member(database, &command.origin.caller)?.may(Operation::MoveWorkspace, None, None, now)?;
    check_untouched(database)?;
    database.transaction(|| {
        if command.first <= 1 {
            database.run("DELETE FROM staged", &[])?;
        }
        let staged = database.first("SELECT coalesce(max(number), 0) FROM staged", &[])?;
        let staged = staged.map(|mut row| row.integer()).transpose()?.unwrap_or(0);
        if u64::try_from(staged).ok().map(|staged| staged + 1) != Some(command.first) {
            // A concurrent import of another file has started.
            return Err(Failure::Stale.into());
        }
        let last = staged.saturating_add(i64::try_from(command.lines.len()).unwrap_or(i64::MAX));
        if u64::try_from(last).is_ok_and(|last| last > LINES_MAX) {
            return Err(Failure::from(too_long()).into());
        }
        for (number, line) in (staged + 1..).zip(&command.lines) {
            database.run(
                "INSERT INTO staged (number, line, at) VALUES (?, ?, ?)",
                &[number.into(), line.as_str().into(), time(now)],
            )?;
        }
        Ok(())
    })
}

fn too_long() -> BadLine {
    let message = format!("A file with more than {LINES_MAX} lines cannot be read in.");
    BadLine { line: LINES_MAX + 1, message }
}

impl Confirm<Self> for Imported {
    /// Withheld until the feed has it: edges may have cached newer records of these keys.
    fn confirm(self, published: CommandResult<Timestamp>) -> CommandResult<Self> {
        published.map(|_| self)
    }
}

/// Imports the staged lines into the workspace. They are deleted afterwards, whatever the result.
pub fn finish(
    database: &impl Database,
    keyring: &Keyring,
    command: &FinishImport,
    now: Timestamp,
) -> CommandResult<Imported> {
    let owner = member(database, &command.origin.caller)?;
    owner.may(Operation::MoveWorkspace, None, None, now)?;
    check_untouched(database)?;
    let result = database.transaction(|| {
        let mut reader = Reader::new(keyring, workspace(database)?.number);
        let mut imported = Imported { keys: 0, trail: 0 };
        let mut sum = None;
        // Session events are chained behind the lines of the file.
        let events = trail::drain(database)?;
        let mut after = 0;
        loop {
            let page = database.run(
                "SELECT number, line FROM staged WHERE number > ? ORDER BY number LIMIT ?",
                &[after.into(), PAGE.into()],
            )?;
            if page.is_empty() {
                break;
            }
            for mut row in page {
                after = row.integer()?;
                match reader.take(&row.text()?).map_err(Failure::from)? {
                    ExportLine::Export(header) => import_settings(database, &header)?,
                    ExportLine::Key(key) => {
                        import_key(database, &key)?;
                        imported.keys += 1;
                    }
                    ExportLine::Line(line) => {
                        let sealed: Line =
                            serde_json::from_str(line.get()).map_err(|error| DatabaseError(error.to_string()))?;
                        trail::insert(database, &sealed)?;
                        imported.trail += 1;
                    }
                    ExportLine::End(end) => sum = Some(to_raw_json(&end)?),
                }
            }
        }
        let header = reader.finish().map_err(Failure::from)?;
        for event in events {
            trail::append_line(database, event)?;
        }
        let actor = AuditActor { origin: Some(&command.origin), name: &owner.name };
        trail::append(database, actor, trail_line(Action::Import, sum), now)?;
        feed_outbox::enqueue_all(database, header.version, now)?;
        skip_numbers(database, now)?;
        // The last outage grace period is unknown, so the longest one is assumed.
        effective::grace_period_shortened(database, OUTAGE_MAX)?;
        kv_outbox::enqueue_all(database, now)?;
        Ok(imported)
    });
    database.run("DELETE FROM staged", &[])?;
    result
}

/// The start of 2026. Key numbers used since are smaller than the seconds since.
const EPOCH_2026: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Fewest key numbers that are skipped.
const NUMBERS_SKIPPED: i64 = 1_000_000;

/// Skips key numbers that may have been used after the file was written. A reused number would
/// inherit the other key's id, usage and limits.
///
/// A second import of the same file skips them too, at up to one new key per second since the
/// first.
fn skip_numbers(database: &impl Database, now: Timestamp) -> DatabaseResult<()> {
    let seconds = now.since(EPOCH_2026) / SECOND;
    database.run("UPDATE workspace SET next_key = max(last_key + ?, ?)", &[NUMBERS_SKIPPED.into(), seconds.into()])?;
    Ok(())
}

/// Refuses unless nothing was ever done in the workspace.
fn check_untouched(database: &impl Database) -> CommandResult<()> {
    if is_untouched(database)? {
        return Ok(());
    }
    let message = "A file can be read only into a workspace in which nothing was ever done.";
    Err(Failure::field("workspace", message).into())
}

fn is_untouched(database: &impl Database) -> DatabaseResult<bool> {
    let sql = "SELECT 1 FROM workspace WHERE last_key > 0 UNION ALL \
                SELECT 1 FROM trail WHERE action NOT LIKE 'session.%' LIMIT 1";
    Ok(database.first(sql, &[])?.is_none())
}

fn import_settings(database: &impl Database, header: &ExportHeader) -> DatabaseResult<()> {
    database.run(
        "UPDATE workspace SET last_key = ?, name = ?, version = ?, suspended = ?, outage_seconds = ?",
        &[
            header.last_key.into(),
            header.name.as_str().into(),
            i64::try_from(header.version).unwrap_or(i64::MAX).into(),
            header.suspended.into(),
            header.outage_seconds.into(),
        ],
    )?;
    Ok(())
}

fn import_key(database: &impl Database, key: &KeyFacts) -> DatabaseResult<()> {
    let row = KeyRow {
        number: key.number.into(),
        locator: key.locator,
        details: key.details(),
        active: key.active,
        reason: key.reason.clone(),
        created_at: key.created_at,
        created_by: key.created_by.clone(),
        owner: key.owner,
        updated_at: key.updated_at,
        version: key.version,
        deleted_at: key.deleted_at,
        secrets: key.shown_secrets(),
    };
    rows::keys::insert(database, &row, None)?;
    for secret in &key.secrets {
        rows::secrets::insert(database, row.number, secret)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
