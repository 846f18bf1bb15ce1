//! `/api/v1/setup` and `/api/v1/session`: set-up, sign-in, sign-out, and the current session.

use super::body::Body;
use crate::{cases::Cases, problem};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    failure::Failure,
};
use ownchat_ui::backend::{Backend, Cookies};
use serde_json::json;

/// `POST /api/v1/setup`
pub async fn set_up(cases: Cases, Body(request): Body<SetupRequest>) -> Response {
    let about = json!({"email": request.email, "name": request.name, "workspace": request.workspace});
    answer(cases.set_up(request).await, (StatusCode::CREATED, Json(about)))
}

/// `POST /api/v1/session`
pub async fn sign_in(cases: Cases, Body(request): Body<SignInRequest>) -> Response {
    let about = json!({"email": request.email});
    answer(cases.sign_in(request).await, Json(about))
}

/// `DELETE /api/v1/session`
pub async fn sign_out(cases: Cases) -> Response {
    answer(cases.sign_out().await, StatusCode::NO_CONTENT)
}

/// `GET /api/v1/session`
pub async fn who(cases: Cases) -> Response {
    match cases.identity().await {
        Ok(identity) => Json(identity).into_response(),
        Err(failure) => problem::of_failure(&failure),
    }
}

fn answer(outcome: Result<Cookies, Failure>, body: impl IntoResponse) -> Response {
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
