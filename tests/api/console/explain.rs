//! `/api/v1/explain`: its verdict equals that of the edge.

use crate::{
    deployment::shared,
    keys::{change, forged, make, with_another_secret},
};
use serde_json::{Value, json};

const EXPLAIN: &str = "/api/v1/explain";

#[test]
fn the_explanation_agrees_with_the_edge() {
    let deployment = shared();
    let owner = deployment.owner();
    // Restricted from the start: within the bound of a revocation the edge may use a cached record.
    let body = json!({
        "name": "Explained", "environment": "live", "scopes": ["contacts:read"],
        "restrictions": {"channels": ["ch_1"], "deny": ["203.0.113.0/24"]},
    });
    let answer = owner.post("/api/v1/keys", &body);
    let (key, id) = (answer.expect_status(201).at("/key"), answer.at("/id"));
    let same = |asked: &Value| {
        let (mut verify, mut explain) = (asked.clone(), asked.clone());
        verify["key"] = json!(key);
        explain["key_id"] = json!(id);
        let said = deployment.service().post("/v1/verify", &verify);
        let explained = owner.post(EXPLAIN, &explain);
        assert_eq!(explained.expect_status(200).at("/code"), said.expect_status(200).at("/code"), "{asked}");
        explained.at("/code")
    };
    let here = json!("192.0.2.1");
    assert_eq!(same(&json!({"scopes": ["contacts:read"], "address": here})), "VALID");
    assert_eq!(same(&json!({"scopes": ["messages:send"], "address": here})), "SCOPE_MISSING");
    assert_eq!(same(&json!({"channel": "ch_2", "address": here})), "CHANNEL_FORBIDDEN");
    assert_eq!(same(&json!({"channel": "ch_1", "address": "203.0.113.9"})), "ADDRESS_FORBIDDEN");
    let at = |method: &str, path: &str| {
        owner.post(EXPLAIN, &json!({"key_id": id, "method": method, "path": path, "address": "127.0.0.1"}))
    };
    for (method, path, code) in [
        ("GET", "/v1/contacts?limit=1", "VALID"),
        ("POST", "/v1/messages", "SCOPE_MISSING"),
        ("GET", "/v1/nothing", "not_found"),
        ("PUT", "/v1/contacts", "method_not_allowed"),
        ("GET", "/v1/key", "VALID"),
        ("POST", "/v1/key", "method_not_allowed"),
        ("GET", "/v1/health", "VALID"),
        ("DELETE", "/v1/health", "method_not_allowed"),
        ("GET", "/v1/verify", "method_not_allowed"),
        ("POST", "/v1/verify", "SCOPE_MISSING"),
        ("OPTIONS", "/v1/contacts", "VALID"),
        ("OPTIONS", "/v1/verify", "VALID"),
    ] {
        let explained = at(method, path);
        assert_eq!(explained.at("/code"), code, "{method} {path}");
        let said = deployment.edge().bearing(&key).send(method, path, "");
        assert_eq!(explained.at("/status"), said.status.to_string(), "{method} {path}");
        if code != "VALID" {
            said.expect_problem(said.status, code);
        }
    }
    change(&owner, &id, &json!({"status": "inactive"}));
    assert_eq!(at("GET", "/v1/contacts").at("/code"), "INACTIVE");
    assert_eq!(at("GET", "/v1/health").at("/code"), "VALID", "nobody's key is looked at there");
}

#[test]
fn every_check_names_the_values_it_compared() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Compared", &["contacts:read"]);
    change(&owner, &made.id, &json!({"rate_limit": {"limit": 5, "window_seconds": 60}}));
    let body = json!({"key_id": made.id, "scopes": ["messages:send"], "at": "2031-01-01T00:00:00Z"});
    let explained = owner.post(EXPLAIN, &body).expect_status(200).json();
    let names: Vec<&str> =
        explained["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "tag",
            "secret",
            "workspace",
            "deleted",
            "active",
            "not_before",
            "expires_at",
            "secret_ends_at",
            "address",
            "scopes",
            "channel",
            "rate_limit",
            "quota"
        ]
    );
    assert_eq!((&explained["status"], &explained["at"]), (&json!(403), &json!("2031-01-01T00:00:00.000Z")));
    assert_eq!(
        explained["checks"][9],
        json!({
            "check": "scopes", "result": "failed", "detail": explained["detail"],
            "compared": {"required": ["messages:send"], "granted": ["contacts:read"], "missing": ["messages:send"]},
        })
    );
    assert_eq!(explained["checks"][11]["result"], "not_looked_at");
    assert_eq!(explained["checks"][11]["compared"]["rate_limit"]["limit"], 5);
}

#[test]
fn explaining_reads_the_remaining_limits_and_spends_nothing() {
    let deployment = shared();
    let owner = deployment.owner();
    let body = json!({
        "name": "Explained limits", "environment": "live", "scopes": ["contacts:read"],
        "rate_limit": {"limit": 9, "window_seconds": 3600}, "quota": {"limit": 3, "period": "month"},
    });
    let made = owner.post("/api/v1/keys", &body);
    let (key, id) = (made.expect_status(201).at("/key"), made.at("/id"));
    let verify = |cost: u32| deployment.service().post("/v1/verify", &json!({"key": key, "cost": cost})).at("/code");
    let explain = |cost: u32| owner.post(EXPLAIN, &json!({"key_id": id, "scopes": ["contacts:read"], "cost": cost}));
    let quota = |answer: &Value| answer["checks"].as_array().unwrap().last().unwrap().clone();
    for _ in 0..3 {
        let explained = explain(3).expect_status(200).json();
        assert_eq!((&explained["code"], &quota(&explained)["compared"]["remaining"]), (&json!("VALID"), &json!(3)));
    }
    assert_eq!(verify(2), "VALID");
    for (cost, code, result) in [(0, "VALID", "passed"), (1, "VALID", "passed"), (2, "QUOTA_EXCEEDED", "failed")] {
        let explained = explain(cost).expect_status(200).json();
        assert_eq!((&explained["code"], &quota(&explained)["result"]), (&json!(code), &json!(result)), "{explained}");
        let compared = &quota(&explained)["compared"];
        assert_eq!((&compared["cost"], &compared["remaining"]), (&json!(cost), &json!(1)));
        assert!(compared["reset_seconds"].as_u64().is_some_and(|seconds| seconds <= 31 * 86_400), "{compared}");
    }
    assert_eq!((verify(2), verify(1)), ("QUOTA_EXCEEDED".into(), "VALID".into()));
    let through = owner.post(EXPLAIN, &json!({"key_id": id, "method": "GET", "path": "/v1/contacts"}));
    assert_eq!((through.at("/code"), through.at("/status")), ("QUOTA_EXCEEDED".into(), "429".into()));
}

#[test]
fn a_credential_is_taken_and_never_repeated() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Sent to explain", &["contacts:read"]);
    let wrong = with_another_secret(&made.key);
    let cut = made.key.get(..50).unwrap().to_owned();
    for (key, code) in
        [(made.key.clone(), "VALID"), (wrong, "UNKNOWN_KEY"), (cut, "MALFORMED_KEY"), (forged(), "MALFORMED_KEY")]
    {
        let explained = owner.post(EXPLAIN, &json!({"key": key}));
        assert_eq!(explained.expect_status(200).at("/code"), code);
        assert!(!explained.text.contains(&key[26..50]), "{}", explained.text);
    }
}

#[test]
fn a_bad_request_to_explain_names_its_fields() {
    let deployment = shared();
    let owner = deployment.owner();
    for (body, field) in [
        (json!({}), "key_id"),
        (json!({"key_id": "x"}), "key_id"),
        (json!({"key_id": "0123456789abcdef", "key": "x"}), "key"),
        (json!({"key_id": "0123456789abcdef", "colour": 1}), "colour"),
        (json!({"key_id": "0123456789abcdef", "method": "GET"}), "path"),
        (json!({"key_id": "0123456789abcdef", "address": "here"}), "address"),
        (json!({"key_id": "0123456789abcdef", "method": "GET", "path": "/v1/contacts", "cost": 1}), "cost"),
        (json!({"key_id": "0123456789abcdef", "cost": -1}), "cost"),
    ] {
        owner.post(EXPLAIN, &body).expect_fields(&[field]);
    }
    owner.post(EXPLAIN, &json!({"key_id": "0123456789abcdef"})).expect_problem(404, "not_found");
    deployment.console().post(EXPLAIN, &json!({})).expect_problem(401, "not_signed_in");
}
