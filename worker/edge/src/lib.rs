//! The edge: the Worker that integrators call.
//!
//! It checks keys from hashed, sealed records and stands in front of the Ownchat services. `routes` says which
//! address does what; `gate` decides, without waiting, from what `memory`, `news` and `purse` hold; `lookup` fetches
//! what they lack; `answer` is the one place where statuses and public texts are chosen.
//!
//! The platform calls `entry.mjs`, which carries: a call whose key is remembered is decided by one
//! call of [`decide`], without a promise; every other by [`look_up`]. `stores.mjs` reaches the
//! stores, `gateway/` the services.

pub mod authorizer;
pub mod check;
pub mod deferred;
pub mod describe;
pub mod edge;
pub mod feed_view;
pub mod forwards;
pub mod gateway;
pub mod key_cache;
pub mod lookup;
pub mod permits;
pub mod platform;
pub mod request;
pub mod response;
pub mod response_cache;
pub mod routes;
pub mod service_tokens;
pub mod single_flight;
pub mod slot;
pub mod timeout;
pub mod usage_buffer;
pub mod verify_request;

#[cfg(test)]
mod testing;

use crate::{
    authorizer::Evaluation,
    check::{Decision, KeyCheck, Purpose, Requirements},
    edge::Edge,
    gateway::BlockedHeaders,
    platform::{Platform, log_error, now},
    request::{CLIENT_IP_HEADER, Request},
    response::{BodyKind, COMMON_HEADERS, REQUEST_ID_HEADER, Responder, Response},
    response_cache::CacheStatus,
    routes::Plan,
};
use ownchat_domain::{json::BODY_MAX, principal, problem, time::Timestamp, verdict::Denial};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    /// The answer that the entry fetches next.
    static RESPONSE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Answers a call, which is written as [`Incoming::read`] says, from what is remembered. `now` is the time in
/// milliseconds. 0: something must be waited for. Otherwise bit 0 is set; bit 1 says whether work is left for later;
/// the bits above are the number of the answer that the entry keeps, or 0 if it is to fetch a new one by [`told`].
#[wasm_bindgen]
pub fn decide(request_text: &str, now: f64) -> u32 {
    let Some(edge) = Edge::get() else { return NEEDS_LOOKUP };
    let request = Request::parse(request_text);
    let now = platform::from_js_time(now);
    let responder = edge.responder(request.id);
    let mut plan = routes::plan(&responder, &edge.authorizer, &edge.service_tokens, &request, now);
    let mut caller = None;
    let outcome = loop {
        let check = match plan {
            Plan::Respond(response) => break Ok((response, None)),
            Plan::Check(check) => check,
        };
        let Some(decision) = decide_from_cache(&edge, &check, now) else { return NEEDS_LOOKUP };
        if let Some(workspace) = check.authorized_workspace(&decision) {
            plan = routes::verify(&responder, &request, Some(workspace));
            caller = Some((check, decision));
            continue;
        }
        if !check.is_forwarded(&decision) {
            edge.authorizer.count(&decision, &check.requirements(), now);
        }
        let slot = match edge.responses.slot_for(check.purpose, &decision) {
            CacheStatus::Hit(slot) => break Err(slot),
            CacheStatus::Miss(slot) => Some(slot),
            CacheStatus::Bypass => None,
        };
        break Ok((respond(&edge, &responder, &request, &check, &decision, now), slot));
    };
    // Not before the answer is known: with [`MUST_WAIT`] [`look_up`] counts.
    if let Some((check, decision)) = caller {
        edge.authorizer.count(&decision, &check.requirements(), now);
    }
    let has_deferred = edge.authorizer.has_deferred();
    match outcome {
        Ok((response, slot)) => {
            RESPONSE.set(response.encode(has_deferred, slot));
            1
        }
        Err(slot) => slot << 2 | u32::from(has_deferred) << 1 | 1,
    }
}

/// Checks a key from what is remembered; none if something must be waited for. A caller that asks
/// about another key waits if its own has limits: [`look_up`] charges them once.
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

/// What [`decide`] answers when something must be waited for.
const NEEDS_LOOKUP: u32 = 0;

/// The answer that [`decide`] has made anew, as [`Answer::text`].
#[wasm_bindgen]
pub fn take_response() -> String {
    RESPONSE.take()
}

/// Answers a call, and asks whom it must. The call is what [`decide`] was given, the answer [`Answer::text`].
#[wasm_bindgen]
pub async fn look_up(platform: Platform, request_text: String) -> String {
    let request = Request::parse(&request_text);
    let edge = match Edge::get_or_init(&platform) {
        Ok(edge) => edge,
        Err(error) => {
            log_error(&error);
            let responder = Responder { console: "", request_id: request.id };
            return responder.problem(&problem::INTERNAL, problem::INTERNAL.meaning).encode(false, None);
        }
    };
    let responder = edge.responder(request.id);
    let mut plan = routes::plan(&responder, &edge.authorizer, &edge.service_tokens, &request, now());
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
            plan = routes::verify(&responder, &request, Some(workspace));
            continue;
        }
        if decision.verdict == Err(Denial::Unavailable) {
            // The record that is remembered may be out of date.
            decision.record = None;
        }
        break respond(&edge, &responder, &request, &check, &decision, now());
    };
    response.encode(edge.authorizer.has_deferred(), None)
}

/// Answers a call that was checked.
fn respond(
    edge: &Edge,
    responder: &Responder<'_>,
    request: &Request<'_>,
    check: &KeyCheck<'_>,
    decision: &Decision,
    now: Timestamp,
) -> Response {
    routes::respond(responder, check.purpose, decision, |record| {
        let (method, path) = (request.method, request.path());
        let signed = gateway::sign_principal(record, method, path, responder.request_id, &edge.principal_key, now);
        let number = edge.authorizer.begin_forward(decision, &check.requirements(), now);
        format!("{}{}\n{signed}\n{number}", edge.upstream, request.target)
    })
}

/// The limits of the gateway, as JSON of [`gateway::Limits`]. Only after a request was authorized.
#[wasm_bindgen]
pub fn timeouts() -> Option<String> {
    serde_json::to_string(&Edge::get()?.timeouts).ok()
}

/// The answer to a request that could not be forwarded, by the code of the failure. `id` is the
/// request's.
#[wasm_bindgen]
pub fn failure_response(id: &str, code: &str) -> Option<String> {
    Some(gateway::failure_response(&Edge::get()?.responder(id), code).encode(false, None))
}

/// Takes in what became of a request on its way: its number, and the code of the failure that kept
/// it from the service or its response from the caller; empty for none. Returns true if work is
/// left for later.
#[wasm_bindgen]
pub fn end_forward(number: u32, failure: &str, now: f64) -> bool {
    let Some(edge) = Edge::get() else { return false };
    edge.authorizer.end_forward(number, gateway::reached_service(failure), platform::from_js_time(now));
    edge.authorizer.has_deferred()
}

/// Does what was left for after the answers so far.
#[wasm_bindgen]
pub async fn run_deferred(platform: Platform) {
    if let Some(edge) = Edge::get() {
        lookup::run_deferred(&edge, &platform).await;
    }
}

/// What the entry must know.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Constants {
    /// The headers of every answer.
    headers: &'static [(&'static str, &'static str)],
    /// The media types by their letters.
    body_kinds: Vec<(char, Option<&'static str>)>,
    /// The headers that do not pass the gateway.
    blocked: BlockedByDirection,
    /// The beginning of `Proxy-Status` of a response that came from a service.
    proxy_status_prefix: String,
    /// The name of the header with the call's id.
    request_id_header: &'static str,
    /// The name of the header with the caller's address.
    client_ip_header: &'static str,
    /// The name of the header that says who is calling.
    principal_header: &'static str,
    /// Most bytes of a body that is read.
    body_max: usize,
}

/// The headers that do not pass the gateway, in each direction.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockedByDirection {
    from_caller: BlockedHeaders,
    from_service: BlockedHeaders,
}

/// What the entry must know, as JSON.
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
    // Texts and numbers: there is nothing in it that cannot be written.
    serde_json::to_string(&constants).unwrap_or_default()
}
