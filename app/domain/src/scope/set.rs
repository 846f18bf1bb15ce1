//! A set of scopes as a bit set, and the scope evaluator.

use super::{Scope, UnknownScope, scopes_and_routes::TABLE};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A set of scopes as bits. In JSON it is a list of names in the order of the table.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u64);

impl ScopeSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// `keys:verify` alone: the scope that a key needs to verify another key.
    pub const VERIFY: Self = Self(1 << 45);

    /// Returns the set of all scopes.
    pub fn full() -> Self {
        Scope::all().collect()
    }

    /// Parses scope names into a set.
    ///
    /// # Errors
    ///
    /// Returns the first unknown name.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownScope> {
        names.into_iter().map(str::parse::<Scope>).collect()
    }

    /// Creates a set from bits; `None` if a bit belongs to no scope.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits & !Self::full().0 == 0).then_some(Self(bits))
    }

    /// Creates a set from bits and drops bits that belong to no scope.
    pub fn from_known_bits(bits: u64) -> Self {
        Self(bits & Self::full().0)
    }

    /// Bits of the set, one for each scope.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Returns true if the set has no scope.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Number of scopes in the set.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Returns true if the set holds this scope itself; implied scopes do not count.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.mask() != 0
    }

    /// Returns the set with all implied scopes: `write` implies `read` on the same resource. No
    /// other scope implies any.
    #[must_use]
    pub fn with_given(self) -> Self {
        let given = TABLE.iter().filter(|row| self.0 >> row.bit & 1 == 1).filter_map(|row| row.gives);
        given.filter_map(|name| name.parse::<Scope>().ok()).fold(self, |set, scope| Self(set.0 | scope.mask()))
    }

    /// Returns true if the set grants `scope`, directly or by implication.
    pub fn allows(self, scope: Scope) -> bool {
        self.contains(scope) || self.with_given().contains(scope)
    }

    /// Returns true if the set grants every scope of `required`.
    pub fn allows_all(self, required: Self) -> bool {
        self.missing(required).is_empty()
    }

    /// Returns the scopes of `required` that the set does not grant.
    #[must_use]
    pub fn missing(self, required: Self) -> Self {
        if self.0 & required.0 == required.0 { Self::EMPTY } else { Self(required.0 & !self.with_given().0) }
    }

    /// Returns the set without the named scopes.
    #[must_use]
    pub fn without(self, names: &[&str]) -> Self {
        Self(self.0 & !Self::from_names(names.iter().copied()).unwrap_or_default().0)
    }

    /// Iterates over the scopes in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::all().filter(move |scope| self.contains(*scope))
    }

    /// Names of the scopes in the order of the table.
    pub fn names(self) -> Vec<String> {
        self.iter().map(|scope| scope.name().to_owned()).collect()
    }

    /// Names of the scopes as one text, joined by `separator`.
    pub fn joined(self, separator: &str) -> String {
        let names: Vec<_> = self.iter().map(Scope::name).collect();
        names.join(separator)
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.mask()))
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Self::from_names(names.iter().map(String::as_str)).map_err(D::Error::custom)
    }
}
