//! Asking the vault.

use axum::body::to_bytes;
use ownchat_domain::{
    failure::Failure,
    vault::{Call, Object, Outcome},
};
use worker::{Env, Error, Method, RequestInit, console_error};

/// Largest answer that is read, in bytes: a page of 100 keys stays far below it.
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// Asks one of the vault's objects.
pub async fn ask<C: Call>(env: &Env, object: Object, call: &C) -> Outcome<C::Answer> {
    attempt(env, object, call).await.unwrap_or_else(|error| {
        console_error!("vault: {}: {error}", C::NAME);
        Err(Failure::Unavailable)
    })
}

async fn attempt<C: Call>(env: &Env, object: Object, call: &C) -> worker::Result<Outcome<C::Answer>> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(serde_json::to_string(call)?.into()));
    let url = format!("https://vault{}", object.path(C::NAME));
    let response = env.service("VAULT")?.fetch(url, Some(init)).await?;
    if !response.status().is_success() {
        return Err(Error::RustError(format!("it answered {}", response.status())));
    }
    let body = axum::body::Body::new(response.into_body());
    let bytes = to_bytes(body, ANSWER_MAX).await.map_err(|error| Error::RustError(error.to_string()))?;
    Ok(serde_json::from_slice(&bytes)?)
}
