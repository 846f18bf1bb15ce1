//! `/api/v1/usage` and `/api/v1/keys/{id}/usage`: usage reports.

use super::{Id, body::authenticate_first, json, keys::missing, query};
use crate::{problem, request_context::RequestContext, use_cases::usage};
use axum::{extract::RawQuery, response::Response};

/// `GET /api/v1/usage`
pub async fn of_workspace(context: RequestContext, RawQuery(parameters): RawQuery) -> Response {
    match query(parameters) {
        Ok(query) => json(usage::read(&context, None, query).await),
        Err(failure) => authenticate_first(&context, problem::of_failure(&failure)).await,
    }
}

/// `GET /api/v1/keys/{id}/usage`
pub async fn of_key(context: RequestContext, Id(id): Id, RawQuery(parameters): RawQuery) -> Response {
    let Ok(id) = id.parse() else { return problem::of_failure(&missing(&context).await) };
    match query(parameters) {
        Ok(query) => json(usage::read(&context, Some(id), query).await),
        Err(failure) => authenticate_first(&context, problem::of_failure(&failure)).await,
    }
}
