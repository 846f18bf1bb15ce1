//! The list of the edge's own endpoints, and the classification of a request: preflight, such an
//! endpoint, or a gateway route. The list of gateway routes is `scope/scopes_and_routes.rs`.

use super::RouteMatch;
use crate::scope::ScopeSet;

/// An endpoint that the edge serves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeEndpoint {
    /// Verifies the key in the body, for an authenticated service.
    Verify,
    /// Describes the presented key to its holder.
    Key,
    /// Reports that the edge runs; needs no key.
    Health,
}

/// Target of a request, by method and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTarget {
    /// CORS preflight (Fetch standard), for any path.
    Preflight,
    /// An endpoint of the edge.
    Endpoint(EdgeEndpoint),
    /// An endpoint of the edge, but not with this method. Lists the allowed methods.
    Method(&'static [&'static str]),
    /// A lookup among the gateway's routes.
    Gateway(RouteMatch),
}

impl EdgeEndpoint {
    /// All endpoints of the edge.
    pub const ALL: [Self; 3] = [Self::Verify, Self::Key, Self::Health];

    /// Path of the endpoint.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/v1/verify",
            Self::Key => "/v1/key",
            Self::Health => "/v1/health",
        }
    }

    /// Scopes that a key needs for the endpoint.
    pub fn required(self) -> ScopeSet {
        match self {
            Self::Verify => ScopeSet::VERIFY,
            Self::Key | Self::Health => ScopeSet::EMPTY,
        }
    }

    /// Methods that the endpoint allows.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Verify => &["POST"],
            Self::Key | Self::Health => &["GET", "HEAD"],
        }
    }
}

impl RequestTarget {
    /// Classifies a method and a path without its query.
    pub fn of(method: &str, path: &str) -> Self {
        if method == "OPTIONS" {
            return Self::Preflight;
        }
        match EdgeEndpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path) {
            Some(endpoint) if endpoint.methods().contains(&method) => Self::Endpoint(endpoint),
            Some(endpoint) => Self::Method(endpoint.methods()),
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
        for (method, path, target) in [
            ("POST", "/v1/verify", RequestTarget::Endpoint(EdgeEndpoint::Verify)),
            ("GET", "/v1/verify", RequestTarget::Method(&["POST"])),
            ("GET", "/v1/key", RequestTarget::Endpoint(EdgeEndpoint::Key)),
            ("HEAD", "/v1/health", RequestTarget::Endpoint(EdgeEndpoint::Health)),
            ("get", "/v1/key", RequestTarget::Method(&["GET", "HEAD"])),
            ("OPTIONS", "/v1/key", RequestTarget::Preflight),
            ("OPTIONS", "*", RequestTarget::Preflight),
            ("GET", "/v1/key/", RequestTarget::Gateway(RouteMatch::None(NoRoute::EmptySegment))),
            ("GET", "/v1/contacts", RequestTarget::Gateway(super::super::find("GET", "/v1/contacts"))),
        ] {
            assert_eq!(RequestTarget::of(method, path), target, "{method} {path}");
        }
    }

    #[test]
    fn no_route_of_the_gateway_is_hidden_by_them() {
        for endpoint in EdgeEndpoint::ALL {
            assert_eq!(super::super::find("GET", endpoint.path()), RouteMatch::None(NoRoute::Unknown), "{endpoint:?}");
        }
    }
}
