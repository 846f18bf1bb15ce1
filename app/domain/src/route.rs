//! Gateway routes: maps a request's method and path to the scope that it needs. The list of routes
//! stands in `scope/scopes_and_routes.rs`.
//!
//! The edge's own endpoints are in [`EdgeEndpoint`]; [`RequestTarget`] covers both.

mod edge_endpoints;
mod path;

pub use edge_endpoints::{EdgeEndpoint, RequestTarget};
pub use path::NoRoute;

use crate::scope::{Scope, ScopeSet};
use std::borrow::Cow;

/// A route of the public API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path pattern; `{id}` matches any one segment.
    pub pattern: &'static str,
    /// Scope that the route needs.
    pub scope: Scope,
}

impl Route {
    /// Returns the channel id in a path of this route, if the route has one.
    pub fn channel_of(self, path: &str) -> Option<Cow<'_, str>> {
        let segment = self.pattern.starts_with("/v1/channels/{id}").then(|| path.split('/').nth(3))??;
        path::decode(segment).ok()
    }
}

/// Result of a route lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteMatch {
    /// The matching route.
    Route(Route),
    /// The path exists, but not with this method. Lists the allowed methods.
    Method(Vec<&'static str>),
    /// No route matches, for this reason.
    None(NoRoute),
}

/// Returns all routes, in the order of the scope table.
pub fn all() -> impl Iterator<Item = Route> {
    Scope::all()
        .flat_map(|scope| scope.info().routes.iter().map(move |(method, pattern)| Route { method, pattern, scope }))
}

/// Finds the route for a method and a path without its query.
///
/// An ambiguous path matches no route. A literal segment wins over `{id}`. `HEAD` is allowed
/// wherever `GET` is (RFC 9110, section 9.3.2).
pub fn find(method: &str, path: &str) -> RouteMatch {
    let segments = match path::segments(path) {
        Ok(segments) => segments,
        Err(error) => return RouteMatch::None(error),
    };
    let mut candidates: Vec<Route> = all().filter(|route| fits(route.pattern, &segments)).collect();
    if candidates.iter().any(|route| route.pattern == path) {
        candidates.retain(|route| route.pattern == path);
    }
    let method = if method == "HEAD" { "GET" } else { method };
    if let Some(route) = candidates.iter().find(|route| route.method == method) {
        return RouteMatch::Route(*route);
    }
    if candidates.is_empty() {
        RouteMatch::None(NoRoute::Unknown)
    } else {
        let with_head = |route: &'_ Route| if route.method == "GET" { vec!["GET", "HEAD"] } else { vec![route.method] };
        RouteMatch::Method(candidates.iter().flat_map(with_head).collect())
    }
}

/// Returns a path to try a key on: the first GET route without an id that these scopes allow. Falls
/// back to `/v1/key`, which needs no scope.
pub fn sample(scopes: ScopeSet) -> &'static str {
    all()
        .find(|route| route.method == "GET" && !route.pattern.contains('{') && scopes.allows(route.scope))
        .map_or(EdgeEndpoint::Key.path(), |route| route.pattern)
}

/// Returns true if decoded segments match a pattern. An escaped literal cannot match:
/// [`path::decode`] rejects needless escapes.
fn fits(pattern: &str, segments: &[Cow<'_, str>]) -> bool {
    let mut wanted = pattern.split('/').skip(1);
    segments.iter().all(|segment| wanted.next().is_some_and(|word| word == "{id}" || word == segment))
        && wanted.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(name: &str) -> Scope {
        name.parse().unwrap()
    }

    #[test]
    fn each_route_of_the_table_is_found_under_its_own_scope() {
        for route in all() {
            let path = route.pattern.replace("{id}", "c_1");
            assert_eq!(find(route.method, &path), RouteMatch::Route(route), "{} {}", route.method, route.pattern);
        }
    }

    #[test]
    fn no_two_routes_are_the_same() {
        let mut seen = std::collections::HashSet::new();
        for route in all() {
            assert!(seen.insert((route.method, route.pattern)), "{} {}", route.method, route.pattern);
        }
    }

    #[test]
    fn a_literal_wins_over_an_id() {
        let RouteMatch::Route(route) = find("GET", "/v1/contacts/export") else { unreachable!() };
        assert_eq!(route.scope, scope("contacts:export"));
        assert_eq!(
            find("DELETE", "/v1/contacts/export"),
            RouteMatch::Method(vec!["GET", "HEAD"]),
            "never the delete of a contact"
        );
    }

    #[test]
    fn every_get_route_accepts_head() {
        assert_eq!(find("HEAD", "/v1/contacts"), find("GET", "/v1/contacts"));
        assert_eq!(find("HEAD", "/v1/contacts/c_1/merge"), RouteMatch::Method(vec!["POST"]));
    }

    #[test]
    fn a_known_path_names_its_methods() {
        assert_eq!(find("PUT", "/v1/contacts"), RouteMatch::Method(vec!["GET", "HEAD", "POST"]));
        assert_eq!(
            find("get", "/v1/contacts"),
            RouteMatch::Method(vec!["GET", "HEAD", "POST"]),
            "methods are case-sensitive"
        );
    }

    #[test]
    fn a_path_may_be_about_a_channel() {
        for (path, channel) in [
            ("/v1/channels/ch_1", Some("ch_1")),
            ("/v1/channels/%2B49", Some("+49")),
            ("/v1/channels", None),
            ("/v1/contacts/c_1", None),
        ] {
            let RouteMatch::Route(route) = find("GET", path) else { unreachable!("{path}") };
            assert_eq!(route.channel_of(path).as_deref(), channel, "{path}");
        }
    }

    #[test]
    fn a_key_is_tried_on_something_that_it_may_read() {
        let sample_of = |names: &[&str]| sample(ScopeSet::from_names(names.iter().copied()).unwrap());
        assert_eq!(sample_of(&["contacts:write", "messages:read"]), "/v1/contacts");
        assert_eq!(sample_of(&["messages:read"]), "/v1/messages");
        assert_eq!(sample_of(&["messages:send"]), "/v1/key");
    }

    #[test]
    fn tricks_with_paths_find_nothing() {
        for path in [
            "",
            "/",
            "v1/contacts",
            "//v1/contacts",
            "/v1//contacts",
            "/v1/contacts/",
            "/v1/contacts/.",
            "/v1/contacts/..",
            "/v1/./contacts",
            "/v1/x/../contacts",
            "/v1/contacts/%2e%2e",
            "/v1/contacts/a%2fb",
            "/v1\\contacts",
            "/v1/contacts/a b",
            "/v1/contacts/a\n",
            "/v1/contacts/ä",
            "/v1/contacts;x=1",
            "/v1/contacts?x",
            "/v1/unknown",
            "/v1",
            "/v1/contacts/a/b",
            "/v1/contacts/ex%70ort",
            "/v1/c%6Fntacts",
        ] {
            assert!(matches!(find("GET", path), RouteMatch::None(_)), "{path:?}");
        }
        assert!(matches!(find("GET", &format!("/v1/contacts/{}", "a".repeat(2_000))), RouteMatch::None(_)));
    }

    #[test]
    fn ids_are_found_in_percent_encoding() {
        for id in ["jane%40example.com", "%2B4915123401742", "dGVzdA%3D%3D"] {
            assert_eq!(find("GET", &format!("/v1/contacts/{id}")), find("GET", "/v1/contacts/c_1"), "{id}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_answered(method in "[A-Z]{0,8}", path in "(/[a-z{}.%0-9]{0,8}){0,5}") {
            let _ = find(&method, &path);
        }
    }
}
