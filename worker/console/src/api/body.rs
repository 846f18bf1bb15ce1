//! Request body extractors of the management API: JSON and `Idempotency-Key`. Authentication
//! failures take precedence over body errors.

use crate::{paths::within_api, problem, request_context::RequestContext, texts, use_cases::caller::check};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::Next,
    response::Response,
};
use ownchat_domain::{
    idempotency::{BodyHash, Idempotency, IdempotencyKey, NotAnIdempotencyKey},
    json::{self, BODY_MAX},
    problem::{BODY_TOO_LARGE, INVALID_IDEMPOTENCY_KEY, REQUEST_TIMEOUT, UNSUPPORTED_MEDIA_TYPE},
};
use serde::de::DeserializeOwned;

/// Refuses a body with a content encoding: the console decompresses none (RFC 9110, section 8.4).
pub async fn refuse_encoded(request: Request, next: Next) -> Response {
    let encodings = request.headers().get_all(CONTENT_ENCODING);
    if encodings.iter().all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return next.run(request).await;
    }
    let mut refusal = problem::of_kind(&UNSUPPORTED_MEDIA_TYPE, texts::UNCOMPRESSED);
    refusal.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    refusal
}

/// Refuses a body by its length before it is read, except in requests to the route `large` of the
/// API. A client that is refused while it sends could lose the response.
pub async fn refuse_large(large: &'static str, request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_MAX) && within_api(request.uri().path()) != Some(large) {
        return problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning);
    }
    next.run(request).await
}

/// A JSON body from any caller.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        read(request, state).await.map(|(body, _)| Self(body))
    }
}

/// A JSON body from an authenticated caller, by session or key. An unauthenticated caller gets that
/// failure instead of errors in the body.
pub struct MemberBody<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequest<S> for MemberBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (context, request) = context(request, state).await?;
        match read(request, state).await {
            Ok((body, _)) => Ok(Self(body)),
            Err(refusal) => Err(authenticate_first(&context, refusal).await),
        }
    }
}

/// The request of a command that issues a secret: JSON body and optional idempotency key.
pub struct IdempotentBody<T> {
    /// The body.
    pub body: T,
    /// Idempotency key and body hash, if the caller sent `Idempotency-Key`.
    pub once: Option<Idempotency>,
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequest<S> for IdempotentBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (context, request) = context(request, state).await?;
        let key = key(request.headers());
        let read = match key {
            Ok(key) => {
                read(request, state).await.map(|(body, hash)| (body, key.map(|key| Idempotency { key, body: hash })))
            }
            Err(wrong) => Err(problem::of_kind(&INVALID_IDEMPOTENCY_KEY, &wrong.to_string())),
        };
        match read {
            Ok((body, once)) => Ok(Self { body, once }),
            Err(refusal) => Err(authenticate_first(&context, refusal).await),
        }
    }
}

/// Returns the caller's authentication failure, if any, else `refusal`.
pub async fn authenticate_first(context: &RequestContext, refusal: Response) -> Response {
    match check(context).await {
        Ok(()) => refusal,
        Err(failure) => problem::of_failure(&failure),
    }
}

async fn context<S: Send + Sync>(request: Request, state: &S) -> Result<(RequestContext, Request), Response> {
    let (mut parts, body) = request.into_parts();
    let context = RequestContext::from_request_parts(&mut parts, state).await?;
    Ok((context, Request::from_parts(parts, body)))
}

/// Returns the idempotency key, if the caller sent one.
fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, NotAnIdempotencyKey> {
    let mut values = headers.get_all("idempotency-key").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map_err(|_| NotAnIdempotencyKey::Shape)?.parse().map(Some),
        (Some(_), Some(_)) => Err(NotAnIdempotencyKey::Shape),
    }
}

async fn read<T: DeserializeOwned, S: Send + Sync>(request: Request, state: &S) -> Result<(T, BodyHash), Response> {
    let accepted = accepted(request.method());
    if !is_one_of(accepted, request.headers()) {
        return Err(problem::of_kind(&UNSUPPORTED_MEDIA_TYPE, &texts::media_types(accepted)));
    }
    let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => problem::of_kind(&BODY_TOO_LARGE, BODY_TOO_LARGE.meaning),
        // The client has left, or was too slow for the platform.
        _ => problem::of_kind(&REQUEST_TIMEOUT, REQUEST_TIMEOUT.meaning),
    })?;
    let body = json::read(&bytes).map_err(problem::of_body)?;
    Ok((body, BodyHash::of(&bytes)))
}

/// Returns the media types that a body may have. A `PATCH` body is a merge patch (RFC 7396), which
/// has its own type.
fn accepted(method: &Method) -> &'static [&'static str] {
    if method == Method::PATCH { &["application/json", "application/merge-patch+json"] } else { &["application/json"] }
}

/// Returns true if `Content-Type` is one of these media types. Ignores its parameters.
pub fn is_one_of(accepted: &[&str], headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    accepted.iter().any(|media| essence.eq_ignore_ascii_case(media))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_may_come_under_its_own_media_type() {
        for (method, media, passes) in [
            (Method::PATCH, "application/merge-patch+json", true),
            (Method::PATCH, "Application/Merge-Patch+JSON; charset=utf-8", true),
            (Method::PATCH, "application/json", true),
            (Method::PATCH, "application/json-patch+json", false),
            (Method::PATCH, "", false),
            (Method::POST, "application/json;charset=utf-8", true),
            (Method::POST, "application/merge-patch+json", false),
            (Method::POST, "text/plain", false),
        ] {
            let mut headers = HeaderMap::new();
            assert!(!is_one_of(accepted(&method), &headers), "{method}");
            headers.insert(CONTENT_TYPE, media.parse().unwrap());
            assert_eq!(is_one_of(accepted(&method), &headers), passes, "{method} {media}");
        }
    }
}
