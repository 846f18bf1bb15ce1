//! Tests of the services, called as the edge calls them.

use crate::{gate::now, router};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use ownchat_domain::{
    environment::Environment,
    principal::{HEADER, Principal},
    scope::ScopeSet,
};
use serde_json::{Value, json};
use tower::ServiceExt;

const KEY: &[u8] = &[5; 32];

fn principal(scopes: &[&str]) -> Principal {
    Principal {
        key_id: "3kP0aXv9QmT2ZbLc".into(),
        workspace: 7,
        environment: Environment::Live,
        channels: Vec::new(),
        scopes: ScopeSet::from_names(scopes.iter().copied()).unwrap(),
        method: "GET".into(),
        path: "/v1/contacts".into(),
        request_id: "r1".into(),
        expires_at: now().plus(10_000),
    }
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn call(router: &Router, who: &Principal, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let without_query = path.split('?').next().unwrap().to_owned();
    let who = Principal { method: method.to_owned(), path: without_query, ..who.clone() };
    let request = Request::builder().method(method).uri(path).header(HEADER, who.sign(KEY)).body(body).unwrap();
    send(router, request).await
}

fn app() -> Router {
    router(KEY.to_vec())
}

#[tokio::test]
async fn a_call_that_the_edge_does_not_vouch_for_is_refused() {
    let good = principal(&["contacts:read"]);
    let expired = Principal { expires_at: now().plus(-1), ..good.clone() };
    let of_other_method = Principal { method: "DELETE".into(), ..good.clone() };
    let of_other_path = Principal { path: "/v1/contacts/export".into(), ..good.clone() };
    for (values, code) in [
        (vec![], "PRINCIPAL_REQUIRED"),
        (vec![good.sign(&[6; 32])], "PRINCIPAL_REQUIRED"),
        (vec![good.sign(KEY), good.sign(KEY)], "PRINCIPAL_REQUIRED"),
        (vec![expired.sign(KEY)], "PRINCIPAL_EXPIRED"),
        (vec![of_other_method.sign(KEY)], "PRINCIPAL_MISMATCH"),
        (vec![of_other_path.sign(KEY)], "PRINCIPAL_MISMATCH"),
    ] {
        let mut request = Request::builder().uri("/v1/contacts");
        for value in &values {
            request = request.header(HEADER, value);
        }
        let (status, body) = send(&app(), request.body(Body::empty()).unwrap()).await;
        assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &json!(code)));
        assert_eq!(body.get("data"), None);
    }
}

#[tokio::test]
async fn a_credential_that_came_this_far_is_reported() {
    for header in ["authorization", "x-api-key"] {
        let request = Request::builder().uri("/v1/contacts").header(header, "x");
        let request = request.header(HEADER, principal(&["contacts:read"]).sign(KEY)).body(Body::empty()).unwrap();
        assert_eq!(send(&app(), request).await.1["code"], "CREDENTIAL_LEAKED", "{header}");
    }
}

#[tokio::test]
async fn the_scope_is_checked_here_too() {
    let who = principal(&["contacts:read"]);
    let (status, body) = call(&app(), &who, "POST", "/v1/messages", &json!({"to": "c_0001", "text": "x"})).await;
    assert_eq!((status, &body["missing"]), (StatusCode::FORBIDDEN, &json!(["messages:send"])));
}

#[tokio::test]
async fn personal_data_is_masked_without_its_scope() {
    let app = app();
    let (_, masked) = call(&app, &principal(&["contacts:read"]), "GET", "/v1/contacts/c_0001", &Value::Null).await;
    assert_eq!((&masked["phone"], &masked["email"]), (&json!("+49 *** **** **42"), &json!("a*********@example.com")));
    let who = principal(&["contacts:read", "contacts:pii"]);
    let (_, plain) = call(&app, &who, "GET", "/v1/contacts/c_0001", &Value::Null).await;
    assert_eq!(plain["phone"], "+49 151 2340 1742");
}

#[tokio::test]
async fn workspaces_and_environments_do_not_see_each_other() {
    let app = app();
    let mine = principal(&["contacts:write"]);
    let (status, _) = call(&app, &mine, "PATCH", "/v1/contacts/c_0001", &json!({"name": "Mine"})).await;
    assert_eq!(status, StatusCode::OK);
    let theirs = Principal { workspace: 8, ..mine.clone() };
    let test = Principal { environment: Environment::Test, ..mine.clone() };
    for (who, name) in [(&mine, "Mine"), (&theirs, "Ada Brandt"), (&test, "Test Contact One")] {
        assert_eq!(call(&app, who, "GET", "/v1/contacts/c_0001", &Value::Null).await.1["name"], name);
    }
}

#[tokio::test]
async fn a_message_is_kept_in_its_conversation() {
    let app = app();
    let who = principal(&["messages:send", "messages:read", "conversations:read"]);
    let (status, sent) = call(&app, &who, "POST", "/v1/messages", &json!({"to": "c_0001", "text": "Hi"})).await;
    assert_eq!((status, &sent["status"]), (StatusCode::CREATED, &json!("queued")));
    let path = format!("/v1/conversations/{}/history", sent["conversation_id"].as_str().unwrap());
    let (_, history) = call(&app, &who, "GET", &path, &Value::Null).await;
    assert!(history["data"].as_array().unwrap().contains(&sent));
}

#[tokio::test]
async fn bad_bodies_change_nothing() {
    let app = app();
    let who = principal(&["contacts:write"]);
    let before = call(&app, &who, "GET", "/v1/contacts/c_0001", &Value::Null).await;
    for (body, status) in [
        (json!({"name": ""}), 422),
        (json!({"name": "New", "tags": ["ok", ""]}), 422),
        (json!({"nmae": "New"}), 422),
        (json!({"name": 1}), 422),
        (json!({"name": "x".repeat(70_000)}), 413),
    ] {
        let (answered, _) = call(&app, &who, "PATCH", "/v1/contacts/c_0001", &body).await;
        assert_eq!(answered.as_u16(), status);
    }
    assert_eq!(call(&app, &who, "GET", "/v1/contacts/c_0001", &Value::Null).await, before);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (app, who) = (app(), principal(&["contacts:read"]));
    let (_, first) = call(&app, &who, "GET", "/v1/contacts?limit=7", &Value::Null).await;
    let next = format!("/v1/contacts?limit=7&cursor={}", first["next_cursor"].as_str().unwrap());
    let (_, second) = call(&app, &who, "GET", &next, &Value::Null).await;
    assert_eq!((first["data"].as_array().unwrap().len(), second["data"].as_array().unwrap().len()), (7, 5));
    assert_eq!(second["next_cursor"], Value::Null);
}

#[tokio::test]
async fn an_unknown_path_and_an_unbuilt_service_are_errors() {
    let (app, who) = (app(), principal(&["contacts:write", "campaigns:read"]));
    for (method, path, status) in [
        ("GET", "/v1/contacts/c_9999", 404),
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/contacts", 405),
        ("GET", "/v1/campaigns", 200),
        ("GET", "/v1/campaigns/k_1", 501),
    ] {
        assert_eq!(call(&app, &who, method, path, &Value::Null).await.0.as_u16(), status, "{method} {path}");
    }
}
