//! `/api/v1/explain`: explains the edge's verdict on a request.

use super::{
    body::{MemberBody, first_of_all},
    json,
};
use crate::{problem, request_context::RequestContext, use_cases::explain};
use axum::response::Response;
use ownchat_domain::explain::ExplainRequest;

/// `POST /api/v1/explain`
pub async fn explain(context: RequestContext, MemberBody(request): MemberBody<ExplainRequest>) -> Response {
    let (subject, case) = match request.read() {
        Ok(asked) => asked,
        Err(failure) => return first_of_all(&context, problem::of_failure(&failure)).await,
    };
    json(explain::explain(&context, subject, case).await)
}
