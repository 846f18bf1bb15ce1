//! Lists of keys: filters, order, cursor and pages.

use super::Key;
use crate::{environment::Environment, scope::Scope};
use serde::{Deserialize, Serialize};

/// Order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Newest key first.
    #[default]
    Newest,
    /// Oldest key first.
    Oldest,
}

/// Filter by status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusFilter {
    /// Keys that are accepted now.
    Active,
    /// Keys that are refused now and not deleted.
    Inactive,
    /// Deleted keys that can be restored.
    Deleted,
}

impl StatusFilter {
    /// Every filter, in display order.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Deleted];

    /// Returns the word in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
        }
    }
}

/// Query for a list of keys: filters, order and page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyQuery {
    /// Cursor from the previous page.
    pub cursor: Option<String>,
    /// Maximum keys to return, 1 to 100; 50 if absent.
    pub limit: Option<u32>,
    /// Search words. Each must occur in name, id or description, in any order.
    ///
    /// The search ignores case and Unicode form. The text of a whole key matches by its id.
    pub q: Option<String>,
    /// Status of the keys; absent for all keys that are not deleted.
    pub status: Option<StatusFilter>,
    /// Scope that the keys must have.
    pub scope: Option<Scope>,
    /// Environment of the keys.
    pub environment: Option<Environment>,
    /// Order of the list.
    pub sort: Sort,
}

impl KeyQuery {
    /// Maximum keys of one page.
    pub const LIMIT_MAX: u32 = 100;
    /// Default keys of one page.
    pub const LIMIT_DEFAULT: u32 = 50;
}

/// One page of a list of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    /// Keys in the requested order.
    pub data: Vec<Key>,
    /// Cursor of the next page; absent on the last one.
    pub next_cursor: Option<String>,
}
