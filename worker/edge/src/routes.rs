//! Which address does what. What is not the edge's own goes to the gateway.

use crate::{
    answer::Answers,
    credential::{self, Credential},
    describe::describe,
    edge::{Edge, now, request_id},
    gate::{Checked, Wanted},
    gateway,
    lookup::{afterwards, check},
};
use futures_util::StreamExt;
use ownchat_domain::{
    failure::FieldError,
    json,
    policy::Call,
    problem,
    route::{self, Found},
    scope::ScopeSet,
    verdict::Denial,
};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, rc::Rc};
use worker::{Context, Env, Request, Response, Result, console_error};

/// What a service asks about a key that it was handed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    key: String,
    #[serde(default)]
    scopes: Vec<String>,
    /// The channel that the call is about.
    channel: Option<String>,
    /// The address of whoever handed the key over.
    address: Option<String>,
    /// What the call costs of the key's limits; 1 if absent.
    cost: Option<u32>,
}

/// What `GET /v1/health` answers.
#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    /// Milliseconds since the feed of changes was read that was read longest ago; none while no feed was.
    feed_age_ms: Option<i64>,
}

/// Answers a call. Whatever goes wrong on our side is a problem, too; the log says what it was.
pub async fn answer(request: Request, env: Env, context: Context) -> Result<Response> {
    let edge = Edge::of(&env)?;
    let request_id = request_id()?;
    let answers = Answers { edge: &edge, request_id: &request_id };
    let stores = Stores { edge: edge.clone(), env, context };
    match route(&answers, request, &stores).await {
        Err(error) => {
            console_error!("{request_id}: {error}");
            answers.problem(&problem::INTERNAL, problem::INTERNAL.meaning)
        }
        answered => answered,
    }
}

/// What a check needs besides the key.
struct Stores {
    edge: Rc<Edge>,
    env: Env,
    context: Context,
}

impl Stores {
    /// Checks a key. What can wait until after the answer is done then.
    async fn check(&self, key: &str, wanted: &Wanted<'_>) -> Checked {
        let checked = check(&self.edge, &self.env, key, wanted).await;
        if let Some(record) = checked.record.clone() {
            let (edge, env) = (self.edge.clone(), self.env.clone());
            self.context.wait_until(async move { afterwards(&edge, &env, record).await });
        }
        checked
    }
}

async fn route(answers: &Answers<'_>, request: Request, stores: &Stores) -> Result<Response> {
    // `Request::method` takes methods that it does not know for GET.
    let method = request.inner().method();
    let path = request.path();
    if method == "OPTIONS" {
        return answers.preflight();
    }
    match (path.as_str(), method.as_str()) {
        ("/v1/verify", "POST") => verify(answers, stores, request).await,
        ("/v1/verify", _) => answers.method_not_allowed(&["POST"]),
        ("/v1/key", "GET" | "HEAD") => own_key(answers, stores, &request).await,
        ("/v1/health", "GET" | "HEAD") => answers.ok(&Health {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            feed_age_ms: stores.edge.gate.feed_age(now()),
        }),
        ("/v1/key" | "/v1/health", _) => answers.method_not_allowed(&["GET", "HEAD"]),
        _ => through_gateway(answers, stores, request, &method, &path).await,
    }
}

async fn verify(answers: &Answers<'_>, stores: &Stores, mut request: Request) -> Result<Response> {
    let Some(body) = read_body(&mut request).await? else {
        return answers.problem(&problem::BODY_TOO_LARGE, problem::BODY_TOO_LARGE.meaning);
    };
    let asked: Verify = match json::read(&body) {
        Ok(asked) => asked,
        Err(error) => return answers.bad_body(error),
    };
    let required = match ScopeSet::from_names(asked.scopes.iter().map(String::as_str)) {
        Ok(required) => required,
        Err(error) => return answers.bad_field(FieldError::new("scopes", error.to_string())),
    };
    let Ok(address) = asked.address.as_deref().map(str::parse::<IpAddr>).transpose() else {
        return answers.bad_field(FieldError::new("address", "This is not an IPv4 or IPv6 address."));
    };
    let call = Call { required, channel: asked.channel.as_deref(), address };
    let checked = stores.check(&asked.key, &Wanted { call, cost: asked.cost.unwrap_or(1) }).await;
    answers.limits(answers.ok(&describe(&checked))?, &checked)
}

async fn own_key(answers: &Answers<'_>, stores: &Stores, request: &Request) -> Result<Response> {
    match credential(request)? {
        Credential::None => answers.denied(&Denial::Missing),
        Credential::Ambiguous => answers.ambiguous(),
        Credential::One(key) => {
            let call = Call { address: address(request)?, ..Call::default() };
            // To look at oneself costs nothing.
            let checked = stores.check(&key, &Wanted { call, cost: 0 }).await;
            let answer = match &checked.verdict {
                Ok(()) => answers.ok(&describe(&checked))?,
                Err(denial) => answers.denied(denial)?,
            };
            answers.limits(answer, &checked)
        }
    }
}

async fn through_gateway(
    answers: &Answers<'_>,
    stores: &Stores,
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
            let call = Call {
                required: ScopeSet::from_iter([route.scope]),
                channel: route.channel_of(path),
                address: address(&request)?,
            };
            let checked = stores.check(&key, &Wanted { call, cost: 1 }).await;
            let answer = match (&checked.verdict, &checked.record) {
                (Ok(()), Some(record)) => gateway::forward(answers, &request, record).await?,
                (Err(denial), _) => answers.denied(denial)?,
                (Ok(()), None) => answers.denied(&Denial::Unknown)?,
            };
            answers.limits(answer, &checked)
        }
    }
}

/// The caller's address. The platform sets this header and overwrites what a caller sends.
fn address(request: &Request) -> Result<Option<IpAddr>> {
    Ok(request.headers().get("cf-connecting-ip")?.and_then(|text| text.parse().ok()))
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
