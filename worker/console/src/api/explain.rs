//! `/api/v1/explain`: explains the edge's verdict on a request.

use super::body::{MemberBody, first_of_all};
use crate::{cases::Cases, problem};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use ownchat_domain::explain::ExplainRequest;

/// `POST /api/v1/explain`
pub async fn explain(cases: Cases, MemberBody(request): MemberBody<ExplainRequest>) -> Response {
    let (subject, case) = match request.read() {
        Ok(asked) => asked,
        Err(failure) => return first_of_all(&cases, problem::of_failure(&failure)).await,
    };
    match cases.explain(subject, case).await {
        Ok(explanation) => Json(explanation).into_response(),
        Err(failure) => problem::of_failure(&failure),
    }
}
