//! Client of the vault: sends requests to its objects, and logs failures.

use crate::{log, request_context::RequestContext};
use axum::body::{Bytes, to_bytes};
use futures_util::future::BoxFuture;
use ownchat_domain::{
    failure::Failure,
    log::REQUEST_ID_HEADER,
    vault::{Command, Object, Outcome},
};
use worker::{Error, Headers, Method, RequestInit, send::SendFuture};

/// Maximum size of a response in bytes: a page of 100 keys stays far below it.
const RESPONSE_MAX: usize = 4 * 1024 * 1024;

/// Sends a request to one of the vault's objects.
pub async fn ask<C: Command>(context: &RequestContext, object: Object, call: &C) -> Outcome<C::Answer> {
    let response = match serde_json::to_string(call) {
        Ok(body) => exchange(context, object.path(C::NAME), body).await,
        Err(error) => Err(error.into()),
    };
    let outcome = response.and_then(|body| Ok(serde_json::from_slice(&body)?));
    outcome.unwrap_or_else(|error| {
        log::error(&context.request_id, &format!("vault: {}: {error}", C::NAME));
        Err(Failure::Unavailable)
    })
}

/// Sends a request body and returns the response body.
///
/// Boxed and not generic: its code would otherwise be repeated in each use case. `Send`, as axum
/// and Leptos require of every future above it: the platform's futures never leave their thread.
fn exchange(context: &RequestContext, path: String, body: String) -> BoxFuture<'_, worker::Result<Bytes>> {
    Box::pin(SendFuture::new(async move {
        let mut init = RequestInit::new();
        let headers = Headers::new();
        headers.set(REQUEST_ID_HEADER, &context.request_id)?;
        init.with_method(Method::Post).with_headers(headers).with_body(Some(body.into()));
        let response = context.env.service("VAULT")?.fetch(format!("https://vault{path}"), Some(init)).await?;
        if !response.status().is_success() {
            return Err(Error::RustError(format!("it answered {}", response.status())));
        }
        let body = axum::body::Body::new(response.into_body());
        to_bytes(body, RESPONSE_MAX).await.map_err(|error| Error::RustError(error.to_string()))
    }))
}
