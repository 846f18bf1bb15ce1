//! `GET /v1/health`, and the rules for every path of the edge.

use crate::{deployment::shared, keys::make};
use serde_json::json;

#[test]
fn health_needs_no_key() {
    let deployment = shared();
    let answer = deployment.edge().get("/v1/health");
    answer.expect_status(200);
    assert_eq!(answer.at("/status"), "ok");
    assert_eq!(answer.at("/version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
}

#[test]
fn headers_alone_can_be_asked_for() {
    let deployment = shared();
    let answer = deployment.edge().send("HEAD", "/v1/health", "");
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let key = make(&deployment.owner(), "Head", &["contacts:read"]).key;
    for path in ["/v1/key", "/v1/contacts"] {
        let answer = deployment.edge().bearing(&key).send("HEAD", path, "");
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
        assert_eq!(deployment.edge().send("HEAD", path, "").status, 401, "{path}");
    }
}

#[test]
fn other_methods_are_named() {
    let deployment = shared();
    let edge = deployment.edge();
    for (method, path, allow) in [
        ("POST", "/v1/health", "GET, HEAD"),
        ("GET", "/v1/verify", "POST"),
        ("DELETE", "/v1/key", "GET, HEAD"),
        ("PURGE", "/v1/key", "GET, HEAD"),
    ] {
        let answer = edge.send(method, path, "");
        answer.expect_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}

#[test]
fn unknown_addresses_are_not_found() {
    let deployment = shared();
    for path in ["/", "/v1", "/v1/nothing", "/v2/contacts", "/v1/contacts/", "/v1//contacts"] {
        deployment.edge().get(path).expect_problem(404, "not_found");
    }
}

#[test]
fn browsers_may_ask_first() {
    let deployment = shared();
    let answer = deployment.edge().send("OPTIONS", "/v1/contacts", "");
    answer.expect_status(204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    // The wildcard means every name but Authorization (Fetch standard, section 4.9).
    assert_eq!(answer.header("access-control-allow-headers"), "*, Authorization");
    assert_eq!(answer.header("access-control-expose-headers"), "*");
    let methods = answer.header("access-control-allow-methods");
    assert!(
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].iter().all(|method| methods.contains(method)),
        "{methods}"
    );
    // Credentials that a browser adds by itself must never count as a key.
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let answer = deployment.service().post("/v1/verify", &json!({"key": "x"}));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}
