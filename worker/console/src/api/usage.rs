//! `/api/v1/usage` and `/api/v1/keys/{id}/usage`: usage reports.

use super::{Id, body::first_of_all, keys::missing, query};
use crate::{cases::Cases, problem};
use axum::{
    Json,
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use ownchat_domain::{failure::Failure, usage::Report};

/// `GET /api/v1/usage`
pub async fn of_workspace(cases: Cases, RawQuery(asked): RawQuery) -> Response {
    match query(asked) {
        Ok(asked) => shown(cases.usage(None, asked).await),
        Err(failure) => first_of_all(&cases, problem::of_failure(&failure)).await,
    }
}

/// `GET /api/v1/keys/{id}/usage`
pub async fn of_key(cases: Cases, Id(id): Id, RawQuery(asked): RawQuery) -> Response {
    let Ok(id) = id.parse() else { return problem::of_failure(&missing(&cases).await) };
    match query(asked) {
        Ok(asked) => shown(cases.usage(Some(id), asked).await),
        Err(failure) => first_of_all(&cases, problem::of_failure(&failure)).await,
    }
}

fn shown(outcome: Result<Report, Failure>) -> Response {
    match outcome {
        Ok(report) => Json(report).into_response(),
        Err(failure) => problem::of_failure(&failure),
    }
}
