//! A set of scopes, and the evaluator.

use super::{Scope, UnknownScope, table::TABLE};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A set of scopes as bits. In JSON a list of names in the order of the table.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u64);

impl ScopeSet {
    /// The set without any scope.
    pub const EMPTY: Self = Self(0);

    /// `keys:verify` alone: what a key needs to ask about another one.
    pub const VERIFY: Self = Self(1 << 45);

    /// Every scope there is.
    pub fn full() -> Self {
        Scope::all().collect()
    }

    /// Reads names; fails at the first that names no scope.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownScope> {
        names.into_iter().map(str::parse::<Scope>).collect()
    }

    /// Reads bits; `None` if one of them belongs to no scope.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits & !Self::full().0 == 0).then_some(Self(bits))
    }

    /// Reads bits, and leaves out those that belong to no scope.
    pub fn from_known_bits(bits: u64) -> Self {
        Self(bits & Self::full().0)
    }

    /// One bit a scope.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether there is none in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether this very scope was given; what others imply does not count.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.mask() != 0
    }

    /// The set with everything that its scopes give: `write` gives `read` on the same resource, and
    /// nothing else gives anything.
    #[must_use]
    pub fn with_given(self) -> Self {
        let given = TABLE.iter().filter(|row| self.0 >> row.bit & 1 == 1).filter_map(|row| row.gives);
        given.filter_map(|name| name.parse::<Scope>().ok()).fold(self, |set, scope| Self(set.0 | scope.mask()))
    }

    /// Whether a holder of this set may do what `scope` stands for.
    pub fn allows(self, scope: Scope) -> bool {
        self.contains(scope) || self.with_given().contains(scope)
    }

    /// Whether a holder of this set may do everything that `required` stands for.
    pub fn allows_all(self, required: Self) -> bool {
        self.missing(required).is_empty()
    }

    /// What of `required` a holder of this set may not do.
    #[must_use]
    pub fn missing(self, required: Self) -> Self {
        if self.0 & required.0 == required.0 { Self::EMPTY } else { Self(required.0 & !self.with_given().0) }
    }

    /// The set without the scopes of these names.
    #[must_use]
    pub fn without(self, names: &[&str]) -> Self {
        Self(self.0 & !Self::from_names(names.iter().copied()).unwrap_or_default().0)
    }

    /// Its scopes in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::all().filter(move |scope| self.contains(*scope))
    }

    /// The names of its scopes in the order of the table.
    pub fn names(self) -> Vec<String> {
        self.iter().map(|scope| scope.name().to_owned()).collect()
    }

    /// The names in one text, with `separator` between them.
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
