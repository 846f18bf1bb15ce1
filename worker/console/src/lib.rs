//! The console: the Worker that admins call.
//!
//! It renders the pages of `ownchat-ui`, answers their server functions and the management API, and
//! asks the vault for everything. `cases` holds the use-cases, the same for pages and API; `router` says
//! which address does what; `problem` is the one place where statuses and public texts are chosen.

pub mod api;
pub mod cases;
pub mod headers;
pub mod origin;
pub mod pages;
pub mod patience;
pub mod problem;
pub mod router;
pub mod shield;
pub mod vault;
pub mod visitor;

use axum::{body::Body, http::Response};
use tower_service::Service;
use worker::{Context, Env, HttpRequest, Result, event};

/// Answers a request.
#[event(fetch)]
async fn fetch(request: HttpRequest, env: Env, context: Context) -> Result<Response<Body>> {
    let mut request = request.map(Body::new);
    visitor::introduce(&mut request, env, context)?;
    Ok(router::of_isolate().call(request).await?)
}
