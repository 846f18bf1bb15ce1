//! `/api/v1/usage` and `/api/v1/keys/{id}/usage`: usage reports.

use super::{Id, body::first_of_all, json, keys::missing, query};
use crate::{problem, request_context::RequestContext, use_cases::usage};
use axum::{extract::RawQuery, response::Response};

/// `GET /api/v1/usage`
pub async fn of_workspace(context: RequestContext, RawQuery(asked): RawQuery) -> Response {
    match query(asked) {
        Ok(asked) => json(usage::read(&context, None, asked).await),
        Err(failure) => first_of_all(&context, problem::of_failure(&failure)).await,
    }
}

/// `GET /api/v1/keys/{id}/usage`
pub async fn of_key(context: RequestContext, Id(id): Id, RawQuery(asked): RawQuery) -> Response {
    let Ok(id) = id.parse() else { return problem::of_failure(&missing(&context).await) };
    match query(asked) {
        Ok(asked) => json(usage::read(&context, Some(id), asked).await),
        Err(failure) => first_of_all(&context, problem::of_failure(&failure)).await,
    }
}
