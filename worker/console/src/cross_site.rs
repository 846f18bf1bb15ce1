//! Cross-site request forgery protection, for pages, server functions and API alike.
//!
//! Browsers name the source of a request in `Sec-Fetch-Site` (W3C Fetch Metadata) or, older ones,
//! in `Origin`. A state-changing request without either is refused, too.

use crate::{origin::own_origin, paths::within_api, problem, request_context::RequestContext, use_cases::events};
use axum::{
    extract::Request,
    http::{HeaderMap, Method, Uri, header::ORIGIN},
    middleware::Next,
    response::Response,
};
use ownchat_domain::{audit::Action, problem::CROSS_SITE};

/// Refuses a request that another site may have sent.
/// A request with an API key passes: no browser adds one by itself, and cookies then do not count.
pub async fn refuse_other_sites(request: Request, next: Next) -> Response {
    let has_key = request.extensions().get::<RequestContext>().is_some_and(RequestContext::has_key);
    if has_key || is_ours(request.method(), request.headers(), request.uri()) {
        next.run(request).await
    } else {
        if let Some(context) = request.extensions().get::<RequestContext>().cloned() {
            events::of_session(&context, Action::CrossSiteRefused).await;
        }
        problem::of_kind(&CROSS_SITE, CROSS_SITE.meaning)
    }
}

/// The route of the API that writes to the audit trail when read.
const AUDITED_READ: &str = "/export";

fn is_ours(method: &Method, headers: &HeaderMap, uri: &Uri) -> bool {
    let is_audited = within_api(uri.path()) == Some(AUDITED_READ);
    if matches!(*method, Method::GET | Method::HEAD) && !is_audited {
        return true;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        // "none": the person navigated here from the address bar, or reloaded.
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => Some(origin) == own_origin(uri).as_deref(),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &Method, path: &'static str, site: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        is_ours(method, &headers, &Uri::from_static(path))
    }

    #[test]
    fn the_matrix() {
        let own = Some("https://keys.example:8787");
        let [page, export] = ["https://keys.example:8787/settings", "https://keys.example:8787/api/v1/export?x"];
        let changes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        let noted = [Method::GET, Method::HEAD].map(|method| (method, export));
        for (method, path) in changes.into_iter().map(|method| (method, page)).chain(noted) {
            for (site, origin, passes) in [
                (Some("same-origin"), own, true),
                (Some("same-origin"), None, true),
                (Some("same-origin"), Some("null"), true),
                (Some("none"), None, true),
                (Some("same-site"), own, false),
                (Some("cross-site"), own, false),
                (Some("cross-site"), None, false),
                (Some(""), own, false),
                (None, own, true),
                (None, Some("https://keys.example"), false),
                (None, Some("http://keys.example:8787"), false),
                (None, Some("https://evil.example"), false),
                (None, Some("null"), false),
                (None, None, false),
            ] {
                assert_eq!(ask(&method, path, site, origin), passes, "{method} {site:?} {origin:?}");
            }
        }
        assert!(ask(&Method::GET, page, Some("cross-site"), None), "following a link is no change");
    }
}
