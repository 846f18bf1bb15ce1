//! `/api/v1/setup` and `/api/v1/session`: set-up, sign-in, sign-out, and the current session.

use super::{body::JsonBody, json};
use crate::{problem, request_context::RequestContext, use_cases::session};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    failure::Failure,
};
use ownchat_ui::backend::Cookies;

/// `POST /api/v1/setup`
pub async fn set_up(context: RequestContext, JsonBody(request): JsonBody<SetupRequest>) -> Response {
    let about = serde_json::json!({"email": request.email, "name": request.name, "workspace": request.workspace});
    with_cookies(session::set_up(&context, &request).await, (StatusCode::CREATED, Json(about)))
}

/// `POST /api/v1/session`
pub async fn sign_in(context: RequestContext, JsonBody(request): JsonBody<SignInRequest>) -> Response {
    let about = serde_json::json!({"email": request.email});
    with_cookies(session::sign_in(&context, &request).await, Json(about))
}

/// `DELETE /api/v1/session`
pub async fn sign_out(context: RequestContext) -> Response {
    with_cookies(session::sign_out(&context).await, StatusCode::NO_CONTENT)
}

/// `GET /api/v1/session`
pub async fn who(context: RequestContext) -> Response {
    json(session::resume(&context).await.map(|(_, identity)| identity))
}

/// Adds the cookies of a use case to its response, or returns its failure as a problem.
fn with_cookies(outcome: Result<Cookies, Failure>, body: impl IntoResponse) -> Response {
    match outcome {
        Ok(cookies) => {
            let mut response = body.into_response();
            for value in cookies.0.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
                response.headers_mut().append(SET_COOKIE, value);
            }
            response
        }
        Err(failure) => problem::of_failure(&failure),
    }
}
