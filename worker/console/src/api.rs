//! The management API, `/api/v1`: routes, extractors and query parsing around the use cases.

pub mod body;
mod condition;
mod explain;
mod keys;
mod session;
mod transfer;
mod usage;
mod workspace;

use crate::{
    problem,
    request_context::{Credential, RequestContext},
};
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, RawQuery, Request},
    http::request::Parts,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ownchat_domain::{
    failure::Failure,
    problem::{INTERNAL, METHOD_NOT_ALLOWED},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::convert::Infallible;

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

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        match parts.extensions.get::<RequestContext>() {
            Some(context) if matches!(*context.credential, Credential::Ambiguous) => Err(problem::ambiguous()),
            Some(context) => Ok(context.clone()),
            None => Err(problem::of_kind(&INTERNAL, INTERNAL.meaning)),
        }
    }
}

/// The id in a path, as sent; empty if it is not even text. No key has an empty id.
struct Id(String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Path::from_request_parts(parts, state).await.map_or_else(|_| Self(String::new()), |Path(id)| Self(id)))
    }
}

/// The parameters of a route without any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

/// Refuses query parameters of a route that anyone may call.
async fn refuse_parameters(RawQuery(asked): RawQuery, request: Request, next: Next) -> Response {
    match query::<NoParameters>(asked) {
        Ok(NoParameters {}) => next.run(request).await,
        Err(failure) => problem::of_failure(&failure),
    }
}

/// Refuses query parameters. An unauthenticated caller gets that failure instead.
async fn refuse_parameters_of_members(
    context: RequestContext,
    RawQuery(asked): RawQuery,
    request: Request,
    next: Next,
) -> Response {
    match query::<NoParameters>(asked) {
        Ok(NoParameters {}) => next.run(request).await,
        Err(failure) => body::first_of_all(&context, problem::of_failure(&failure)).await,
    }
}

/// Returns the outcome of a use case as JSON, or its failure as a problem.
fn json<T: Serialize>(outcome: Result<T, Failure>) -> Response {
    outcome.map_or_else(|failure| problem::of_failure(&failure), |value| Json(value).into_response())
}

/// Reads the parameters of a query.
fn query<T: DeserializeOwned>(asked: Option<String>) -> Result<T, Failure> {
    read_query(parameters(&asked.unwrap_or_default()))
}

/// Parses the names and values of a query. Any text parses.
fn parameters(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn read_query<T: DeserializeOwned>(parameters: Vec<(String, String)>) -> Result<T, Failure> {
    ownchat_domain::query::read(parameters).map_err(|error| Failure::Invalid { errors: vec![error] })
}
