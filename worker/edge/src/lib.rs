//! The edge: the Worker that integrators call.
//!
//! It checks keys from hashed, sealed records and stands in front of the Ownchat services. `routes` says which
//! address does what; `gate` decides, without waiting, from what `memory`, `news` and `purse` hold; `lookup` fetches
//! what they lack; `answer` is the one place where statuses and public texts are chosen.
//!
//! The platform calls `entry.mjs`, which carries: a call whose key is remembered is decided by one call of
//! [`decide`], without a promise; every other by [`answer`](fn@answer).

pub mod answer;
pub mod chores;
pub mod credential;
pub mod describe;
pub mod edge;
pub mod flights;
pub mod gate;
pub mod gateway;
pub mod incoming;
pub mod lookup;
pub mod memory;
pub mod news;
pub mod patience;
pub mod purse;
pub mod routes;
pub mod shield;

#[cfg(test)]
mod testing;

use crate::{
    answer::{COMMON, Media, REQUEST_ID},
    edge::{Edge, now, request_id},
    gate::{Checked, Step},
    incoming::{ADDRESS, Incoming},
    routes::{Outcome, Plan, Use},
};
use ownchat_domain::{json::BODY_MAX, verdict::Denial};
use std::collections::BTreeMap;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, Request, Result, web_sys};

/// Answers a call from what is remembered, as [`answer::Answer::text`]; nothing if something must be waited for.
#[wasm_bindgen]
pub fn decide(
    method: String,
    path: String,
    authorization: Option<String>,
    api_key: Option<String>,
    address: Option<String>,
    body: Option<String>,
) -> Option<String> {
    let edge = Edge::ready()?;
    let address = address.and_then(|text| text.parse().ok());
    let incoming = Incoming { method, path, authorization, api_key, address, body };
    let id = request_id().ok()?;
    let answers = edge.answers(&id);
    let answer = match routes::plan(&answers, &edge.gate, &incoming, now()) {
        Plan::Answer(answer) => answer,
        Plan::Check(check) => {
            let (wanted, now) = (check.wanted(), now());
            let checked = match edge.gate.read(&check.key) {
                Err(denial) => Checked::refused(denial),
                // It goes on to a service, which must be waited for.
                Ok(_) if check.use_ == Use::Gateway => return None,
                Ok(presented) => match edge.gate.step(&presented, &wanted, false, now) {
                    Step::Done(checked) => checked,
                    _ => return None,
                },
            };
            edge.gate.count(&checked, &wanted, now);
            match routes::conclude(&answers, check.use_, &checked) {
                Outcome::Answer(answer) => answer,
                Outcome::Forward(_) => return None,
            }
        }
    };
    Some(answer.text(&id, edge.gate.has_chores()))
}

/// Answers a call, and asks whom it must. Gives the text of an answer, or a service's response. `body` is what
/// [`decide`] was given.
///
/// # Errors
/// The bindings or the platform's random generator are not there.
#[wasm_bindgen(js_sys = worker::js_sys, wasm_bindgen_futures = worker::wasm_bindgen_futures)]
pub async fn answer(request: web_sys::Request, env: Env, body: Option<String>) -> Result<JsValue> {
    let edge = Edge::of(&env)?;
    let id = request_id()?;
    let answers = edge.answers(&id);
    let request = Request::from(request);
    let incoming = Incoming::of(&request, body)?;
    let answer = match routes::plan(&answers, &edge.gate, &incoming, now()) {
        Plan::Answer(answer) => answer,
        Plan::Check(check) => {
            let wanted = check.wanted();
            let checked = lookup::check(&edge, &env, &check.key, &wanted).await;
            edge.gate.count(&checked, &wanted, now());
            match (routes::conclude(&answers, check.use_, &checked), &checked.record) {
                (Outcome::Answer(answer), _) => answer,
                (Outcome::Forward(headers), Some(record)) => {
                    match gateway::forward(&edge, &answers, &request, record, &headers).await? {
                        Ok(response) => return Ok(response),
                        Err(answer) => answer.with(headers),
                    }
                }
                // Nobody passes without a record.
                (Outcome::Forward(_), None) => answers.denied(&Denial::Unknown),
            }
        }
    };
    Ok(answer.text(&id, edge.gate.has_chores()).into())
}

/// Does what was left for after the answers so far.
#[wasm_bindgen(js_sys = worker::js_sys, wasm_bindgen_futures = worker::wasm_bindgen_futures)]
pub async fn chores(env: Env) {
    if let Some(edge) = Edge::ready() {
        lookup::chores(&edge, &env).await;
    }
}

/// What the entry must know, as JSON: the headers of every answer, the media types by their letters, the names of the headers
/// with the call's id and with the caller's address, and the most bytes of a body.
#[wasm_bindgen]
pub fn constants() -> String {
    let headers: BTreeMap<_, _> = COMMON.iter().copied().collect();
    let media: BTreeMap<_, _> = Media::ALL.iter().map(|(_, letter, media)| (letter.to_string(), media)).collect();
    serde_json::json!({
        "headers": headers,
        "media": media,
        "requestId": REQUEST_ID,
        "address": ADDRESS,
        "bodyMax": BODY_MAX,
    })
    .to_string()
}
