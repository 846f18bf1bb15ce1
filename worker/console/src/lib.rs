#![doc = include_str!("../README.md")]

pub mod api;
pub mod backend;
pub mod cross_site;
pub mod headers;
pub mod log;
pub mod miss_limiter;
pub mod origin;
pub mod pages;
pub mod paths;
pub mod problem;
pub mod request_context;
pub mod router;
pub mod texts;
pub mod timeout;
pub mod use_cases;
pub mod vault;

use axum::{body::Body, http::Response};
use tower_service::Service;
use worker::{Context, Env, HttpRequest, Result, event};

/// Handles a request.
#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, context: Context) -> Result<Response<Body>> {
    let mut request = request.map(Body::new);
    request_context::attach(&mut request, env, context)?;
    Ok(router::of_isolate().call(request).await?)
}
