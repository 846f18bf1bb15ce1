#![doc = include_str!("../README.md")]

pub mod authorizer;
pub mod deferred;
pub mod describe;
pub mod edge;
pub mod feed_view;
pub mod forwards;
pub mod gateway;
pub mod key_cache;
pub mod key_check;
pub mod lookup;
pub mod permits;
pub mod plan;
pub mod platform;
pub mod request;
pub mod response;
pub mod service_tokens;
pub mod single_flight;
pub mod timeouts;
pub mod usage_buffer;
pub mod verify_request;

#[cfg(test)]
mod protocol;
#[cfg(test)]
mod testing;

use crate::{
    authorizer::Evaluation,
    edge::Edge,
    gateway::BlockedHeaders,
    key_check::{Decision, KeyCheck, Purpose, Requirements},
    plan::Plan,
    platform::{Platform, now},
    request::Request,
    response::{BodyKind, COMMON_HEADERS, Responder, Response, forwarding},
};
use ownchat_domain::{
    json::BODY_MAX, log::REQUEST_ID_HEADER, network::CLIENT_IP_HEADER, principal, problem, time::Timestamp,
    verdict::Denial,
};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

/// Decides a request from the caches; `request_text` has the format of [`Request::parse`], `now` is
/// in milliseconds.
///
/// Returns the response as [`Response::encode`] writes it; none if a lookup is needed.
#[wasm_bindgen]
pub fn decide(request_text: &str, now: f64) -> Option<String> {
    let edge = Edge::get()?;
    let request = Request::parse(request_text);
    let now = platform::from_js_time(now);
    let responder = edge.responder(request.id);
    let mut plan = plan::plan(&responder, &edge.authorizer, &edge.service_tokens, &request, now);
    let mut verified_caller = None;
    let response = loop {
        let check = match plan {
            Plan::Respond(response) => break response,
            Plan::Check(check) => check,
        };
        let decision = decide_from_cache(&edge, &check, now)?;
        if let Some(workspace) = check.authorized_workspace(&decision) {
            plan = plan::verify(&responder, &request, Some(workspace));
            verified_caller = Some((check, decision));
            continue;
        }
        if !check.is_forwarded(&decision) {
            edge.authorizer.count(&decision, &check.requirements(), now);
        }
        break respond(&edge, &responder, &request, &check, &decision, now);
    };
    // Only once the response is known: without one, [`look_up`] counts.
    if let Some((check, decision)) = verified_caller {
        edge.authorizer.count(&decision, &check.requirements(), now);
    }
    Some(response.encode(edge.authorizer.has_deferred()))
}

/// Decides a check from the caches; none if a lookup is needed. A caller of verify whose own key
/// has limits needs one, since [`look_up`] charges them once.
fn decide_from_cache(edge: &Edge, check: &KeyCheck<'_>, now: Timestamp) -> Option<Decision> {
    let presented = match edge.authorizer.key_of(check) {
        Err(denial) => return Some(Decision::refused(denial)),
        Ok(presented) => presented,
    };
    let is_caller = check.purpose == Purpose::VerifyCaller;
    let requirements = if is_caller { Requirements { cost: 0, ..check.requirements() } } else { check.requirements() };
    match edge.authorizer.evaluate(&presented, &requirements, false, now) {
        Evaluation::Decided(decision) if !(is_caller && decision.verdict.is_ok() && decision.is_limited()) => {
            Some(decision)
        }
        _ => None,
    }
}

/// Decides a request with the fetches that it needs. The request has the format that [`decide`]
/// takes, the response that of [`Response::encode`].
#[wasm_bindgen]
pub async fn look_up(platform: Platform, request_text: String) -> String {
    let request = Request::parse(&request_text);
    let edge = match Edge::get_or_init(&platform) {
        Ok(edge) => edge,
        Err(error) => {
            platform.log_error(&error);
            let responder = Responder { console: "", request_id: request.id };
            return responder.problem(&problem::INTERNAL, problem::INTERNAL.meaning).encode(false);
        }
    };
    let responder = edge.responder(request.id);
    let mut plan = plan::plan(&responder, &edge.authorizer, &edge.service_tokens, &request, now());
    let response = loop {
        let check = match plan {
            Plan::Respond(response) => break response,
            Plan::Check(check) => check,
        };
        let mut decision = lookup::check(&edge, &platform, &check).await;
        if !check.is_forwarded(&decision) {
            edge.authorizer.count(&decision, &check.requirements(), now());
        }
        if let Some(workspace) = check.authorized_workspace(&decision) {
            plan = plan::verify(&responder, &request, Some(workspace));
            continue;
        }
        if decision.verdict == Err(Denial::Unavailable) {
            // The cached record may be out of date.
            decision.record = None;
        }
        break respond(&edge, &responder, &request, &check, &decision, now());
    };
    response.encode(edge.authorizer.has_deferred())
}

/// Makes the response to a decided request.
fn respond(
    edge: &Edge,
    responder: &Responder<'_>,
    request: &Request<'_>,
    check: &KeyCheck<'_>,
    decision: &Decision,
    now: Timestamp,
) -> Response {
    plan::respond(responder, check.purpose, decision, |record| {
        let (method, path) = (request.method, request.path());
        let signed = gateway::sign_principal(record, method, path, responder.request_id, &edge.principal_key, now);
        let number = edge.authorizer.begin_forward(decision, &check.requirements(), now);
        forwarding(&format!("{}{}", edge.upstream, request.target), &signed, number)
    })
}

/// Returns the timeouts of the gateway, as JSON of [`gateway::Timeouts`]; none before the first
/// lookup of the isolate.
#[wasm_bindgen]
pub fn timeouts() -> Option<String> {
    serde_json::to_string(&Edge::get()?.timeouts).ok()
}

/// Returns the response to a request that could not be forwarded, by its id and the code of the
/// failure.
#[wasm_bindgen]
pub fn failure_response(id: &str, code: &str) -> Option<String> {
    Some(gateway::failure_response(&Edge::get()?.responder(id), code).encode(false))
}

/// Ends a forwarded request by its number. `failure` is the code that kept it from the service or
/// its response from the caller; empty for none. Returns true if tasks are deferred.
#[wasm_bindgen]
pub fn end_forward(number: u32, failure: &str, now: f64) -> bool {
    let Some(edge) = Edge::get() else { return false };
    edge.authorizer.end_forward(number, gateway::reached_service(failure), platform::from_js_time(now));
    edge.authorizer.has_deferred()
}

/// Runs the deferred tasks of the requests so far.
#[wasm_bindgen]
pub async fn run_deferred(platform: Platform) {
    if let Some(edge) = Edge::get() {
        lookup::run_deferred(&edge, &platform).await;
    }
}

/// Constants that the entry shares with this crate.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Constants {
    /// Headers of every response.
    headers: &'static [(&'static str, &'static str)],
    /// Media types by the letters of the body kinds.
    body_kinds: Vec<(char, Option<&'static str>)>,
    /// Headers that the gateway blocks.
    blocked: BlockedByDirection,
    /// Prefix of `Proxy-Status` of a response from a service.
    proxy_status_prefix: String,
    /// Name of the header with the request id.
    request_id_header: &'static str,
    /// Name of the header with the client's IP address.
    client_ip_header: &'static str,
    /// Name of the header with the signed principal.
    principal_header: &'static str,
    /// Maximum bytes of a request body that is read.
    body_max: usize,
}

/// Headers that the gateway blocks, in each direction.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockedByDirection {
    from_caller: BlockedHeaders,
    from_service: BlockedHeaders,
}

/// Returns the constants of the entry as JSON.
#[wasm_bindgen]
pub fn constants() -> String {
    let constants = Constants {
        headers: COMMON_HEADERS,
        body_kinds: BodyKind::OF_RESPONSES.into_iter().map(|kind| (kind.letter(), kind.name())).collect(),
        blocked: BlockedByDirection {
            from_caller: BlockedHeaders::from_caller(),
            from_service: BlockedHeaders::from_service(),
        },
        proxy_status_prefix: gateway::proxy_status_prefix(),
        request_id_header: REQUEST_ID_HEADER,
        client_ip_header: CLIENT_IP_HEADER,
        principal_header: principal::HEADER,
        body_max: BODY_MAX,
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&constants).unwrap_or_default()
}
