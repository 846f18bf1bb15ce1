//! The list of routes of the management API, `/api/v1`.

use super::{body, explain, keys, query, session, transfer, usage, workspace};
use crate::{problem, request_context::RequestContext};
use axum::{
    Router,
    extract::{RawQuery, Request},
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use ownchat_domain::problem::METHOD_NOT_ALLOWED;
use serde::Deserialize;

/// Returns the routes of the management API. An unknown query parameter is an error in all of them.
pub fn router() -> Router {
    let with_parameters = Router::new()
        .route("/keys", get(keys::list))
        .route("/keys/{id}/usage", get(usage::of_key))
        .route("/usage", get(usage::of_workspace))
        .route("/audit", get(workspace::audit));
    let public = Router::new()
        .route("/setup", post(session::set_up))
        .route("/session", get(session::who).post(session::sign_in).delete(session::sign_out))
        .route("/scopes", get(workspace::scopes))
        .route_layer(from_fn(refuse_parameters));
    let of_members = Router::new()
        .route("/keys", post(keys::create))
        .route("/keys/{id}", get(keys::read).patch(keys::change).delete(keys::delete))
        .route("/keys/{id}/duplicate", post(keys::duplicate))
        .route("/keys/{id}/restore", post(keys::restore))
        .route("/keys/{id}/rotate", post(keys::rotate))
        .route("/keys/{id}/end-old-secrets", post(keys::end_old_secrets))
        .route("/explain", post(explain::explain))
        .route("/workspace", get(workspace::read).patch(workspace::change))
        .route("/master-secrets", get(workspace::masters))
        .route("/export", get(transfer::export))
        .route("/import", post(transfer::import))
        .route_layer(from_fn(refuse_parameters_of_members));
    with_parameters
        .merge(public)
        .merge(of_members)
        .fallback(async || problem::unknown_api_url())
        .method_not_allowed_fallback(async || problem::of_kind(&METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED.meaning))
}

/// The parameters of a route without any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

/// Refuses query parameters of a route that anyone may call.
async fn refuse_parameters(RawQuery(parameters): RawQuery, request: Request, next: Next) -> Response {
    match query::<NoParameters>(parameters) {
        Ok(NoParameters {}) => next.run(request).await,
        Err(failure) => problem::of_failure(&failure),
    }
}

/// Refuses query parameters. An unauthenticated caller gets that failure instead.
async fn refuse_parameters_of_members(
    context: RequestContext,
    RawQuery(parameters): RawQuery,
    request: Request,
    next: Next,
) -> Response {
    match query::<NoParameters>(parameters) {
        Ok(NoParameters {}) => next.run(request).await,
        Err(failure) => body::authenticate_first(&context, problem::of_failure(&failure)).await,
    }
}
