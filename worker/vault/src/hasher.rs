//! Password hashing: Durable Objects that hash one password at a time, behind a short queue.
//!
//! They are deployed as a Worker of their own, built from this code. Hashing blocks an isolate for
//! about 50 ms, and neither a page nor a key may wait for that.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod password;
mod queue;

use crate::{
    log,
    rpc::{read_command, respond},
    timeout::sleep,
};
use ownchat_domain::{
    failure::Failure,
    vault::{
        Command, Object, Outcome,
        hasher::{CheckPassword, HashPassword},
    },
};
use queue::TurnQueue;
use worker::{
    DurableObject, Env, Request, Response, Result, State, durable_object, js_sys::Reflect, wasm_bindgen::JsValue,
};

/// Seconds after which a full queue has drained.
const RETRY_AFTER: u32 = 2;

/// The Durable Object. There are two, and neither stores anything.
#[durable_object]
pub struct Hasher {
    queue: TurnQueue,
}

impl DurableObject for Hasher {
    fn new(_state: State, _env: Env) -> Self {
        Self { queue: TurnQueue::default() }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("hasher", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }
}

impl Hasher {
    async fn respond_to(&self, request: Request) -> Result<Response> {
        let path = request.path();
        let Some((Object::Hasher(_), name)) = Object::parse(&path) else {
            return Response::error("not a request to a hasher", 404);
        };
        let Some(_slot) = self.queue.try_enter() else {
            return Response::from_json(&Outcome::<()>::Err(Failure::Busy { retry_after: RETRY_AFTER }));
        };
        match name {
            HashPassword::NAME => {
                let command: HashPassword = read_command(&request).await?;
                let result = self.run_in_turn(&request, || password::hash(&command.password)).await?;
                respond::<HashPassword>(result.map_err(Into::into))
            }
            CheckPassword::NAME => {
                let command: CheckPassword = read_command(&request).await?;
                let result =
                    self.run_in_turn(&request, || password::verify(&command.password, command.hash.as_deref())).await?;
                respond::<CheckPassword>(result.map_err(Into::into))
            }
            _ => Response::error("no such command", 404),
        }
    }

    /// Runs `work` when the request's turn comes, unless the caller has disconnected.
    async fn run_in_turn<T>(&self, request: &Request, work: impl FnOnce() -> Outcome<T>) -> Result<Outcome<T>> {
        let _turn = self.queue.wait_turn().await;
        // A timer lets the runtime read its sockets first. Without it the whole queue is hashed
        // before another request on this thread is read.
        sleep(0)?.await?;
        Ok(if has_disconnected(request) { Err(Failure::Unavailable) } else { work() })
    }
}

/// Returns true if the caller has closed the connection (compatibility flag
/// `enable_request_signal`).
fn has_disconnected(request: &Request) -> bool {
    let property = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).unwrap_or_default();
    property(&property(request.inner(), "signal"), "aborted").is_truthy()
}
