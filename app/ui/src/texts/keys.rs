//! List of keys.

use super::common::counted;
use ownchat_domain::key::Key;

/// Accessible name of the table.
pub const CAPTION: &str = "API keys of this workspace";
pub const COLUMN_NAME: &str = "API Key Name";
pub const COLUMN_SCOPE: &str = "Access Scope";
pub const COLUMN_STATUS: &str = "Status";
pub const COLUMN_CREATED: &str = "Created Date";
pub const COLUMN_ACTIONS: &str = "Actions";
/// Creator of a key, after its date.
pub const BY: &str = "by @";

pub const SEARCH_HINT: &str = "Search name, id or description";
pub const SEARCH: &str = "Search";
pub const FILTER_STATUS: &str = "Status";
pub const FILTER_ALL: &str = "All keys";
pub const FILTER_DELETED: &str = "Recently deleted";
pub const NEXT: &str = "Next";

pub const NO_MATCH: &str = "No keys match.";
pub const CLEAR_SEARCH: &str = "Clear search";
pub const PAGE_EMPTY: &str = "This page has no keys any more.";
pub const FIRST_PAGE: &str = "Show the first page";

pub const ACTIVE: &str = "Active";
pub const INACTIVE: &str = "Inactive";

pub const EDIT: &str = "Edit";
pub const DUPLICATE: &str = "Duplicate";
pub const ACTIVATE: &str = "Activate";
pub const DEACTIVATE: &str = "Deactivate";
/// Error of a form with another status.
pub const STATUS_UNKNOWN: &str = "Choose active or inactive.";

pub const EMPTY_HEADING: &str = "Create your first API key";
pub const EMPTY_TEXT: &str =
    "A key lets one system call Ownchat, like a CRM that reads contacts or a shop that sends messages.";
pub const EMPTY_BUTTON: &str = "Create your first key";
/// Practices that keep keys safe.
pub const PRACTICES: [&str; 5] = [
    "Shown once. We keep only a fingerprint, so copy it when you create it.",
    "Keep it out of code. Use a secret manager or an environment variable.",
    "One key per integration, so you can turn one off without breaking the rest.",
    "Delete keys you no longer use.",
    "Watch how your keys are used.",
];

pub fn no_match(search: &str) -> String {
    format!("No keys match “{search}”.")
}

/// Number of keys on the page.
pub fn count(keys: usize, is_part: bool) -> String {
    let keys = counted(keys, "key");
    if is_part { format!("{keys} on this page.") } else { format!("{keys}.") }
}

/// Number of scopes that a row does not name.
pub fn more_scopes(count: usize) -> String {
    format!("+{count}")
}

pub fn expires(day: &str) -> String {
    format!("Expires {day}")
}

pub fn expired(day: &str) -> String {
    format!("Expired {day}")
}

pub fn starts(day: &str) -> String {
    format!("Starts {day}")
}

/// Name of a control in a row, for a screen reader.
pub fn control(verb: &str, name: &str) -> String {
    format!("{verb} {name}")
}

/// Name of a key that shares its name with another.
pub fn disambiguated(key: &Key) -> String {
    format!("{} ({}, {})", key.name, key.id, key.created_at.day_in_utc())
}
