//! Security and cache headers of every response.

use crate::request_context::SESSION_COOKIE;
use axum::{
    http::{
        HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::Response,
};

/// Headers of every response. The platform serves files with the headers in `headers.txt`.
const ALWAYS: [(HeaderName, &str); 8] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With "no-referrer", forms would post with "Origin: null".
    (REFERRER_POLICY, "same-origin"),
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains; preload"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// The policy of responses other than pages: no script, no framing (CSP level 3).
const STRICT_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");

/// Sets the headers, and the strict policy unless a page has set its own.
/// A response that ends a session also clears the browser's cache and storage.
pub async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let ends_a_session = |cookie: &HeaderValue| {
        let value = cookie.to_str().ok().and_then(|cookie| cookie.strip_prefix(SESSION_COOKIE));
        value.is_some_and(|value| value.starts_with("=;"))
    };
    if headers.get_all(SET_COOKIE).iter().any(ends_a_session) {
        headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(STRICT_POLICY);
    response
}
