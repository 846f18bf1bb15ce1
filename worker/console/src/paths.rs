//! Path of the management API, for the route table and for everything that depends on the path.

/// The path above all routes of the API.
pub const API: &str = "/api/v1";

/// Returns the path of a route below [`API`], with its leading slash.
pub fn within_api(path: &str) -> Option<&str> {
    path.strip_prefix(API).filter(|route| route.starts_with('/'))
}
