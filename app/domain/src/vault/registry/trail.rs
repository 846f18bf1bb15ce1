//! Questions about the audit trail.

use super::super::{Call, Caller};
use crate::{
    audit::{Action, ActorId},
    failure::Failure,
    key::COUNT_MAX,
    locator::Locator,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Reads lines of the audit trail.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadTrail {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Which lines.
    pub query: TrailQuery,
}

/// Which lines of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrailQuery {
    /// Where the page before ended, as it said itself.
    pub cursor: Option<u64>,
    /// Most lines to return, 1 to 100; 50 if absent.
    pub limit: Option<u32>,
    /// Only lines about this key.
    pub key: Option<Locator>,
    /// Only what this person or key did.
    pub actor: Option<ActorId>,
    /// Only this action.
    pub action: Option<Action>,
    /// Only what was done at this time or later.
    pub from: Option<Timestamp>,
    /// Only what was done before this time.
    pub to: Option<Timestamp>,
}

/// What is said of a cursor that no page ended with.
pub const NOT_A_CURSOR: &str = "This is not a cursor of ours; start with the first page.";

impl TrailQuery {
    /// The query, unless there can be nothing that it asks for.
    pub fn check(self) -> Result<Self, Failure> {
        if self.cursor.is_some_and(|cursor| cursor > COUNT_MAX) {
            return Err(Failure::field("cursor", NOT_A_CURSOR));
        }
        Ok(self)
    }
}

/// Lines of the audit trail, the eldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailPage {
    /// Each with its hash, as [`crate::audit::verify`] takes them.
    pub lines: Vec<String>,
    /// What to ask for the next page; none on the last.
    pub next_cursor: Option<u64>,
}

impl Call for ReadTrail {
    type Answer = TrailPage;
    const NAME: &'static str = "read-trail";
}
