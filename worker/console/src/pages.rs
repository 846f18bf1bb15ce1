//! The pages and server functions of `ownchat-ui`, on axum.

use crate::{cases::Cases, problem};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        HeaderValue, Method,
        header::{ALLOW, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use leptos::prelude::provide_context;
use ownchat_domain::{
    json::{self, BODY_MAX},
    problem::{BODY_TOO_LARGE, METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE},
};
use ownchat_ui::{app::shell, backend::Provided, visit::Posted};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Shows the page of an address, or takes the form that was posted to it.
pub async fn show(cases: Cases, request: Request) -> Response {
    let (request, posted) = match *request.method() {
        Method::GET | Method::HEAD => (request, None),
        Method::POST => match form(request).await {
            Ok((request, posted)) => (request, Some(posted)),
            Err(refusal) => return refusal,
        },
        _ => {
            let mut refusal = problem::of_kind(&METHOD_NOT_ALLOWED, "Pages take GET and POST.");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return refusal;
        }
    };
    let provide = move || {
        provide_context::<Provided>(Arc::new(cases.clone()));
        if let Some(posted) = &posted {
            provide_context(posted.clone());
        }
    };
    leptos_axum::render_app_async_with_context(provide, shell)(request).await
}

/// Answers a server function whose arguments are `T` in JSON.
pub async fn action<T: DeserializeOwned>(cases: Cases, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX).await else {
        return problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning);
    };
    // The function would read it again and say no more than that it cannot.
    if let Err(error) = json::read::<T>(&bytes) {
        return problem::of_body(error);
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    let provide = move || provide_context::<Provided>(Arc::new(cases.clone()));
    leptos_axum::handle_server_fns_with_context(provide, request).await.into_response()
}

/// Reads a form as browsers post it (WHATWG URL, `application/x-www-form-urlencoded`).
async fn form(request: Request) -> Result<(Request, Posted), Response> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.starts_with("application/x-www-form-urlencoded") {
        return Err(problem::of_kind(&UNSUPPORTED_MEDIA_TYPE, "Pages take forms as browsers post them."));
    }
    let (parts, body) = request.into_parts();
    let bytes =
        to_bytes(body, BODY_MAX).await.map_err(|_| problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning))?;
    // Every text is a form; one that is not UTF-8 gives replacement characters.
    let fields = serde_urlencoded::from_bytes(&bytes).unwrap_or_default();
    Ok((Request::from_parts(parts, Body::empty()), Posted(fields)))
}
