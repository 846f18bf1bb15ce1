//! `/api/v1/keys`: lists, creates, changes, rotates, deletes and restores API keys.

use super::{
    Id,
    body::{IdempotentBody, MemberBody, authenticate_first},
    condition, json, query,
};
use crate::{
    paths::API,
    problem,
    request_context::RequestContext,
    texts,
    use_cases::{
        caller::{call, check},
        keys::{self, Rotated},
    },
};
use axum::{
    Json,
    extract::RawQuery,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ETAG, LOCATION},
    },
    response::{IntoResponse, Response},
};
use ownchat_domain::{
    digest::SecretHash,
    failure::Failure,
    key::{Key, KeyPatch, KeyQuery, NewDuplicate, NewKey},
    locator::Locator,
    time::Timestamp,
    vault::registry::{Changed, DeleteKey, ReadKey},
};
use ownchat_ui::backend::{CreatedKey, DuplicateRequest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A key with a new secret.
#[derive(Serialize)]
struct KeyWithSecret {
    #[serde(flatten)]
    about: Key,
    /// The whole key, shown only in this response. Absent if the caller made the secret, `null` if
    /// an earlier request showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[allow(clippy::option_option, reason = "absent, null or a value")]
    key: Option<Option<String>>,
    /// Advice for a `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

/// Header of a replayed response: an earlier request with the same idempotency key did the work.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Renders a key with its new secret, if generated here and not shown before.
fn with_secret(
    status: StatusCode,
    about: Key,
    token: Option<Zeroizing<String>>,
    made_here: bool,
    replayed: bool,
) -> Response {
    let etag = etag(&about);
    let hidden = made_here && replayed;
    let key = made_here.then(|| token.map(|token| token.to_string()));
    let mut response =
        (status, Json(KeyWithSecret { about, key, hint: hidden.then_some(texts::SHOWN_ONCE) })).into_response();
    response.headers_mut().extend(etag.map(|value| (ETAG, value)));
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// `GET /api/v1/keys`
pub async fn list(context: RequestContext, RawQuery(parameters): RawQuery) -> Response {
    let query: KeyQuery = match query(parameters) {
        Ok(query) => query,
        Err(failure) => return authenticate_first(&context, problem::of_failure(&failure)).await,
    };
    json(keys::list(&context, query).await)
}

/// `POST /api/v1/keys`
pub async fn create(context: RequestContext, IdempotentBody { body, once }: IdempotentBody<NewKey>) -> Response {
    let made_here = body.secret_sha256.is_none();
    created(keys::create(&context, body, once).await, made_here)
}

/// `POST /api/v1/keys/{id}/duplicate`
pub async fn duplicate(
    context: RequestContext,
    Id(id): Id,
    IdempotentBody { body, once }: IdempotentBody<NewDuplicate>,
) -> Response {
    let Ok(id) = id.parse() else { return problem::of_failure(&missing(&context).await) };
    let secret = body.secret_sha256;
    let copy = DuplicateRequest { id, differences: body.differences(), environment: None, secret };
    created(keys::duplicate(&context, copy, once).await, secret.is_none())
}

fn created(outcome: Result<CreatedKey, Failure>, made_here: bool) -> Response {
    match outcome {
        Ok(CreatedKey { key, token, replayed }) => {
            let location = HeaderValue::from_str(&format!("{API}/keys/{}", key.id)).ok();
            let mut response = with_secret(StatusCode::CREATED, key, token, made_here, replayed);
            response.headers_mut().extend(location.map(|value| (LOCATION, value)));
            response
        }
        Err(failure) => problem::of_failure(&failure),
    }
}

/// `GET /api/v1/keys/{id}`
pub async fn read(context: RequestContext, Id(id): Id) -> Response {
    match id.parse::<Locator>() {
        Ok(id) => shown(keys::read(&context, id).await),
        Err(_) => problem::of_failure(&missing(&context).await),
    }
}

/// `PATCH /api/v1/keys/{id}`
pub async fn change(
    context: RequestContext,
    Id(id): Id,
    headers: HeaderMap,
    MemberBody(patch): MemberBody<KeyPatch>,
) -> Response {
    match key_and_version(&context, &id, &headers, patch.only_deactivates()).await {
        Ok((id, version)) => changed(keys::change(&context, id, version, patch).await),
        Err(refusal) => refusal,
    }
}

/// `DELETE /api/v1/keys/{id}`
pub async fn delete(context: RequestContext, Id(id): Id, headers: HeaderMap) -> Response {
    match key_and_version(&context, &id, &headers, true).await {
        Ok((id, version)) => match call(&context, |origin| DeleteKey { origin, id, version }).await {
            Ok(deleted) => effective(StatusCode::NO_CONTENT.into_response(), deleted.effective_at),
            Err(failure) => problem::of_failure(&failure),
        },
        Err(refusal) => refusal,
    }
}

/// `POST /api/v1/keys/{id}/restore`
pub async fn restore(context: RequestContext, Id(id): Id) -> Response {
    match id.parse() {
        Ok(id) => changed(keys::restore(&context, id).await),
        Err(_) => problem::of_failure(&missing(&context).await),
    }
}

/// The body of a rotation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationRequest {
    /// Seconds for which the old secrets stay valid.
    overlap_seconds: u32,
    /// Permits ending old secrets before the end of a previous overlap.
    #[serde(default)]
    end_earlier: bool,
    /// Hash of a secret that the caller generated and keeps; absent to have one generated.
    secret_sha256: Option<SecretHash>,
}

/// `POST /api/v1/keys/{id}/rotate`
pub async fn rotate(
    context: RequestContext,
    Id(id): Id,
    IdempotentBody { body, once }: IdempotentBody<RotationRequest>,
) -> Response {
    let Ok(id) = id.parse() else { return problem::of_failure(&missing(&context).await) };
    let made_here = body.secret_sha256.is_none();
    let overlap = (body.overlap_seconds, body.end_earlier);
    match keys::rotate(&context, id, overlap, body.secret_sha256, once).await {
        Ok(Rotated { changed, token }) => {
            let response = with_secret(StatusCode::OK, changed.key, token, made_here, changed.replayed);
            effective(response, changed.effective_at)
        }
        Err(failure) => problem::of_failure(&failure),
    }
}

/// `POST /api/v1/keys/{id}/end-old-secrets`
pub async fn end_old_secrets(context: RequestContext, Id(id): Id) -> Response {
    match id.parse() {
        Ok(id) => changed(keys::end_old_secrets(&context, id).await),
        Err(_) => problem::of_failure(&missing(&context).await),
    }
}

fn changed(outcome: Result<Changed, Failure>) -> Response {
    match outcome {
        Ok(Changed { key, effective_at, .. }) => effective(shown(Ok(key)), effective_at),
        Err(failure) => problem::of_failure(&failure),
    }
}

/// Adds the time from which a change is effective everywhere, if it takes access away.
pub fn effective(mut response: Response, since: Option<Timestamp>) -> Response {
    let value = since.and_then(|since| HeaderValue::from_str(&since.rfc3339()).ok());
    response.headers_mut().extend(value.map(|value| (EFFECTIVE_AT, value)));
    response
}

/// The header with the time from which a change is effective everywhere (RFC 3339).
const EFFECTIVE_AT: HeaderName = HeaderName::from_static("effective-at");

/// Returns the key in the path and the version in `If-Match`. A command that ignores the version is
/// not refused because a proxy has rewritten the header.
async fn key_and_version(
    context: &RequestContext,
    id: &str,
    headers: &HeaderMap,
    ignores_version: bool,
) -> Result<(Locator, u64), Response> {
    let Ok(id) = id.parse::<Locator>() else { return Err(problem::of_failure(&missing(context).await)) };
    match condition::expected_version(headers) {
        // The command itself checks that the key exists: it also sees deletions not yet effective
        // everywhere.
        Ok(version) => Ok((id, version)),
        Err(condition::PreconditionError::Foreign) if ignores_version => Ok((id, 0)),
        // As in the other routes, a missing key takes precedence over an invalid request.
        Err(error) => Err(match call(context, |origin| ReadKey { caller: origin.caller, id }).await {
            Ok(_) => problem::of_kind(error.kind(), error.detail()),
            Err(failure) => problem::of_failure(&failure),
        }),
    }
}

/// Returns the caller's authentication failure, if any, else [`Failure::NotFound`].
pub async fn missing(context: &RequestContext) -> Failure {
    check(context).await.err().unwrap_or(Failure::NotFound)
}

fn shown(outcome: Result<Key, Failure>) -> Response {
    match outcome {
        Ok(key) => {
            let etag = etag(&key);
            let mut response = Json(key).into_response();
            response.headers_mut().extend(etag.map(|value| (ETAG, value)));
            response
        }
        Err(failure) => problem::of_failure(&failure),
    }
}

fn etag(key: &Key) -> Option<HeaderValue> {
    HeaderValue::from_str(&key.etag()).ok()
}
