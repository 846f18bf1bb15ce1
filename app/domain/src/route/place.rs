//! Which addresses the edge answers by itself. All the others are the gateway's.

use super::Found;
use crate::scope::ScopeSet;

/// An address that the edge answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Checks the key that stands in the body, for a service that was handed it and says who it is.
    Verify,
    /// Tells the holder of a key about it.
    Key,
    /// Says that the edge runs, to everybody.
    Health,
}

/// What a method and a path mean to the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// What browsers ask before they call (Fetch standard, CORS preflight), of any path.
    Preflight,
    /// An address of the edge itself.
    Own(Own),
    /// An address of the edge itself that takes these methods and not the one that was used.
    Method(&'static [&'static str]),
    /// What there is behind the gateway.
    Gateway(Found),
}

impl Own {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Verify, Self::Key, Self::Health];

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/v1/verify",
            Self::Key => "/v1/key",
            Self::Health => "/v1/health",
        }
    }

    /// The scopes that a key needs there.
    pub fn required(self) -> ScopeSet {
        match self {
            Self::Verify => ScopeSet::VERIFY,
            Self::Key | Self::Health => ScopeSet::EMPTY,
        }
    }

    /// The methods that it takes.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Verify => &["POST"],
            Self::Key | Self::Health => &["GET", "HEAD"],
        }
    }
}

impl Place {
    /// Looks up a method and a path without its query.
    pub fn of(method: &str, path: &str) -> Self {
        if method == "OPTIONS" {
            return Self::Preflight;
        }
        match Own::ALL.into_iter().find(|own| own.path() == path) {
            Some(own) if own.methods().contains(&method) => Self::Own(own),
            Some(own) => Self::Method(own.methods()),
            None => Self::Gateway(super::find(method, path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::NoRoute;

    #[test]
    fn the_edge_has_addresses_of_its_own() {
        for (method, path, place) in [
            ("POST", "/v1/verify", Place::Own(Own::Verify)),
            ("GET", "/v1/verify", Place::Method(&["POST"])),
            ("GET", "/v1/key", Place::Own(Own::Key)),
            ("HEAD", "/v1/health", Place::Own(Own::Health)),
            ("get", "/v1/key", Place::Method(&["GET", "HEAD"])),
            ("OPTIONS", "/v1/key", Place::Preflight),
            ("OPTIONS", "*", Place::Preflight),
            ("GET", "/v1/key/", Place::Gateway(Found::None(NoRoute::EmptySegment))),
            ("GET", "/v1/contacts", Place::Gateway(super::super::find("GET", "/v1/contacts"))),
        ] {
            assert_eq!(Place::of(method, path), place, "{method} {path}");
        }
    }

    #[test]
    fn no_route_of_the_gateway_is_hidden_by_them() {
        for own in Own::ALL {
            assert_eq!(super::super::find("GET", own.path()), Found::None(NoRoute::Unknown), "{own:?}");
        }
    }
}
