//! The origin of the console, as its requests name it.

use axum::http::Uri;

/// Returns scheme, host and port of the request, as browsers write them in `Origin`.
pub fn own_origin(uri: &Uri) -> Option<String> {
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}
