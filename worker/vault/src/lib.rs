#![doc = include_str!("../README.md")]

pub mod database;
pub mod feed;
pub mod hasher;
pub mod instance;
pub mod log;
pub mod meter;
pub mod migrate;
pub mod object;
pub mod person;
pub mod registry;
pub mod rpc;
pub mod storage;
pub mod timeout;
pub mod usage;

use worker::{Context, Env, Request, Response, Result, event};

/// Forwards a request to the object that its path names.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    log::within("object", log::id_of(&request), Box::pin(forward(request, &env))).await
}

/// Returns the response of the object; 503 if it failed or cannot be started.
async fn forward(request: Request, env: &Env) -> Result<Response> {
    let path = request.path();
    let Some(stub) = object::stub(env, &path) else { return Response::error("no such object", 404) };
    match stub?.fetch_with_request(request).await {
        Ok(response) => Ok(response),
        Err(error) => {
            log::error(format_args!("{path}: {error}"));
            Response::error("the object has failed", 503)
        }
    }
}
