#![doc = include_str!("../README.md")]
#![allow(clippy::result_large_err, reason = "a refusal is an answer and is moved once")]

mod answer;
mod contacts;
mod conversations;
mod gate;
mod messages;
mod world;

#[cfg(test)]
mod tests;

use axum::{
    Router, middleware,
    routing::{delete, get, post, put},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use gate::Gate;
use std::{env, process::ExitCode, sync::Arc};
use tokio::{
    io::{AsyncReadExt, stdin},
    net::TcpListener,
};
use world::Worlds;

/// Minimum length of the key that signs principals, in bytes.
const PRINCIPAL_KEY_MIN: usize = 32;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("ownchat-services: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let port: u16 = env::var("PORT").ok().and_then(|port| port.parse().ok()).ok_or("PORT is not a port number")?;
    let key = env::var("PRINCIPAL_KEY")
        .ok()
        .and_then(|key| STANDARD.decode(key).ok())
        .filter(|key| key.len() >= PRINCIPAL_KEY_MIN)
        .ok_or("PRINCIPAL_KEY is not base64 of at least 32 bytes")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| format!("port {port}: {error}"))?;
        let served = axum::serve(listener, router(key)).with_graceful_shutdown(input_ended());
        served.await.map_err(|error| error.to_string())
    })
}

/// Waits for the end of standard input. The process that started this one holds its other end.
async fn input_ended() {
    let mut byte = [0; 64];
    while stdin().read(&mut byte).await.is_ok_and(|read| read > 0) {}
}

/// All routes, behind the gate.
fn router(principal_key: Vec<u8>) -> Router {
    let gate = Arc::new(Gate { principal_key });
    Router::new()
        .route("/v1/contacts", get(contacts::list).post(contacts::create))
        .route("/v1/contacts/search", post(contacts::search))
        .route("/v1/contacts/export", get(contacts::export))
        .route("/v1/contacts/{id}", get(contacts::read).patch(contacts::change).delete(contacts::delete))
        .route("/v1/contacts/{id}/tags", put(contacts::tag))
        .route("/v1/conversations", get(conversations::list))
        .route("/v1/conversations/export", get(answer::elsewhere))
        .route("/v1/conversations/{id}", get(conversations::read).patch(conversations::change))
        .route("/v1/conversations/{id}/history", get(conversations::history))
        .route("/v1/messages", get(messages::list).post(messages::send))
        .route("/v1/messages/{id}", get(messages::read))
        .route("/v1/messages/{id}", delete(messages::retract))
        .fallback(answer::elsewhere)
        .method_not_allowed_fallback(answer::elsewhere)
        .layer(middleware::from_fn_with_state(gate, gate::check))
        .layer(middleware::from_fn(answer::finish))
        .route("/health", get(answer::health))
        .with_state(Arc::new(Worlds::default()))
}
