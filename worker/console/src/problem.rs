//! Problem responses (RFC 9457) of the API: the status and kind of each failure.

use crate::{log, request_context::RequestContext, texts};
use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ownchat_domain::{
    credential,
    failure::{Failure, FieldError},
    json::BodyError,
    log::REQUEST_ID_HEADER,
    problem::{self, Problem, ProblemKind},
    scope::ScopeSet,
    verdict::{Code, Denial},
};

/// Returns a problem of a kind. [`finish`] adds the details of the request.
pub fn of_kind(kind: &ProblemKind, detail: &str) -> Response {
    carry(kind.problem("", detail, ""))
}

/// Returns the problem for a failed use case.
pub fn of_failure(failure: &Failure) -> Response {
    let kind = match failure {
        Failure::Invalid { errors } => return of_fields(errors.clone()),
        Failure::NotSignedIn => &problem::NOT_SIGNED_IN,
        Failure::WrongCredentials => &problem::WRONG_CREDENTIALS,
        Failure::Forbidden => &problem::FORBIDDEN,
        Failure::NotHeld { required, held } => return of_scopes(*required, *held),
        Failure::Beyond { errors } => return of_reach(errors.clone()),
        Failure::KeyRefused { code, detail } => return of_key(*code, detail),
        Failure::ScopeMissing { required, granted } => return of_missing_scopes(*required, *granted),
        Failure::NotFound => &problem::NOT_FOUND,
        Failure::Stale => &problem::STALE,
        Failure::TooMany { .. } => &problem::TOO_MANY_ATTEMPTS,
        Failure::Busy { .. } => &problem::BUSY,
        Failure::Reused => &problem::IDEMPOTENCY_KEY_REUSED,
        Failure::Running => &problem::IDEMPOTENCY_KEY_IN_USE,
        Failure::NotEffectiveYet => &problem::NOT_EFFECTIVE_YET,
        Failure::Unavailable => &problem::UNAVAILABLE,
    };
    let mut response = of_kind(kind, kind.meaning);
    if matches!(failure, Failure::NotSignedIn) {
        // A key would have authenticated the request.
        challenge(&mut response, credential::challenge(Code::MissingKey, ScopeSet::EMPTY));
    }
    let retry_after = match failure {
        Failure::TooMany { retry_after } | Failure::Busy { retry_after } => *retry_after,
        Failure::Unavailable | Failure::NotEffectiveYet | Failure::Running => 1,
        _ => return response,
    };
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// Returns the refusal of a key caller, as the edge words it.
fn of_key(code: Code, detail: &str) -> Response {
    let mut response = of_kind(ProblemKind::of(code), detail);
    challenge(&mut response, credential::challenge(code, ScopeSet::EMPTY));
    response
}

/// Returns the refusal of a key without the required scopes. It names required, granted and missing
/// scopes.
fn of_missing_scopes(required: ScopeSet, granted: ScopeSet) -> Response {
    let denial = Denial::ScopeMissing { required, granted };
    let mut problem = ProblemKind::of(denial.code()).problem("", denial.detail(), "");
    (problem.required, problem.granted) = (required.names(), Some(granted.names()));
    problem.missing = granted.missing(required).names();
    let mut response = carry(problem);
    challenge(&mut response, credential::challenge(denial.code(), required));
    response
}

/// Returns the problem for a URL under `/api/` that no route matches.
pub fn unknown_api_url() -> Response {
    of_kind(&problem::NOT_FOUND, texts::UNKNOWN_API_URL)
}

/// Returns the refusal of a request with more than one key.
pub fn ambiguous() -> Response {
    let kind = &problem::AMBIGUOUS_KEY;
    let mut response = of_kind(kind, kind.meaning);
    challenge(&mut response, Some(credential::ambiguous_challenge()));
    response
}

fn challenge(response: &mut Response, challenge: Option<String>) {
    let value = challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok());
    response.headers_mut().extend(value.map(|value| (header::WWW_AUTHENTICATE, value)));
}

/// Returns the problem for an invalid body.
pub fn of_body(error: BodyError) -> Response {
    match error {
        BodyError::Unreadable(detail) => of_kind(&problem::INVALID_JSON, &detail),
        BodyError::Field(error) => of_fields(vec![error]),
    }
}

fn of_fields(errors: Vec<FieldError>) -> Response {
    let names: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    let mut problem = problem::VALIDATION_FAILED.problem("", texts::invalid_fields(&names), "");
    problem.errors = errors;
    carry(problem)
}

/// Returns the refusal to grant scopes that the caller lacks. It names required, held and missing
/// scopes.
fn of_scopes(required: ScopeSet, held: ScopeSet) -> Response {
    let missing = held.missing(required).names();
    let mut problem = problem::SCOPE_NOT_HELD.problem("", texts::scopes_not_held(&missing), "");
    (problem.required, problem.granted, problem.missing) = (required.names(), Some(held.names()), missing);
    carry(problem)
}

/// Returns the refusal to grant a key more than the calling key has. Field errors name each excess.
fn of_reach(errors: Vec<FieldError>) -> Response {
    let mut problem = problem::SCOPE_NOT_HELD.problem("", texts::BEYOND_CALLER, "");
    problem.errors = errors;
    carry(problem)
}

fn carry(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    response.extensions_mut().insert(problem);
    response
}

/// Writes the problem of a handler, with the request id and an absolute URL for its kind. Logs
/// server errors once, with that id.
pub async fn finish(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestContext>().map(|context| context.request_id.clone()).unwrap_or_default();
    let origin = crate::origin::own_origin(request.uri()).unwrap_or_default();
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    let problem = response.extensions_mut().remove::<Problem>();
    if response.status().is_server_error() {
        let code = problem.as_ref().map_or(problem::INTERNAL.code, |problem| problem.code.as_str());
        // Log no path: it may contain a key.
        log::server_error(&id, response.status().as_u16(), code);
    }
    let Some(mut problem) = problem else { return response };
    problem.kind = format!("{origin}{}", problem.kind);
    problem.instance = id;
    let (parts, _) = response.into_parts();
    let mut written = Json(problem).into_response();
    *written.status_mut() = parts.status;
    let of_json = written.headers().clone();
    *written.headers_mut() = parts.headers;
    written.headers_mut().extend(of_json);
    written.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_fails_is_said_to_fail_whatever_was_asked_of_it() {
        let response = of_failure(&Failure::Unavailable);
        let problem = response.extensions().get::<Problem>().unwrap();
        assert_eq!((response.status(), problem.code.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
        assert!(!problem.title.contains("key"), "a key was to be made, not checked: {}", problem.title);
        let detail = problem.detail.as_str();
        assert!(
            detail.contains("the outcome of a change is unknown") && detail.contains("Idempotency-Key"),
            "{detail}"
        );
    }
}
