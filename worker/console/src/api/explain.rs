//! `/api/v1/explain`: explains the edge's verdict on a request.

use super::{
    body::{MemberBody, authenticate_first},
    json,
};
use crate::{problem, request_context::RequestContext, use_cases::explain};
use axum::response::Response;
use ownchat_domain::explain::ExplainRequest;

/// `POST /api/v1/explain`
pub async fn explain(context: RequestContext, MemberBody(request): MemberBody<ExplainRequest>) -> Response {
    let (subject, case) = match request.read() {
        Ok(read) => read,
        Err(failure) => return authenticate_first(&context, problem::of_failure(&failure)).await,
    };
    json(explain::explain(&context, subject, case).await)
}
