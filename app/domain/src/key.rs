//! A key as admins know it: what they say of it, what is shown of it, and its state at a time.

mod draft;
mod list;

pub use draft::{Details, DetailsPatch, KeyPatch, NewKey};
pub use list::{KeyPage, KeyQuery, Sort};

use crate::{locator::Locator, scope::ScopeSet, time::Timestamp, token::Environment};
use serde::{Deserialize, Serialize};

/// Most characters of a key's name.
pub const NAME_MAX: usize = 100;
/// Most characters of a key's description.
pub const DESCRIPTION_MAX: usize = 500;
/// Farthest expiry, in milliseconds from now: ten years of 365.25 days.
pub const EXPIRY_MAX: i64 = 3_652 * crate::time::DAY + crate::time::DAY / 2;

/// Whether a key works, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Calls with it are let through, within its scopes.
    Active,
    /// Calls with it are refused; the reason stands beside it.
    Inactive,
}

/// Why a key is inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// An admin has deactivated it.
    Deactivated,
    /// Its expiry has passed.
    Expired,
}

impl Reason {
    /// The reason as a word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deactivated => "Deactivated",
            Self::Expired => "Expired",
        }
    }
}

/// The state of a key at `now`, from the facts. The one place where it is decided for people.
pub fn state(active: bool, expires_at: Option<Timestamp>, now: Timestamp) -> (Status, Option<Reason>) {
    if !active {
        (Status::Inactive, Some(Reason::Deactivated))
    } else if expires_at.is_some_and(|end| now >= end) {
        (Status::Inactive, Some(Reason::Expired))
    } else {
        (Status::Active, None)
    }
}

/// A key as the management API shows it. There is nothing secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id: the locator.
    pub id: Locator,
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Which world it opens.
    pub environment: Environment,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Whether it works now.
    pub status: Status,
    /// Why not, if not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The part of the key's text that may be shown.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Name of who made it.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts its changes, from 1. Its `ETag`.
    pub version: u64,
    /// From when on it is refused, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Key {
    /// The entity tag (RFC 9110) of this state of the key.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

/// The version that an `If-Match` header names, if it is one of our entity tags.
pub fn version_of_etag(tag: &str) -> Option<u64> {
    tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_from_the_facts() {
        let now = Timestamp::from_millis(1_000);
        for (active, expires_at, state_then) in [
            (true, None, (Status::Active, None)),
            (true, Some(1_001), (Status::Active, None)),
            (true, Some(1_000), (Status::Inactive, Some(Reason::Expired))),
            (false, None, (Status::Inactive, Some(Reason::Deactivated))),
            (false, Some(1), (Status::Inactive, Some(Reason::Deactivated))),
        ] {
            assert_eq!(state(active, expires_at.map(Timestamp::from_millis), now), state_then);
        }
    }

    #[test]
    fn entity_tags_are_strong_and_numeric() {
        assert_eq!(version_of_etag("\"12\""), Some(12));
        for tag in ["12", "W/\"12\"", "*", "\"\"", "\"x\"", "\"12"] {
            assert_eq!(version_of_etag(tag), None, "{tag}");
        }
    }
}
