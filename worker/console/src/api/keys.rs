//! `/api/v1/keys`.

use super::Body;
use crate::{cases::Cases, problem};
use axum::{
    Json,
    extract::{Path, RawQuery},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ETAG, IF_MATCH, LOCATION},
    },
    response::{IntoResponse, Response},
};
use ownchat_domain::{
    failure::Failure,
    key::{Key, KeyPatch, KeyQuery, NewKey, version_of_etag},
    locator::Locator,
    problem::PRECONDITION_REQUIRED,
    token::redact,
};
use ownchat_ui::backend::Backend;
use serde::Serialize;

/// A key that was just made.
#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    about: Key,
    /// The whole key; the only time it is seen. Absent if the caller made the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// `GET /api/v1/keys`
pub async fn list(cases: Cases, RawQuery(query): RawQuery) -> Response {
    let query: KeyQuery = match serde_urlencoded::from_str(&query.unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return problem::of_failure(&Failure::field("query", redact(&error.to_string()))),
    };
    match cases.list_keys(query).await {
        Ok(page) => Json(page).into_response(),
        Err(failure) => problem::of_failure(&failure),
    }
}

/// `POST /api/v1/keys`
pub async fn create(cases: Cases, Body(key): Body<NewKey>) -> Response {
    match cases.create_key(key).await {
        Ok(created) => {
            let location = HeaderValue::from_str(&format!("/api/v1/keys/{}", created.key.id)).ok();
            let etag = etag(&created.key);
            let body = Created { about: created.key, key: created.token.map(|token| token.to_string()) };
            let mut response = (StatusCode::CREATED, Json(body)).into_response();
            response.headers_mut().extend(location.map(|value| (LOCATION, value)));
            response.headers_mut().extend(etag.map(|value| (ETAG, value)));
            response
        }
        Err(failure) => problem::of_failure(&failure),
    }
}

/// `GET /api/v1/keys/{id}`
pub async fn read(cases: Cases, Path(id): Path<String>) -> Response {
    match id.parse::<Locator>() {
        Ok(id) => shown(cases.read_key(id).await),
        Err(_) => problem::of_failure(&missing(&cases).await),
    }
}

/// `PATCH /api/v1/keys/{id}`
pub async fn change(cases: Cases, Path(id): Path<String>, headers: HeaderMap, Body(patch): Body<KeyPatch>) -> Response {
    match seen(&cases, &id, &headers).await {
        Ok((id, version)) => shown(cases.change_key(id, version, patch).await),
        Err(refusal) => refusal,
    }
}

/// `DELETE /api/v1/keys/{id}`
pub async fn delete(cases: Cases, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match seen(&cases, &id, &headers).await {
        Ok((id, version)) => match cases.delete_key(id, version).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(failure) => problem::of_failure(&failure),
        },
        Err(refusal) => refusal,
    }
}

/// The key that the path names, in the version that the caller has seen (RFC 9110, section 13.1.1).
async fn seen(cases: &Cases, id: &str, headers: &HeaderMap) -> Result<(Locator, u64), Response> {
    let Ok(id) = id.parse::<Locator>() else { return Err(problem::of_failure(&missing(cases).await)) };
    // Whether there is such a key comes before what is wrong with the request.
    cases.read_key(id).await.map_err(|failure| problem::of_failure(&failure))?;
    let Some(tag) = headers.get(IF_MATCH) else {
        return Err(problem::of_kind(&PRECONDITION_REQUIRED, PRECONDITION_REQUIRED.meaning));
    };
    match tag.to_str().ok().and_then(version_of_etag) {
        Some(version) => Ok((id, version)),
        None => Err(problem::of_failure(&Failure::Stale)),
    }
}

/// Why there is nothing: whoever is not signed in is told that first.
async fn missing(cases: &Cases) -> Failure {
    cases.identity().await.err().unwrap_or(Failure::NotFound)
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
