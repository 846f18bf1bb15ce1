//! Lists of keys and of audit lines: filters, search, and pages with cursors.

use super::{
    members::member,
    rows::{self, find, keys::KeyFilter},
    trail::{LineFilter, lines},
};
use crate::{
    database::Database,
    rpc::{CommandError, CommandResult},
};
use ownchat_domain::{
    base62,
    failure::Failure,
    key::{KeyPage, KeyQuery},
    role::{Operation, Visibility},
    text::search_words,
    time::Timestamp,
    vault::registry::{ListKeys, NOT_A_CURSOR, ReadTrail, TrailPage},
};

/// Digits of a cursor; enough for every key number.
const CURSOR_LENGTH: usize = 6;

/// The command that lists keys.
pub fn list(database: &impl Database, command: &ListKeys, now: Timestamp) -> CommandResult<KeyPage> {
    let sight = member(database, &command.caller)?.principal.listed()?;
    let limit = limit(command.query.limit)?;
    let query = &command.query;
    let cursor = query.cursor.as_deref().map(number_of).transpose()?;
    let words = query.q.as_deref().map_or(Ok(Vec::new()), search_words);
    let words = words.map_err(|message| Failure::field("q", message))?;
    // One row more than the limit shows if there is another page.
    let filter = KeyFilter { query, words, sight, cursor, limit: limit + 1 };
    let mut rows = rows::keys::list(database, filter, now)?;
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

/// Reads the key number in a cursor.
fn number_of(cursor: &str) -> CommandResult<u32> {
    let number = Some(cursor).filter(|cursor| cursor.len() == CURSOR_LENGTH).and_then(base62::decode);
    let number = number.and_then(|number| u32::try_from(number).ok());
    Ok(number.ok_or_else(|| Failure::field("cursor", NOT_A_CURSOR))?)
}

/// The command that lists audit lines.
pub fn trail(database: &impl Database, command: &ReadTrail, now: Timestamp) -> CommandResult<TrailPage> {
    let member = member(database, &command.caller)?;
    let query = &command.query;
    let key = query.key.map(|id| find(database, id)).transpose()?.flatten();
    match member.may(Operation::ReadTrail, key.as_ref(), None, now) {
        // A missing key looks like somebody else's, except to callers who see all keys.
        Err(CommandError::Failure(Failure::Forbidden | Failure::ScopeMissing { .. }))
            if query.key.is_some() && key.is_none() && member.principal.sight() != Visibility::All =>
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
