//! Lists of keys and of audit lines: filters, search, and pages with cursors.

use super::{
    members::member,
    rows::{COLUMNS, KeyRow, find, scope_bits, time},
    search_text::has_word,
    trail::{LineFilter, lines},
};
use crate::{
    database::{Database, Value},
    rpc::{CommandError, CommandResult},
};
use ownchat_domain::{
    base62,
    failure::Failure,
    key::{KeyPage, KeyQuery, RESTORE_WITHIN, Sort, StatusFilter},
    role::{Command, Sight},
    scope::ScopeSet,
    text::search_words,
    time::Timestamp,
    vault::registry::{ListKeys, NOT_A_CURSOR, ReadTrail, TrailPage},
};

/// SQL condition of a working key, as [`ownchat_domain::key::state`] defines it. Both parameters
/// are the current time.
const WORKING: &str =
    "(active = 1 AND (not_before IS NULL OR not_before <= ?) AND (expires_at IS NULL OR expires_at > ?))";
const NOT_WORKING: &str =
    "NOT (active = 1 AND (not_before IS NULL OR not_before <= ?) AND (expires_at IS NULL OR expires_at > ?))";

/// Digits of a cursor; enough for every key number.
const CURSOR_LENGTH: usize = 6;

/// The command that lists keys.
pub fn list(database: &impl Database, command: &ListKeys, now: Timestamp) -> CommandResult<KeyPage> {
    let sight = member(database, &command.caller)?.principal.listed()?;
    let limit = limit(command.query.limit)?;
    let (sql, mut values) = statement(&command.query, sight, now)?;
    // One row more than the limit shows if there is another page.
    values.push(Value::from(limit + 1));
    let mut rows = database
        .run(&sql, &values)?
        .into_iter()
        .map(|row| KeyRow::read(database, row))
        .collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows
        .last()
        .filter(|_| more)
        .and_then(|row| Some(base62::encode(u128::try_from(row.number).ok()?, CURSOR_LENGTH)));
    Ok(KeyPage { data: rows.iter().map(|row| row.to_key(now)).collect(), next_cursor })
}

fn limit(requested: Option<u32>) -> CommandResult<u32> {
    match requested {
        None => Ok(KeyQuery::LIMIT_DEFAULT),
        Some(limit @ 1..=KeyQuery::LIMIT_MAX) => Ok(limit),
        Some(_) => Err(Failure::field("limit", format!("Ask for 1 to {} at a time.", KeyQuery::LIMIT_MAX)).into()),
    }
}

fn statement(query: &KeyQuery, sight: Sight, now: Timestamp) -> CommandResult<(String, Vec<Value>)> {
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    match query.status {
        None => conditions.push("deleted_at IS NULL"),
        Some(StatusFilter::Active) => {
            conditions.extend(["deleted_at IS NULL", WORKING]);
            values.extend([time(now), time(now)]);
        }
        Some(StatusFilter::Inactive) => {
            conditions.extend(["deleted_at IS NULL", NOT_WORKING]);
            values.extend([time(now), time(now)]);
        }
        Some(StatusFilter::Deleted) => {
            conditions.push("deleted_at > ?");
            values.push(time(now.plus(-RESTORE_WITHIN)));
        }
    }
    match sight {
        Sight::All => {}
        Sight::Of(person) => {
            conditions.push("owner = ?");
            values.push(person.to_string().into());
        }
        Sight::One(id) => {
            conditions.push("locator = ?");
            values.push(id.to_string().into());
        }
        Sight::Nothing => conditions.push("FALSE"),
    }
    if let Some(cursor) = &query.cursor {
        let number = Some(cursor)
            .filter(|cursor| cursor.len() == CURSOR_LENGTH)
            .and_then(|cursor| base62::decode(cursor))
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| Failure::field("cursor", NOT_A_CURSOR))?;
        conditions.push(match query.sort {
            Sort::Newest => "number < ?",
            Sort::Oldest => "number > ?",
        });
        values.push(number.into());
    }
    let words = query.q.as_deref().map_or(Ok(Vec::new()), search_words);
    for word in words.map_err(|message| Failure::field("q", message))? {
        conditions.push(has_word(&word));
        values.push(word.into());
    }
    if let Some(scope) = query.scope {
        conditions.push("(scopes & ?) != 0");
        values.push(scope_bits(ScopeSet::from_iter([scope])));
    }
    if let Some(environment) = query.environment {
        conditions.push("environment = ?");
        values.push(environment.as_str().into());
    }
    let order = match query.sort {
        Sort::Newest => "DESC",
        Sort::Oldest => "ASC",
    };
    let sql = format!("SELECT {COLUMNS} FROM keys WHERE {} ORDER BY number {order} LIMIT ?", conditions.join(" AND "));
    Ok((sql, values))
}

/// The command that lists audit lines.
pub fn trail(database: &impl Database, command: &ReadTrail, now: Timestamp) -> CommandResult<TrailPage> {
    let member = member(database, &command.caller)?;
    let query = &command.query;
    let key = query.key.map(|id| find(database, id)).transpose()?.flatten();
    match member.may(Command::ReadTrail, key.as_ref(), None, now) {
        // A missing key looks like somebody else's, except to callers who see all keys.
        Err(CommandError::Failure(Failure::Forbidden | Failure::ScopeMissing { .. }))
            if query.key.is_some() && key.is_none() && member.principal.sight() != Sight::All =>
        {
            return Err(Failure::NotFound.into());
        }
        allowed => allowed?,
    }
    let limit = limit(query.limit)?;
    let filter = LineFilter {
        after: query.cursor.unwrap_or(0),
        // One row more than the limit shows if there is another page.
        limit: limit + 1,
        key: query.key,
        actor: query.actor,
        action: query.action,
        from: query.from,
        to: query.to,
    };
    let mut lines = lines(database, &filter)?;
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let next_cursor = lines.last().filter(|_| more).map(|(sequence, _)| *sequence);
    Ok(TrailPage { lines: lines.into_iter().map(|(_, line)| line).collect(), next_cursor })
}

#[cfg(test)]
mod tests;
