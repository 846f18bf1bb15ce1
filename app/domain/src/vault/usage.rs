//! Questions to the object that remembers how a workspace uses its keys.

use super::Call;
use crate::{
    locator::Locator,
    scope::Scope,
    time::Timestamp,
    usage::{LastUse, Series, Step},
    verdict::Code,
};
use serde::{Deserialize, Serialize};

/// Asks how much was called, over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReadUsage {
    /// With which key; none for all keys of the workspace together.
    pub key: Option<Locator>,
    /// When, and which calls.
    pub query: UsageQuery,
}

impl Call for ReadUsage {
    type Answer = Series;
    const NAME: &'static str = "read-usage";
}

/// Which calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsageQuery {
    /// From this time on; if absent, as much before the end as is usual for the step.
    pub from: Option<Timestamp>,
    /// Before this time; if absent, until now.
    pub to: Option<Timestamp>,
    /// The length of the steps; an hour if absent.
    pub step: Option<Step>,
    /// Only calls with this outcome.
    pub outcome: Option<Code>,
    /// Only calls that needed this scope.
    pub scope: Option<Scope>,
}

/// Notes when a secret was last used at the management API, where no edge counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoteUse {
    /// The use.
    pub last: LastUse,
}

impl Call for NoteUse {
    type Answer = ();
    const NAME: &'static str = "note-use";
}

/// Asks when the secrets of keys were last used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadLastUses {
    /// The keys, at most [`LAST_USES_MAX`].
    pub keys: Vec<Locator>,
}

/// Most keys of one question for last uses: those of a page of a list.
pub const LAST_USES_MAX: usize = crate::key::KeyQuery::LIMIT_MAX as usize;

impl Call for ReadLastUses {
    /// Of each secret that was used and has not been forgotten.
    type Answer = Vec<LastUse>;
    const NAME: &'static str = "read-last-uses";
}
