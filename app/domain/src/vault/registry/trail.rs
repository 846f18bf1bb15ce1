//! Queries of the audit trail.

use super::super::Caller;
use crate::{
    audit::{Action, ActorId},
    failure::Failure,
    key::COUNT_MAX,
    locator::Locator,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Reads a page of the audit trail.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadTrail {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Filter and page.
    pub query: TrailQuery,
}

/// Filter and page of an audit trail query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailQuery {
    /// Cursor from the previous page.
    pub cursor: Option<u64>,
    /// Page size, 1 to 100; 50 if absent.
    pub limit: Option<u32>,
    /// Only entries about this key.
    pub key: Option<Locator>,
    /// Only actions of this person or key.
    pub actor: Option<ActorId>,
    /// Only entries with this action.
    pub action: Option<Action>,
    /// Only entries from this time on.
    pub from: Option<Timestamp>,
    /// Only entries before this time.
    pub to: Option<Timestamp>,
}

/// Error message for a cursor that no page returned.
pub const NOT_A_CURSOR: &str = "This is not a cursor of ours; start with the first page.";

impl TrailQuery {
    /// Validates the query.
    ///
    /// # Errors
    ///
    /// Fails if no page can have returned the cursor.
    pub fn check(self) -> Result<Self, Failure> {
        if self.cursor.is_some_and(|cursor| cursor > COUNT_MAX) {
            return Err(Failure::field("cursor", NOT_A_CURSOR));
        }
        Ok(self)
    }
}

/// A page of the audit trail, oldest entry first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailPage {
    /// Entries with their hashes, as [`crate::audit::verify`] takes them.
    pub lines: Vec<String>,
    /// Cursor of the next page; `None` on the last page.
    pub next_cursor: Option<u64>,
}

command!(ReadTrail, "read-trail", TrailPage, caller);
