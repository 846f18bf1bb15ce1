//! Security and cache headers of every response.

use crate::request_context::SESSION_COOKIE;
use axum::{
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE},
    },
    response::Response,
};
use std::sync::LazyLock;

/// Headers of static files, by path, in the format of the platform, which serves the files itself.
///
/// The referrer policy is not `no-referrer`: forms would then post with `Origin: null`.
const FILES: &str = include_str!("../headers.txt");

/// Headers of responses that static files lack.
const RESPONSES: [(HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// Headers of every response, those of all static files among them.
static HEADERS: LazyLock<Vec<(HeaderName, HeaderValue)>> = LazyLock::new(|| of_files().chain(RESPONSES).collect());

/// Returns the headers of all static files.
fn of_files() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let lines = FILES.lines().skip_while(|line| *line != "/*").skip(1);
    let headers = lines.map_while(|line| line.strip_prefix("  ")?.split_once(": "));
    headers.filter_map(|(name, value)| Some((name.parse().ok()?, HeaderValue::from_static(value))))
}

/// Adds the headers. A page keeps its own content security policy; the one of static files allows
/// no script. A response that ends a session also clears the browser's cache and storage.
pub async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS.iter() {
        if name == CONTENT_SECURITY_POLICY {
            headers.entry(name).or_insert_with(|| value.clone());
        } else {
            headers.insert(name, value.clone());
        }
    }
    let ends_a_session = |cookie: &HeaderValue| {
        let value = cookie.to_str().ok().and_then(|cookie| cookie.strip_prefix(SESSION_COOKIE));
        value.is_some_and(|value| value.starts_with("=;"))
    };
    if headers.get_all(SET_COOKIE).iter().any(ends_a_session) {
        headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, response::IntoResponse};
    use futures_util::FutureExt;

    fn headers_of(response: Response) -> Vec<(String, String)> {
        let response = add_security_headers(response).now_or_never().unwrap();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn every_response_has_the_headers_of_all_static_files() {
        let names = [
            "x-content-type-options",
            "content-security-policy",
            "referrer-policy",
            "x-frame-options",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "strict-transport-security",
            "cache-control",
            "permissions-policy",
        ];
        let mut found: Vec<String> =
            headers_of(Body::empty().into_response()).into_iter().map(|(name, _)| name).collect();
        found.sort();
        let mut expected = names.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_page_keeps_its_own_policy() {
        let policy = [(CONTENT_SECURITY_POLICY, "script-src 'self'")];
        let headers = headers_of((policy, Body::empty()).into_response());
        let policies: Vec<_> = headers.iter().filter(|(name, _)| name == CONTENT_SECURITY_POLICY.as_str()).collect();
        assert_eq!(policies.len(), 1);
        assert_eq!(policies[0].1, "script-src 'self'");
    }

    /// The front refuses malformed requests itself. It cannot import this list.
    #[test]
    fn refusals_of_the_front_have_the_same_headers() {
        let front = include_str!("../../local/front.mjs").to_lowercase();
        let shared = of_files().filter(|(name, _)| front.contains(&format!("\"{name}\": ")));
        let shared: Vec<_> =
            shared.map(|(name, value)| format!("\"{name}\": \"{}\"", value.to_str().unwrap())).collect();
        assert_eq!(shared.len(), 4);
        for header in shared {
            assert!(front.contains(&header.to_lowercase()), "{header}");
        }
    }
}
