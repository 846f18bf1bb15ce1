//! Serves the pages and server functions of `ownchat-ui` with axum.

use crate::{problem, request_context::RequestContext, texts};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        HeaderValue, Method, StatusCode, Uri,
        header::{ALLOW, CONTENT_TYPE, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use leptos::prelude::provide_context;
use ownchat_domain::{
    json::{self, BODY_MAX},
    problem::{BODY_TOO_LARGE, METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE},
    token,
};
use ownchat_ui::{
    app::shell,
    backend::{Backend, Provided},
    flash::Flash,
    request::PostedForm,
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Renders the page of a URL, or handles a form posted to it.
pub async fn show(context: RequestContext, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return problem::unknown_api_url();
    }
    let (request, posted) = match *request.method() {
        Method::GET | Method::HEAD => match without_keys(request.uri()) {
            Some((address, id)) => {
                // A link on another site must not cause a message.
                let site = request.headers().get("sec-fetch-site").map_or(&b"none"[..], HeaderValue::as_bytes);
                let is_own = matches!(site, b"none" | b"same-origin");
                return elsewhere(&context, &address, is_own.then_some(id.as_str()));
            }
            None => (request, None),
        },
        Method::POST => match form(request).await {
            Ok((request, posted)) => (request, Some(posted)),
            Err(refusal) => return refusal,
        },
        _ => {
            let mut refusal = problem::of_kind(&METHOD_NOT_ALLOWED, texts::PAGE_METHODS);
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return refusal;
        }
    };
    let provide = move || {
        provide_context::<Provided>(Arc::new(context.clone()));
        if let Some(posted) = &posted {
            provide_context(posted.clone());
        }
    };
    leptos_axum::render_app_async_with_context(provide, shell)(request).await
}

/// Replaces whole keys in a URL by their ids. Returns the URL and the first id, or `None` without a
/// key. A search keeps only the id, without the words around the key.
fn without_keys(uri: &Uri) -> Option<(String, String)> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let texts = || core::iter::once(uri.path()).chain(pairs.iter().flat_map(|(name, value)| [&**name, &**value]));
    let id = texts().find_map(token::id_in)?.to_owned();
    let clean = pairs.iter().map(|(name, value)| {
        let searched = token::id_in(value).filter(|_| name == "q").map(str::to_owned);
        (token::with_ids(name), searched.unwrap_or_else(|| token::with_ids(value)))
    });
    let query = serde_urlencoded::to_string(clean.collect::<Vec<_>>()).unwrap_or_default();
    let separator = if query.is_empty() { "" } else { "?" };
    // A path that starts with two slashes would lead to another host.
    let path = token::with_ids(uri.path());
    Some((format!("/{}{separator}{query}", path.trim_start_matches(['/', '\\'])), id))
}

/// Redirects to the URL without keys, with a message that explains it.
fn elsewhere(context: &RequestContext, address: &str, id: Option<&str>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let Ok(address) = HeaderValue::from_str(address) {
        headers.insert(LOCATION, address);
    }
    if let Some(id) = id.and_then(|id| id.parse().ok()) {
        let cookies = context.carry(Some(&Flash::pasted(id)));
        headers.extend(cookies.0.iter().filter_map(|value| Some((SET_COOKIE, HeaderValue::from_str(value).ok()?))));
    }
    response
}

/// Handles a server function whose arguments are `T` in JSON.
pub async fn action<T: DeserializeOwned + Serialize>(context: RequestContext, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX).await else {
        return problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning);
    };
    // The server function parses the body again, more strictly, and its errors lack detail.
    let read = match json::read::<T>(&bytes) {
        Ok(read) => read,
        Err(error) => return problem::of_body(error),
    };
    let body = serde_json::to_vec(&read).unwrap_or_default();
    let request = Request::from_parts(parts, Body::from(body));
    let provide = move || provide_context::<Provided>(Arc::new(context.clone()));
    leptos_axum::handle_server_fns_with_context(provide, request).await.into_response()
}

/// Reads a form as browsers post it (WHATWG URL, `application/x-www-form-urlencoded`).
async fn form(request: Request) -> Result<(Request, PostedForm), Response> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.starts_with("application/x-www-form-urlencoded") {
        return Err(problem::of_kind(&UNSUPPORTED_MEDIA_TYPE, texts::PAGE_FORMS));
    }
    let (parts, body) = request.into_parts();
    let bytes =
        to_bytes(body, BODY_MAX).await.map_err(|_| problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning))?;
    // Any text parses as a form. Invalid UTF-8 becomes replacement characters.
    let fields = serde_urlencoded::from_bytes(&bytes).unwrap_or_default();
    Ok((Request::from_parts(parts, Body::empty()), PostedForm(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stays_in_an_address() {
        let id = "3kP0aXv9QmT2ZbLc";
        let key = format!("oc_live_{id}_8sJd0KqYw2Nf7RtUhV1xGpEaMzB4Cn");
        for (address, clean) in [
            (format!("/keys?q={key}"), format!("/keys?q={id}")),
            (format!("/keys?q=Bearer+{key}&status=active"), format!("/keys?q={id}&status=active")),
            (format!("/keys?q=%22{key}%22"), format!("/keys?q={id}")),
            (format!("/keys?q=x%20{}", key.replace('_', "%5F")), format!("/keys?q={id}")),
            (format!("/sign-in?next=%2Fkeys%3Fq%3D{key}"), format!("/sign-in?next=%2Fkeys%3Fq%3D{id}")),
            (format!("/keys/{key}"), format!("/keys/{id}")),
            (format!("/keys?{key}=1"), format!("/keys?{id}=1")),
            (format!("//evil.example/?q={key}"), format!("/evil.example/?q={id}")),
            (format!("/\\evil.example/?q={key}"), format!("/evil.example/?q={id}")),
        ] {
            let found = without_keys(&address.parse().unwrap());
            assert_eq!(found, Some((clean, id.to_owned())), "{address}");
        }
        for address in ["/keys", "/keys?q=CRM", "/keys?q=oc_live_3kP0aXv9QmT2ZbLc", "/keys?q=%"] {
            assert_eq!(without_keys(&address.parse().unwrap()), None, "{address}");
        }
    }
}
