//! Access scopes: permissions of a key, named `resource:action`.
//!
//! One table in `scope/scopes_and_routes.rs` is the source of the picker, the catalogue, the
//! gateway's routes and the evaluator. Edge, console and browser compile the same evaluator, so the
//! form never promises other permissions than the edge enforces.

mod preset;
mod scopes_and_routes;
mod set;

pub use preset::{PRESETS, Preset};
pub use scopes_and_routes::{GROUPS, Group};
pub use set::ScopeSet;

use crate::{
    scope::scopes_and_routes::{TABLE, TEXTS},
    token::redact,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Damage that a scope can do in the wrong hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads non-personal data.
    Low,
    /// Reads personal data or makes reversible changes.
    Medium,
    /// Reaches customers, removes data, or exports much data.
    High,
}

impl Risk {
    /// Label of the risk for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "Low risk",
            Self::Medium => "Medium risk",
            Self::High => "High risk",
        }
    }
}

/// One row of the scope table.
#[derive(Debug)]
pub struct ScopeInfo {
    /// Bit in a [`ScopeSet`], 0 to 52. Assigned once and never reused for another scope.
    pub bit: u8,
    /// Stable name, `resource:action`.
    pub name: &'static str,
    /// Damage that the scope can do.
    pub risk: Risk,
    /// Name of the one scope that this one implies, if any.
    pub gives: Option<&'static str>,
    /// Gateway routes that the scope opens: method and path pattern.
    pub routes: &'static [(&'static str, &'static str)],
}

/// Texts of one row.
#[derive(Debug)]
pub struct ScopeTexts {
    /// Short title for a list.
    pub title: &'static str,
    /// One plain sentence about the access that the scope gives.
    pub description: &'static str,
}

/// A scope of the table, as its bit number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(u8);

/// The error for a name that no scope has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no scope called \"{}\".", shown(.0))]
pub struct UnknownScope(pub String);

/// Redacts and shortens a name from outside so that an error may repeat it.
fn shown(name: &str) -> String {
    redact(name).chars().take(60).collect()
}

impl Scope {
    /// Returns all scopes, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| Self(row.bit))
    }

    /// Row of the scope in the table.
    pub fn info(self) -> &'static ScopeInfo {
        // Every scope is made from a row, so a row with its bit exists.
        TABLE.iter().find(|row| row.bit == self.0).unwrap_or(&TABLE[0])
    }

    /// Texts of the scope for people.
    pub fn texts(self) -> &'static ScopeTexts {
        let place = TABLE.iter().position(|row| row.bit == self.0);
        place.and_then(|place| TEXTS.get(place)).unwrap_or(&TEXTS[0])
    }

    /// Stable name of the scope.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The scope's bit as a bit mask.
    pub const fn mask(self) -> u64 {
        1 << self.0
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        TABLE.iter().find(|row| row.name == name).map(|row| Self(row.bit)).ok_or_else(|| {
            // The name comes from outside and may have any length.
            UnknownScope(name.chars().take(60).collect())
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
