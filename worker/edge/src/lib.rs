//! The edge: the Worker that integrators call.
//!
//! It checks keys from hashed, sealed records and stands in front of the Ownchat services. `gate`
//! decides, without waiting, from what `memory`, `news` and `purse` hold; `lookup` fetches what they lack;
//! `routes` says which address does what; `answer` is the one place where statuses and public texts are chosen.

pub mod answer;
pub mod credential;
pub mod describe;
pub mod edge;
pub mod gate;
pub mod gateway;
pub mod lookup;
pub mod memory;
pub mod news;
pub mod purse;
pub mod routes;

#[cfg(test)]
mod testing;

use worker::{Context, Env, Request, Response, Result, event};

/// Answers a call.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    routes::answer(request, env, context).await
}
