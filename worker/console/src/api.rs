//! The management API, `/api/v1`: extractors and query parsing around the use cases.

pub mod body;
mod condition;
mod explain;
mod keys;
mod routes;
mod session;
mod transfer;
mod usage;
mod workspace;

pub use routes::router;

use crate::{
    problem,
    request_context::{RequestContext, RequestCredential},
};
use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use ownchat_domain::{failure::Failure, problem::INTERNAL};
use serde::{Serialize, de::DeserializeOwned};
use std::convert::Infallible;

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        match parts.extensions.get::<RequestContext>() {
            Some(context) if matches!(*context.credential, RequestCredential::Ambiguous) => Err(problem::ambiguous()),
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

/// Returns the outcome of a use case as JSON, or its failure as a problem.
fn json<T: Serialize>(outcome: Result<T, Failure>) -> Response {
    outcome.map_or_else(|failure| problem::of_failure(&failure), |value| Json(value).into_response())
}

/// Reads the parameters of a query.
fn query<T: DeserializeOwned>(parameters: Option<String>) -> Result<T, Failure> {
    read_query(pairs(&parameters.unwrap_or_default()))
}

/// Parses the names and values of a query. Any text parses.
fn pairs(query: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn read_query<T: DeserializeOwned>(parameters: Vec<(String, String)>) -> Result<T, Failure> {
    ownchat_domain::query::read(parameters).map_err(|error| Failure::Invalid { errors: vec![error] })
}
