//! Responses: JSON, problems, and the headers that both carry.

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use ownchat_domain::{
    failure::FieldError,
    json::{self, BodyError},
    log::REQUEST_ID_HEADER,
    problem::{self, Problem, ProblemKind},
    route::{self, RouteMatch},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

/// Result of a handler. Both sides are responses.
pub type Answer = Result<Response, Response>;

/// Responds 200 with a JSON body.
pub fn ok(body: &impl Serialize) -> Response {
    dressed(Json(body).into_response())
}

/// Responds 201 with a JSON body.
pub fn created(body: &impl Serialize) -> Response {
    dressed((StatusCode::CREATED, Json(body)).into_response())
}

/// Responds 204.
pub fn done() -> Response {
    dressed(StatusCode::NO_CONTENT.into_response())
}

/// Responds with a problem of a kind that the edge knows, too.
pub fn problem(kind: &ProblemKind, detail: &str) -> Response {
    send(kind.problem("", detail, ""))
}

/// Responds with a problem that only these services have.
pub fn own_problem(code: &str, status: StatusCode, title: &str, detail: &str) -> Response {
    send(Problem::new("", code, status.as_u16(), title, detail.to_owned(), ""))
}

/// Responds with the problem of one invalid field.
pub fn bad_field(field: &str, message: impl Into<String>) -> Response {
    let error = FieldError::new(field, message);
    let kind = &problem::VALIDATION_FAILED;
    let mut problem = kind.problem("", format!("{}: {}", error.field, error.message), "");
    problem.errors.push(error);
    send(problem)
}

/// Responds 404.
pub fn missing() -> Response {
    problem(&problem::NOT_FOUND, "There is nothing with this id.")
}

/// Reads a JSON body. A body that is too large is read to its end and dropped. Otherwise a client
/// that is still sending would not see the response.
///
/// # Errors
///
/// The response to a body that is too large, incomplete or invalid.
pub async fn body<T: DeserializeOwned>(body: Body) -> Result<T, Response> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| problem(&problem::INVALID_JSON, "The body ended before its end."))?;
        length += chunk.len();
        if length <= json::BODY_MAX {
            bytes.extend_from_slice(&chunk);
        }
    }
    if length > json::BODY_MAX {
        return Err(problem(&problem::BODY_TOO_LARGE, problem::BODY_TOO_LARGE.meaning));
    }
    json::read(&bytes).map_err(|error| match error {
        BodyError::Unreadable(detail) => problem(&problem::INVALID_JSON, &detail),
        BodyError::Field(error) => bad_field(&error.field, error.message),
    })
}

/// Responds with a problem. [`finish`] writes it, since it knows the request.
pub fn send(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = dressed(status.into_response());
    response.extensions_mut().insert(problem);
    response
}

/// Writes the problem of a handler, under the request id that the edge has given.
pub async fn finish(request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let mut response = next.run(request).await;
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return response };
    problem.instance = id;
    let mut written = dressed((response.status(), Json(problem)).into_response());
    written.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    written
}

fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Health check, the only response that needs no principal.
pub async fn health() -> Response {
    ok(&json!({"status": "ok"}))
}

/// Responds to routes of the table without data here; the gate rejects all other paths. Lists are
/// empty.
pub async fn elsewhere(method: Method, uri: Uri) -> Response {
    let is_list = matches!(
        route::find(method.as_str(), uri.path()),
        RouteMatch::Route(route) if route.method == "GET" && !route.pattern.contains('{')
    );
    if is_list {
        return ok(&json!({"data": [], "next_cursor": null}));
    }
    own_problem(
        "NOT_IN_DEMO",
        StatusCode::NOT_IMPLEMENTED,
        "The demo services do not have this",
        "This belongs to the Ownchat API; the demo services only keep contacts, conversations and messages.",
    )
}
