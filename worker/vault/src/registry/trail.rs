//! The audit trail: one line per change, written in the change's transaction and chained to the
//! line before it. *No line, no change.*

use super::rows::{KeyRow, time};
use crate::{
    database::{Database, DatabaseError, DatabaseResult, SqlValue},
    rpc::CommandResult,
};
use ownchat_domain::{
    audit::{Action, ActorId, BEGINNING, Line, seal},
    locator::Locator,
    time::Timestamp,
    vault::Origin,
};
use serde_json::value::RawValue;

/// The actor of a command.
#[derive(Clone, Copy, Debug)]
pub struct AuditActor<'a> {
    /// Origin of the command; `None` for a task of the vault.
    pub origin: Option<&'a Origin>,
    /// Name of the person or the key.
    pub name: &'a str,
}

/// The actor fields of a line.
#[derive(Clone, Copy, Debug)]
pub struct LineActor<'a> {
    /// Id of the actor; `None` if unknown, and for the vault.
    pub actor: Option<ActorId>,
    pub name: &'a str,
    /// Client IP of the caller.
    pub address: &'a str,
    pub request_id: &'a str,
}

/// The actor of the vault's own tasks.
pub const VAULT: AuditActor<'static> = AuditActor { origin: None, name: "Ownchat" };

/// The content of one line.
#[derive(Debug)]
pub struct Change {
    pub action: Action,
    /// The key that was changed.
    pub key: Option<Locator>,
    pub reason: Option<String>,
    /// JSON before the change.
    pub before: Option<Box<RawValue>>,
    /// JSON after the change.
    pub after: Option<Box<RawValue>>,
}

impl Change {
    /// Returns the change of one key.
    pub fn of_key(
        action: Action,
        before: Option<&KeyRow>,
        after: Option<&KeyRow>,
        now: Timestamp,
    ) -> DatabaseResult<Self> {
        let json = |row: Option<&KeyRow>| row.map(|row| to_raw_json(&row.to_key(now))).transpose();
        Ok(Self {
            action,
            key: before.or(after).map(|row| row.locator),
            reason: None,
            before: json(before)?,
            after: json(after)?,
        })
    }
}

/// Serializes a value for a line.
pub fn to_raw_json(value: &impl serde::Serialize) -> DatabaseResult<Box<RawValue>> {
    serde_json::value::to_raw_value(value).map_err(|error| DatabaseError(error.to_string()))
}

/// Appends the line of a command.
pub fn append(database: &impl Database, actor: AuditActor<'_>, change: Change, now: Timestamp) -> CommandResult<()> {
    let source = LineActor {
        actor: actor.origin.map(|origin| origin.caller.actor()),
        name: actor.name,
        address: actor.origin.map_or("", |origin| &origin.address),
        request_id: actor.origin.map_or("", |origin| &origin.request_id),
    };
    append_from(database, &source, change, now)
}

/// Appends a line with these actor fields.
pub fn append_from(
    database: &impl Database,
    source: &LineActor<'_>,
    change: Change,
    now: Timestamp,
) -> CommandResult<()> {
    let (sequence, previous) = last(database)?;
    let line = Line {
        sequence: sequence + 1,
        at: now.into(),
        actor: source.actor,
        actor_name: source.name.to_owned(),
        action: change.action,
        key: change.key,
        reason: change.reason,
        before: change.before,
        after: change.after,
        address: source.address.to_owned(),
        request_id: source.request_id.to_owned(),
        previous,
    };
    Ok(insert(database, &line)?)
}

/// Inserts a line that continues the chain.
pub fn insert(database: &impl Database, line: &Line) -> DatabaseResult<()> {
    let (text, hash) = seal(line);
    database.run(
        "INSERT INTO trail (sequence, at, actor, action, key, hash, line) VALUES (?, ?, ?, ?, ?, ?, ?)",
        &[
            i64::try_from(line.sequence).unwrap_or(i64::MAX).into(),
            time(line.at.moment()),
            line.actor.map(|actor| actor.to_string()).into(),
            line.action.as_str().into(),
            line.key.map(|key| key.to_string()).into(),
            hash.into(),
            text.into(),
        ],
    )?;
    Ok(())
}

/// Removes and returns all lines, to be chained again behind others.
pub fn drain(database: &impl Database) -> DatabaseResult<Vec<Line>> {
    let rows = database.run("DELETE FROM trail RETURNING line", &[])?;
    let mut lines = rows
        .into_iter()
        .map(|mut row| serde_json::from_str(&row.text()?).map_err(|error| DatabaseError(error.to_string())))
        .collect::<DatabaseResult<Vec<Line>>>()?;
    lines.sort_unstable_by_key(|line| line.sequence);
    Ok(lines)
}

/// Chains a line to the end.
pub fn append_line(database: &impl Database, line: Line) -> DatabaseResult<()> {
    let (sequence, previous) = last(database)?;
    insert(database, &Line { sequence: sequence + 1, previous, ..line })
}

/// Returns the last action on a key, if there is one.
pub fn last_action(database: &impl Database, key: Locator) -> DatabaseResult<Option<Action>> {
    let sql = "SELECT action FROM trail WHERE key = ? ORDER BY sequence DESC LIMIT 1";
    let row = database.first(sql, &[key.to_string().into()])?;
    Ok(row.map(|mut row| row.text()).transpose()?.and_then(|action| Action::parse(&action)))
}

/// Returns number and hash of the last line.
fn last(database: &impl Database) -> DatabaseResult<(u64, String)> {
    match database.first("SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1", &[])? {
        Some(mut row) => {
            let sequence = u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative number".into()))?;
            Ok((sequence, row.text()?))
        }
        None => Ok((0, BEGINNING.to_owned())),
    }
}

/// Chains the lines of the first version's trail, and drops its table. All or nothing.
pub fn migrate_first(database: &impl Database) -> DatabaseResult<()> {
    if database.first("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit'", &[])?.is_none() {
        return Ok(());
    }
    database.transaction(|| {
        let rows = database.run(
            "SELECT at, audit.person, coalesce(name, ''), address, request_id, action, key, before, after \
             FROM audit LEFT JOIN members ON members.person = audit.person ORDER BY sequence",
            &[],
        )?;
        for mut row in rows {
            let (sequence, previous) = last(database)?;
            let at = Timestamp::from_millis(row.integer()?);
            let actor: Option<ActorId> = row.text()?.parse().ok();
            let (actor_name, address, request_id) = (row.text()?, row.text()?, row.text()?);
            let action = Action::parse(&row.text()?).ok_or_else(|| DatabaseError("an unknown action".into()))?;
            let key = row.text()?.parse().ok();
            let json = |text: Option<String>| {
                text.map(RawValue::from_string).transpose().map_err(|error| DatabaseError(error.to_string()))
            };
            let (before, after) = (json(row.optional_text()?)?, json(row.optional_text()?)?);
            let line = Line {
                sequence: sequence + 1,
                at: at.into(),
                actor,
                actor_name,
                action,
                key,
                reason: None,
                before,
                after,
                address,
                request_id,
                previous,
            };
            insert(database, &line)?;
        }
        database.run("DROP TABLE audit", &[])?;
        Ok(())
    })
}

/// Filter of audit lines.
#[derive(Debug, Default)]
pub struct LineFilter {
    /// Lines after this one.
    pub after: u64,
    /// Most lines.
    pub limit: u32,
    /// Lines of this key only.
    pub key: Option<Locator>,
    /// Lines of this actor only.
    pub actor: Option<ActorId>,
    /// Lines of this action only.
    pub action: Option<Action>,
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}

/// Returns the matching lines with their numbers, oldest first.
pub fn lines(database: &impl Database, filter: &LineFilter) -> DatabaseResult<Vec<(u64, String)>> {
    let mut conditions = vec!["sequence > ?"];
    let mut values: Vec<SqlValue> = vec![i64::try_from(filter.after).unwrap_or(i64::MAX).into()];
    let mut only = |condition: &'static str, value: Option<SqlValue>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(value);
        }
    };
    only("key = ?", filter.key.map(|key| key.to_string().into()));
    only("actor = ?", filter.actor.map(|actor| actor.to_string().into()));
    only("action = ?", filter.action.map(|action| action.as_str().into()));
    only("at >= ?", filter.from.map(time));
    only("at < ?", filter.to.map(time));
    values.push(filter.limit.into());
    let sql = format!("SELECT sequence, line FROM trail WHERE {} ORDER BY sequence LIMIT ?", conditions.join(" AND "));
    let rows = database.run(&sql, &values)?.into_iter();
    rows.map(|mut row| Ok((u64::try_from(row.integer()?).unwrap_or(0), row.text()?))).collect()
}

#[cfg(test)]
mod tests;
