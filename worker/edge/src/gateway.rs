//! The gateway: a call that was checked goes on to the Ownchat services, without its key and with a
//! signed principal. Bodies are streamed both ways and never looked at.

use crate::{
    answer::{Answer, Answers, COMMON, Header, REQUEST_ID},
    credential,
    edge::{Edge, now},
    incoming::target_of,
};
use ownchat_domain::{
    principal::{self, Principal},
    problem,
    record::Record,
};
use worker::{
    Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response, Result, console_error,
    wasm_bindgen::JsValue, web_sys,
};

/// Headers of one connection (RFC 9110, section 7.6.1), and those that only the platform or the edge may set.
const NOT_PASSED_ON: &[&str] = &[
    "connection",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "forwarded",
    "request-id",
];

/// Forwards the call of the key of `record`. Gives the service's response, dressed with `more` headers, or the answer
/// when there is none.
pub async fn forward(
    edge: &Edge,
    answers: &Answers<'_>,
    request: &Request,
    record: &Record,
    more: &[Header],
) -> Result<core::result::Result<JsValue, Answer>> {
    let principal = Principal {
        key_id: record.locator.to_string(),
        workspace: record.workspace.number,
        environment: record.environment,
        scopes: record.scopes,
        channels: record.channels.clone(),
        request_id: answers.request_id.to_owned(),
        expires_at: now().plus(principal::LIFETIME),
    };
    let headers = Headers::new();
    let body = body(request);
    for (name, value) in request.headers().entries() {
        if passes(&name) && (body.is_some() || name != "content-length") {
            headers.append(&name, &value)?;
        }
    }
    headers.set(principal::HEADER, &principal.sign(&edge.principal_key))?;
    headers.set(REQUEST_ID, answers.request_id)?;

    let target = format!("{}{}", edge.upstream, target_of(&request.inner().url()));
    let mut init = RequestInit::new();
    // Only methods of the route table come here, and `Method` knows all of them.
    init.with_method(Method::from(request.inner().method()))
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(body);
    match Fetch::Request(Request::new_with_init(&target, &init)?).send().await {
        Ok(answer) => dress(answers, answer, more).map(Ok),
        Err(error) => {
            console_error!("{}: upstream: {error}", answers.request_id);
            let kind = &problem::UPSTREAM_UNAVAILABLE;
            Ok(Err(answers.problem(kind, kind.meaning)))
        }
    }
}

/// The body, unless the method gives none a meaning (RFC 9110, section 9.3.1): the platform would refuse to
/// send it on.
fn body(request: &Request) -> Option<JsValue> {
    let has_body = !matches!(request.inner().method().as_str(), "GET" | "HEAD");
    has_body.then(|| request.inner().body().map(JsValue::from)).flatten()
}

/// The service's answer, with the edge's own headers over it.
fn dress(answers: &Answers<'_>, answer: Response, more: &[Header]) -> Result<JsValue> {
    let headers = Headers::new();
    for (name, value) in answer.headers().entries() {
        if name != "set-cookie" && !name.starts_with("access-control-") && passes(&name) {
            headers.append(&name, &value)?;
        }
    }
    for (name, value) in COMMON {
        headers.set(name, value)?;
    }
    headers.set(REQUEST_ID, answers.request_id)?;
    for (name, value) in more {
        headers.set(name, value)?;
    }
    Ok(web_sys::Response::from(answer.with_headers(headers)).into())
}

fn passes(name: &str) -> bool {
    !credential::HEADERS.contains(&name)
        && !NOT_PASSED_ON.contains(&name)
        && name != principal::HEADER
        && !name.starts_with("cf-")
        && !name.starts_with("x-forwarded-")
        && name != "x-real-ip"
        && name != "true-client-ip"
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn no_credential_and_no_header_that_claims_something_passes() {
        for name in ["authorization", "x-api-key", "cookie", "ownchat-principal", "cf-connecting-ip", "x-forwarded-for"]
        {
            assert!(!passes(name), "{name}");
        }
        for name in ["accept", "content-type", "content-length", "idempotency-key", "if-match", "range"] {
            assert!(passes(name), "{name}");
        }
    }
}
