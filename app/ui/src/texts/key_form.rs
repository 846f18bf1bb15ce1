//! Form that creates, duplicates or edits a key.

use super::common::{counted, isolated};

pub const DETAILS: &str = "Details";
pub const NAME: &str = "API Key Name";
pub const NAME_HINT: &str = "Which integration will use it?";
pub const DESCRIPTION: &str = "Description";
pub const DESCRIPTION_HINT: &str = "Optional. Who owns it, and where the key is kept.";

pub const ENVIRONMENT: &str = "Environment";
pub const LIVE: &str = "Live:";
pub const LIVE_HINT: &str = "real customers";
pub const TEST: &str = "Test:";
pub const TEST_HINT: &str = "sample data";

pub const EXPIRY: &str = "Expiry";
pub const DAYS_30: &str = "30 days";
pub const DAYS_90: &str = "90 days";
pub const DAYS_365: &str = "1 year";
pub const CUSTOM_DATE: &str = "Custom date";
pub const NEVER: &str = "Never expires.";
pub const NEVER_HINT: &str = "Not recommended";
/// Label of the date.
pub const LAST_DAY: &str = "Works through (UTC)";
pub const NO_DATE: &str = "Choose an expiry date.";
pub const NO_EXPIRY: &str = "Choose when the key expires.";

pub const PERMISSIONS: &str = "Access permissions";
pub const PERMISSIONS_HINT: &str = "Give only what this integration needs.";
pub const PRESETS: &str = "Start from";
/// Accessible name of the presets.
pub const PRESETS_LABEL: &str = "Start from a preset";
/// Accessible name of the scopes.
pub const SCOPES_LABEL: &str = "Access scopes";

pub const AUDIT_TRAIL: &str = "Audit trail";
pub const REASON: &str = "Note for the audit trail";
pub const REASON_HINT: &str = "Optional. Required for full access.";

/// Fields that a duplicate inherits and the form does not show.
pub const COPIED_FROM: &str = "Copied from “@”, including its restrictions, limits and notes.";
/// Difference of a duplicate, after [`COPIED_FROM`].
pub const NEW_SECRET: &str = " It gets a new secret; “@” doesn't change.";

/// Implied scope, after the description.
pub const INCLUDES_READ: &str = " Includes read.";

/// Name of the field in the error summary.
pub const SUMMARY_NAME: &str = "Name";

/// Title of the error summary.
pub fn to_fix(count: usize) -> String {
    format!("Fix {} to continue", counted(count, "problem"))
}

/// Hint of an expiry in days.
pub fn until(day: &str) -> String {
    format!("until {day}")
}

/// Choice that keeps the expiry of a key.
pub fn keep(end: &str) -> String {
    format!("Keep {end}")
}

/// Choice that keeps an expiry that has passed.
pub fn keep_expired(end: &str) -> String {
    format!("Keep {end} (expired)")
}

/// Choice that keeps a key without expiry.
pub const KEEP_NEVER: &str = "Keep no expiry";

/// Choice that gives a duplicate the expiry of its source.
pub fn same_as(name: &str, end: &str) -> String {
    format!("Same as “{}” ({end})", isolated(name.to_owned()))
}
