//! The audit trail: one row for every change, written in the change's own transaction.

use super::rows::{KeyRow, time};
use crate::{answer::Done, database::Database, database::DatabaseError};
use ownchat_domain::{time::Timestamp, vault::Origin};

/// What was done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Create,
    /// Something but its being active was changed.
    Edit,
    /// It was switched on.
    Activate,
    /// It was switched off.
    Deactivate,
    /// It was deleted.
    Delete,
}

impl Action {
    /// The action that leads from one state to the other.
    pub fn of(before: &KeyRow, after: &KeyRow) -> Self {
        match (before.active, after.active) {
            (false, true) => Self::Activate,
            (true, false) => Self::Deactivate,
            _ => Self::Edit,
        }
    }

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "key.create",
            Self::Edit => "key.edit",
            Self::Activate => "key.activate",
            Self::Deactivate => "key.deactivate",
            Self::Delete => "key.delete",
        }
    }
}

/// Writes down who did what to which key, and what it was like before and after.
pub fn append(
    database: &impl Database,
    origin: &Origin,
    action: Action,
    before: Option<&KeyRow>,
    after: Option<&KeyRow>,
    now: Timestamp,
) -> Done<()> {
    let key = before.or(after).map(|row| row.locator.to_string()).unwrap_or_default();
    database.run(
        "INSERT INTO audit (at, person, address, request_id, action, key, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            time(now),
            origin.person.to_string().into(),
            origin.address.as_str().into(),
            origin.request_id.as_str().into(),
            action.as_str().into(),
            key.into(),
            before.map(|row| snapshot(row, now)).transpose()?.into(),
            after.map(|row| snapshot(row, now)).transpose()?.into(),
        ],
    )?;
    Ok(())
}

fn snapshot(row: &KeyRow, now: Timestamp) -> Result<String, DatabaseError> {
    serde_json::to_string(&row.shown(now)).map_err(|error| DatabaseError(error.to_string()))
}
