//! Access scopes: what a key may do, as `resource:action`.
//!
//! Everything that speaks of scopes is made from the one table in `scope/table.rs`: the picker, the
//! catalogue, the gateway's routes and the evaluator. The evaluator is compiled into the edge, the
//! console and the browser alike, so that what the form promises is what the edge enforces.

mod preset;
mod set;
mod table;

pub use preset::{PRESETS, Preset};
pub use set::ScopeSet;
pub use table::{GROUPS, Group};

use crate::{
    scope::table::{TABLE, TEXTS},
    token::redact,
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How much harm a scope can do in the wrong hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads what is not personal.
    Low,
    /// Reads personal data or changes what can be changed back.
    Medium,
    /// Reaches customers, removes data, or lets much data out.
    High,
}

impl Risk {
    /// The risk as a word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "Low risk",
            Self::Medium => "Medium risk",
            Self::High => "High risk",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct ScopeInfo {
    /// Bit in a [`ScopeSet`], 0 to 52. Given once and never to another scope.
    pub bit: u8,
    /// Its stable name, `resource:action`.
    pub name: &'static str,
    /// How much harm it can do.
    pub risk: Risk,
    /// Name of the one scope that it gives as well, if any.
    pub gives: Option<&'static str>,
    /// Gateway routes that it opens: method and path pattern.
    pub routes: &'static [(&'static str, &'static str)],
}

/// The texts of one row.
#[derive(Debug)]
pub struct ScopeTexts {
    /// A few words for a list.
    pub title: &'static str,
    /// One plain sentence that says what the scope allows.
    pub description: &'static str,
}

/// One scope of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(u8);

/// There is no scope of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no scope called \"{}\".", shown(.0))]
pub struct UnknownScope(pub String);

/// A name that somebody made up, as far as it may be repeated.
fn shown(name: &str) -> String {
    redact(name).chars().take(60).collect()
}

impl Scope {
    /// Every scope, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| Self(row.bit))
    }

    /// Its row of the table.
    pub fn info(self) -> &'static ScopeInfo {
        // A scope is only made from a row, so there is one with its bit.
        TABLE.iter().find(|row| row.bit == self.0).unwrap_or(&TABLE[0])
    }

    /// Its texts for people.
    pub fn texts(self) -> &'static ScopeTexts {
        let place = TABLE.iter().position(|row| row.bit == self.0);
        place.and_then(|place| TEXTS.get(place)).unwrap_or(&TEXTS[0])
    }

    /// Its stable name.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Its bit as a number with that bit set.
    pub const fn mask(self) -> u64 {
        1 << self.0
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        TABLE.iter().find(|row| row.name == name).map(|row| Self(row.bit)).ok_or_else(|| {
            // The name comes from outside and may be of any length.
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
