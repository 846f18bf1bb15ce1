//! The management API, `/api/v1`: the use-cases as JSON.

mod keys;
mod session;
mod transfer;
mod workspace;

use crate::{cases::Cases, problem, visitor::Visitor};
use axum::{
    Router,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
    response::Response,
    routing::{get, post},
};
use ownchat_domain::{
    json,
    problem::{BODY_TOO_LARGE, INTERNAL, METHOD_NOT_ALLOWED, NOT_FOUND, UNSUPPORTED_MEDIA_TYPE},
};
use serde::de::DeserializeOwned;

/// The routes.
pub fn router() -> Router {
    Router::new()
        .route("/setup", post(session::set_up))
        .route("/session", get(session::who).post(session::sign_in).delete(session::sign_out))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{id}", get(keys::read).patch(keys::change).delete(keys::delete))
        .route("/keys/{id}/restore", post(keys::restore))
        .route("/keys/{id}/rotate", post(keys::rotate))
        .route("/keys/{id}/end-old-secrets", post(keys::end_old_secrets))
        .route("/workspace", get(workspace::read).patch(workspace::change))
        .route("/master-secrets", get(workspace::masters))
        .route("/audit", get(workspace::audit))
        .route("/export", get(transfer::export))
        .route("/import", post(transfer::import))
        .route("/scopes", get(workspace::scopes))
        .fallback(async || problem::of_kind(&NOT_FOUND, "There is no such address in the management API."))
        .method_not_allowed_fallback(async || problem::of_kind(&METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED.meaning))
}

impl<S: Sync> FromRequestParts<S> for Cases {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let visitor = parts.extensions.get::<Visitor>().cloned();
        visitor.map(Self).ok_or_else(|| problem::of_kind(&INTERNAL, INTERNAL.meaning))
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(problem::of_kind(&UNSUPPORTED_MEDIA_TYPE, UNSUPPORTED_MEDIA_TYPE.meaning));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning),
            _ => problem::of_kind(&INTERNAL, INTERNAL.meaning),
        })?;
        json::read(&bytes).map(Self).map_err(problem::of_body)
    }
}
