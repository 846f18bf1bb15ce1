//! Lists of keys: what can be asked and what comes back.

use super::Key;
use crate::{scope::Scope, token::Environment};
use serde::{Deserialize, Serialize};

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The youngest key first.
    #[default]
    Newest,
    /// The eldest key first.
    Oldest,
}

/// Keys of which status to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusFilter {
    /// Those that are accepted now.
    Active,
    /// Those that are refused now and not deleted.
    Inactive,
    /// Those that are deleted and can be restored.
    Deleted,
}

impl StatusFilter {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Deleted];

    /// The word in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
        }
    }
}

/// Which keys to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyQuery {
    /// Where the page before ended, as it said itself.
    pub cursor: Option<String>,
    /// Most keys to return, 1 to 100; 50 if absent.
    pub limit: Option<u32>,
    /// Words that must stand in name, id or description, in any order, case and form of their
    /// letters; of a whole key its id.
    pub q: Option<String>,
    /// Only keys of this status; absent for all that are not deleted.
    pub status: Option<StatusFilter>,
    /// Only keys that were given this scope.
    pub scope: Option<Scope>,
    /// Only keys of this world.
    pub environment: Option<Environment>,
    /// The order.
    pub sort: Sort,
}

impl KeyQuery {
    /// Most keys of one page.
    pub const LIMIT_MAX: u32 = 100;
    /// Keys of one page when nobody says how many.
    pub const LIMIT_DEFAULT: u32 = 50;
}

/// One page of a list of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    /// The keys, in the order asked for.
    pub data: Vec<Key>,
    /// What to ask for the next page; none on the last.
    pub next_cursor: Option<String>,
}
