//! Routes and middleware of the console.

use crate::{api, cross_site, headers, pages, paths::API, problem, texts};
use any_spawner::Executor;
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, map_response},
    routing::{get, post},
};
use leptos::server_fn::{ServerFn, axum::register_explicit};
use ownchat_domain::{json::BODY_MAX, problem::METHOD_NOT_ALLOWED};
use ownchat_ui::actions::CreateKeyAction;
use serde_json::json;
use std::cell::OnceCell;

thread_local! {
    static ROUTER: OnceCell<Router> = const { OnceCell::new() };
}

/// Returns the isolate's router. The first request builds it.
pub fn of_isolate() -> Router {
    ROUTER.with(|cell| cell.get_or_init(build).clone())
}

fn build() -> Router {
    // Pages await their data on the platform's own task queue. Initialisation fails only if
    // repeated.
    let _ = Executor::init_wasm_bindgen();
    // Automatic registration of server functions does not run in a Worker.
    register_explicit::<CreateKeyAction>();
    Router::new()
        .nest(API, api::router())
        .route("/health", get(health))
        .route(CreateKeyAction::PATH, post(pages::action::<CreateKeyAction>))
        .fallback(pages::show)
        .method_not_allowed_fallback(async || problem::of_kind(&METHOD_NOT_ALLOWED, texts::OTHER_METHODS))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(|request, next| api::body::refuse_large("/import", request, next)))
        .layer(from_fn(api::body::refuse_encoded))
        .layer(from_fn(cross_site::refuse_other_sites))
        .layer(from_fn(problem::finish))
        .layer(map_response(headers::add_security_headers))
}

async fn health() -> Json<serde_json::Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}
