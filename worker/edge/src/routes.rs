//! Which address does what. What is not the edge's own goes to the gateway.

use crate::{
    answer::Answers,
    credential::{self, Credential},
    describe::describe,
    edge::{Edge, request_id},
    gateway,
    lookup::check,
};
use futures_util::StreamExt;
use ownchat_domain::{
    failure::FieldError,
    json, problem,
    route::{self, Found},
    scope::ScopeSet,
    verdict::Denial,
};
use serde::{Deserialize, Serialize};
use worker::{Env, Request, Response, Result, console_error};

/// What a service asks about a key that it was handed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    key: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// What `GET /v1/health` answers.
#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    /// Milliseconds since the feed of revocations was read; none while no feed is read.
    feed_age_ms: Option<i64>,
}

/// Answers a call. Whatever goes wrong on our side is a problem, too; the log says what it was.
pub async fn answer(request: Request, env: Env) -> Result<Response> {
    let edge = Edge::of(&env)?;
    let request_id = request_id()?;
    let answers = Answers { edge: &edge, request_id: &request_id };
    match route(&answers, request, env).await {
        Err(error) => {
            console_error!("{request_id}: {error}");
            answers.problem(&problem::INTERNAL, problem::INTERNAL.meaning)
        }
        answered => answered,
    }
}

async fn route(answers: &Answers<'_>, request: Request, env: Env) -> Result<Response> {
    // `Request::method` takes methods that it does not know for GET.
    let method = request.inner().method();
    let path = request.path();
    if method == "OPTIONS" {
        return answers.preflight();
    }
    match (path.as_str(), method.as_str()) {
        ("/v1/verify", "POST") => verify(answers, &env, request).await,
        ("/v1/verify", _) => answers.method_not_allowed(&["POST"]),
        ("/v1/key", "GET" | "HEAD") => own_key(answers, &env, &request).await,
        ("/v1/health", "GET" | "HEAD") => {
            answers.ok(&Health { status: "ok", version: env!("CARGO_PKG_VERSION"), feed_age_ms: None })
        }
        ("/v1/key" | "/v1/health", _) => answers.method_not_allowed(&["GET", "HEAD"]),
        _ => through_gateway(answers, &env, request, &method, &path).await,
    }
}

async fn verify(answers: &Answers<'_>, env: &Env, mut request: Request) -> Result<Response> {
    let Some(body) = read_body(&mut request).await? else {
        return answers.problem(&problem::BODY_TOO_LARGE, problem::BODY_TOO_LARGE.meaning);
    };
    let asked: Verify = match json::read(&body) {
        Ok(asked) => asked,
        Err(error) => return answers.bad_body(error),
    };
    match ScopeSet::from_names(asked.scopes.iter().map(String::as_str)) {
        Ok(required) => answers.ok(&describe(&check(answers.edge, env, &asked.key, required).await)),
        Err(error) => answers.bad_field(FieldError::new("scopes", error.to_string())),
    }
}

async fn own_key(answers: &Answers<'_>, env: &Env, request: &Request) -> Result<Response> {
    match credential(request)? {
        Credential::None => answers.denied(&Denial::Missing),
        Credential::Ambiguous => answers.ambiguous(),
        Credential::One(key) => {
            let checked = check(answers.edge, env, &key, ScopeSet::EMPTY).await;
            match &checked.verdict {
                Ok(()) => answers.ok(&describe(&checked)),
                Err(denial) => answers.denied(denial),
            }
        }
    }
}

async fn through_gateway(
    answers: &Answers<'_>,
    env: &Env,
    request: Request,
    method: &str,
    path: &str,
) -> Result<Response> {
    let route = match route::find(method, path) {
        Found::Route(route) => route,
        Found::Method(allowed) => return answers.method_not_allowed(&allowed),
        Found::None => return answers.problem(&problem::NOT_FOUND, "There is no such address in the Ownchat API."),
    };
    match credential(&request)? {
        Credential::None => answers.denied(&Denial::Missing),
        Credential::Ambiguous => answers.ambiguous(),
        Credential::One(key) => {
            let checked = check(answers.edge, env, &key, ScopeSet::from_iter([route.scope])).await;
            match (&checked.verdict, &checked.record) {
                (Ok(()), Some(record)) => gateway::forward(answers, &request, record).await,
                (Err(denial), _) => answers.denied(denial),
                (Ok(()), None) => answers.denied(&Denial::Unknown),
            }
        }
    }
}

fn credential(request: &Request) -> Result<Credential> {
    let [authorization, api_key] = credential::HEADERS;
    let (authorization, api_key) = (request.headers().get(authorization)?, request.headers().get(api_key)?);
    Ok(credential::read(authorization.as_deref(), api_key.as_deref()))
}

/// The body, or nothing if it is larger than a body may be; no more of it than that is read.
async fn read_body(request: &mut Request) -> Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    if request.inner().body().is_none() {
        return Ok(Some(body));
    }
    let mut stream = request.stream()?;
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > json::BODY_MAX {
            return Ok(None);
        }
    }
    Ok(Some(body))
}
