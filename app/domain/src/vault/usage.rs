//! Commands to the object with a workspace's usage counters.

use crate::{
    locator::Locator,
    scope::Scope,
    time::Timestamp,
    usage::{LastUse, Series, Step},
    verdict::Code,
};
use serde::{Deserialize, Serialize};

/// Reads usage over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReadUsage {
    /// Locator of the key; `None` for all keys of the workspace.
    pub key: Option<Locator>,
    /// Time span and filter.
    pub query: UsageQuery,
}

command!(ReadUsage, "read-usage", Series);

/// Time span and filter of a usage query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsageQuery {
    /// Start; if absent, the default span of the step before the end.
    pub from: Option<Timestamp>,
    /// End, exclusive; now if absent.
    pub to: Option<Timestamp>,
    /// Length of the steps; an hour if absent.
    pub step: Option<Step>,
    /// Only requests with this outcome.
    pub outcome: Option<Code>,
    /// Only requests that needed this scope.
    pub scope: Option<Scope>,
}

/// Records the last use of a secret at the management API, which no edge counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordLastUse {
    /// The use to record.
    pub last: LastUse,
}

command!(RecordLastUse, "note-use", ());

/// Reads the last uses of the keys' secrets that were used and are still remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadLastUses {
    /// Locators of the keys, at most [`LAST_USES_MAX`].
    pub keys: Vec<Locator>,
}

/// Maximum number of keys in one request for last uses: those of a page of a list.
pub const LAST_USES_MAX: usize = crate::key::KeyQuery::LIMIT_MAX as usize;

command!(ReadLastUses, "read-last-uses", Vec<LastUse>);
