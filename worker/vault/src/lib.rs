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
    match object::stub(&env, &request.path()) {
        Some(stub) => stub?.fetch_with_request(request).await,
        None => Response::error("no such object", 404),
    }
}
