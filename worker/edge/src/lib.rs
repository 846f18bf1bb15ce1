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
    gateway::Hidden,
    platform::{Platform, log_error, now},
    request::{ADDRESS, Incoming},
    response::{Answer, Answers, COMMON, Media, REQUEST_ID},
    response_cache::CacheStatus,
    routes::Plan,
};
use ownchat_domain::{json::BODY_MAX, principal, problem, time::Timestamp, verdict::Denial};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    /// The answer that the entry fetches next.
    static TOLD: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Answers a call, which is written as [`Incoming::read`] says, from what is remembered. `now` is the time in
/// milliseconds. 0: something must be waited for. Otherwise bit 0 is set; bit 1 says whether work is left for later;
/// the bits above are the number of the answer that the entry keeps, or 0 if it is to fetch a new one by [`told`].
#[wasm_bindgen]
pub fn decide(call: &str, now: f64) -> u32 {
    let Some(edge) = Edge::ready() else { return MUST_WAIT };
    let incoming = Incoming::read(call);
    let now = platform::time(now);
    let answers = edge.answers(incoming.id);
    let mut plan = routes::plan(&answers, &edge.authorizer, &edge.services, &incoming, now);
    let mut caller = None;
    let said = loop {
        let check = match plan {
            Plan::Answer(answer) => break Ok((answer, None)),
            Plan::Check(check) => check,
        };
        let Some(decision) = remembered(&edge, &check, now) else { return MUST_WAIT };
        if let Some(workspace) = check.asks_about(&decision) {
            plan = routes::verify(&answers, &incoming, Some(workspace));
            caller = Some((check, decision));
            continue;
        }
        if !check.goes_on(&decision) {
            edge.authorizer.count(&decision, &check.requirements(), now);
        }
        let keep = match edge.responses.slot_for(check.purpose, &decision) {
            CacheStatus::Hit(number) => break Err(number),
            CacheStatus::Miss(number) => Some(number),
            CacheStatus::Bypass => None,
        };
        break Ok((conclude(&edge, &answers, &incoming, &check, &decision, now), keep));
    };
    // Not before the answer is known: with [`MUST_WAIT`] [`look_up`] counts.
    if let Some((check, decision)) = caller {
        edge.authorizer.count(&decision, &check.requirements(), now);
    }
    let tasks = edge.authorizer.has_deferred();
    match said {
        Ok((answer, keep)) => {
            TOLD.set(answer.text(tasks, keep));
            1
        }
        Err(number) => number << 2 | u32::from(tasks) << 1 | 1,
    }
}

/// Checks a key from what is remembered; none if something must be waited for. A caller that asks
/// about another key waits if its own has limits: [`look_up`] charges them once.
fn remembered(edge: &Edge, check: &KeyCheck<'_>, now: Timestamp) -> Option<Decision> {
    let presented = match edge.authorizer.key_of(check) {
        Err(denial) => return Some(Decision::refused(denial)),
        Ok(presented) => presented,
    };
    let asks = check.purpose == Purpose::VerifyCaller;
    let requirements = if asks { Requirements { cost: 0, ..check.requirements() } } else { check.requirements() };
    match edge.authorizer.evaluate(&presented, &requirements, false, now) {
        Evaluation::Decided(decision) if !(asks && decision.verdict.is_ok() && decision.is_limited()) => Some(decision),
        _ => None,
    }
}

/// What [`decide`] answers when something must be waited for.
const MUST_WAIT: u32 = 0;

/// The answer that [`decide`] has made anew, as [`Answer::text`].
#[wasm_bindgen]
pub fn told() -> String {
    TOLD.take()
}

/// Answers a call, and asks whom it must. The call is what [`decide`] was given, the answer [`Answer::text`].
#[wasm_bindgen]
pub async fn look_up(platform: Platform, call: String) -> String {
    let incoming = Incoming::read(&call);
    let edge = match Edge::of(&platform) {
        Ok(edge) => edge,
        Err(trouble) => {
            log_error(&trouble);
            let answers = Answers { console: "", request_id: incoming.id };
            return answers.problem(&problem::INTERNAL, problem::INTERNAL.meaning).text(false, None);
        }
    };
    let answers = edge.answers(incoming.id);
    let mut plan = routes::plan(&answers, &edge.authorizer, &edge.services, &incoming, now());
    let answer = loop {
        let check = match plan {
            Plan::Answer(answer) => break answer,
            Plan::Check(check) => check,
        };
        let mut decision = lookup::check(&edge, &platform, &check).await;
        if !check.goes_on(&decision) {
            edge.authorizer.count(&decision, &check.requirements(), now());
        }
        if let Some(workspace) = check.asks_about(&decision) {
            plan = routes::verify(&answers, &incoming, Some(workspace));
            continue;
        }
        if decision.verdict == Err(Denial::Unavailable) {
            // The record that is remembered may be out of date.
            decision.record = None;
        }
        break conclude(&edge, &answers, &incoming, &check, &decision, now());
    };
    answer.text(edge.authorizer.has_deferred(), None)
}

/// Answers a call that was checked.
fn conclude(
    edge: &Edge,
    answers: &Answers<'_>,
    incoming: &Incoming<'_>,
    check: &KeyCheck<'_>,
    decision: &Decision,
    now: Timestamp,
) -> Answer {
    routes::conclude(answers, check.purpose, decision, |record| {
        let (method, path) = (incoming.method, incoming.path());
        let signed = gateway::sign(record, method, path, answers.request_id, &edge.principal_key, now);
        let number = edge.authorizer.begin_forward(decision, &check.requirements(), now);
        format!("{}{}\n{signed}\n{number}", edge.upstream, incoming.target)
    })
}

/// The limits of the gateway, as JSON of [`gateway::Limits`]. Only after a request was authorized.
#[wasm_bindgen]
pub fn limits() -> Option<String> {
    serde_json::to_string(&Edge::ready()?.limits).ok()
}

/// The answer to a request that could not be forwarded, by the code of the failure. `id` is the
/// request's.
#[wasm_bindgen]
pub fn failed(id: &str, code: &str) -> Option<String> {
    Some(gateway::failed(&Edge::ready()?.answers(id), code).text(false, None))
}

/// Takes in what became of a request on its way: its number, and the code of the failure that kept
/// it from the service or its response from the caller; empty for none. Returns true if work is
/// left for later.
#[wasm_bindgen]
pub fn arrived(number: u32, failure: &str, now: f64) -> bool {
    let Some(edge) = Edge::ready() else { return false };
    edge.authorizer.end_forward(number, gateway::reached(failure), platform::time(now));
    edge.authorizer.has_deferred()
}

/// Does what was left for after the answers so far.
#[wasm_bindgen]
pub async fn tasks(platform: Platform) {
    if let Some(edge) = Edge::ready() {
        lookup::tasks(&edge, &platform).await;
    }
}

/// What the entry must know.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Constants {
    /// The headers of every answer.
    headers: &'static [(&'static str, &'static str)],
    /// The media types by their letters.
    media: Vec<(char, Option<&'static str>)>,
    /// The headers that do not pass the gateway.
    hidden: HiddenHeaders,
    /// The beginning of `Proxy-Status` of a response that came from a service.
    received: String,
    /// The name of the header with the call's id.
    request_id: &'static str,
    /// The name of the header with the caller's address.
    address: &'static str,
    /// The name of the header that says who is calling.
    principal: &'static str,
    /// Most bytes of a body that is read.
    body_max: usize,
}

/// The headers that do not pass the gateway, in each direction.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HiddenHeaders {
    from_caller: Hidden,
    from_service: Hidden,
}

/// What the entry must know, as JSON.
#[wasm_bindgen]
pub fn constants() -> String {
    let constants = Constants {
        headers: COMMON,
        media: Media::OF_ANSWERS.into_iter().map(|media| (media.letter(), media.name())).collect(),
        hidden: HiddenHeaders { from_caller: Hidden::from_caller(), from_service: Hidden::from_service() },
        received: gateway::received(),
        request_id: REQUEST_ID,
        address: ADDRESS,
        principal: principal::HEADER,
        body_max: BODY_MAX,
    };
    // Texts and numbers: there is nothing in it that cannot be written.
    serde_json::to_string(&constants).unwrap_or_default()
}
