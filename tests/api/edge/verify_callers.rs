//! `POST /v1/verify`: authentication and limits of its callers.

use crate::{
    client::ApiClient,
    deployment::{Deployment, shared, wait},
    keys::{change, make},
};
use serde_json::{Value, json};

const VERIFY: &str = "/v1/verify";

/// Returns a client of the edge with a key that may verify others, and that key's id.
fn asker(deployment: &Deployment, more: &Value) -> (ApiClient, String) {
    let mut body = json!({"name": "Asks", "environment": "live", "scopes": ["keys:verify"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = deployment.owner().post("/api/v1/keys", &body);
    (deployment.edge().bearing(&made.expect_status(201).at("/key")), made.at("/id"))
}

#[test]
fn nobody_asks_without_saying_who() {
    let deployment = shared();
    let edge = deployment.edge();
    let key = make(&deployment.owner(), "Asked about", &["contacts:read"]).key;
    for (caller, code, challenge) in [
        (edge.clone(), "MISSING_CREDENTIAL", "Bearer realm=\"Ownchat\""),
        (edge.with("Authorization", "Basic YTpi"), "MISSING_CREDENTIAL", "Bearer realm=\"Ownchat\""),
        (edge.bearing("nobody"), "INVALID_CREDENTIAL", "Bearer realm=\"Ownchat\", error=\"invalid_token\""),
        (edge.bearing(&key[..54]), "MALFORMED_KEY", "Bearer realm=\"Ownchat\", error=\"invalid_token\""),
    ] {
        for body in [json!({"key": key}), json!({"no": "key"}), json!({"key": "x".repeat(70_000)})] {
            let answer = caller.post(VERIFY, &body);
            answer.expect_problem(401, code);
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
    }
    for value in [format!("Bearer\t{key}"), format!("Bearer{key}")] {
        let answer = edge.with("Authorization", value).post(VERIFY, &json!({"key": key}));
        let detail = answer.expect_problem(401, "MISSING_CREDENTIAL").at("/detail");
        assert!(detail.contains("No space follows the word Bearer"), "{detail}");
    }
    let refused = edge.bearing(&key).post(VERIFY, &json!({"key": key}));
    assert_eq!(refused.expect_problem(403, "SCOPE_MISSING").at("/missing/0"), "keys:verify");
    deployment.service().with("X-API-Key", key.as_str()).post(VERIFY, &json!({})).expect_problem(400, "ambiguous_key");
}

#[test]
fn a_key_with_the_scope_asks_while_it_is_good_itself() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Asked about", &["contacts:read"]);
    let ask = |caller: &ApiClient| caller.post(VERIFY, &json!({"key": made.key}));
    let (caller, id) = asker(deployment, &json!({}));
    assert_eq!(ask(&caller).expect_status(200).at("/key_id"), made.id);
    // A network other than that of the tests.
    change(&owner, &id, &json!({"restrictions": {"allow": ["203.0.113.0/24"]}}));
    wait("refusing other networks", || ask(&caller).status == 403);
    ask(&caller).expect_problem(403, "ADDRESS_FORBIDDEN");
    change(&owner, &id, &json!({"status": "inactive"}));
    wait("refusing a deactivated caller", || ask(&caller).status == 401);
    ask(&caller).expect_problem(401, "INACTIVE");
}

#[test]
fn a_question_is_charged_once_to_the_key_that_asks() {
    let deployment = shared();
    let (caller, _) = asker(deployment, &json!({"quota": {"limit": 40, "period": "month"}}));
    let subject = json!({
        "name": "Asked about", "environment": "live", "scopes": ["contacts:read"],
        "quota": {"limit": 100, "period": "month"},
    });
    let key = deployment.owner().post("/api/v1/keys", &subject).expect_status(201).at("/key");
    let ask = || caller.post(VERIFY, &json!({"key": key}));
    assert_eq!((0..45).filter(|_| ask().status == 200).count(), 40);
    ask().expect_problem(429, "QUOTA_EXCEEDED");
    let looked = deployment.service().post(VERIFY, &json!({"key": key, "cost": 0}));
    assert_eq!(looked.at("/quota/remaining"), "60", "a caller that is refused spends nothing of the other key");
}

#[test]
fn a_refusal_says_why_and_nothing_else_of_the_key() {
    let deployment = shared();
    let body = json!({
        "name": "Hidden", "environment": "live", "scopes": ["contacts:read"], "metadata": {"team": "till"},
        "expires_at": crate::keys::seconds_from_now(3_600), "rate_limit": {"limit": 9, "window_seconds": 60},
        "restrictions": {"deny": ["192.0.2.0/24"]},
    });
    let made = deployment.owner().post("/api/v1/keys", &body);
    let (key, id) = (made.expect_status(201).at("/key"), made.at("/id"));
    let refused = deployment.service().post(VERIFY, &json!({"key": key, "address": "192.0.2.1"}));
    let detail = "This API key may not be used from 192.0.2.1. An admin can change its networks.";
    assert_eq!(
        refused.expect_status(200).json(),
        json!({"valid": false, "code": "ADDRESS_FORBIDDEN", "detail": detail, "key_id": id})
    );
    let lacks = json!({"key": key, "scopes": ["messages:send"], "address": "198.51.100.7"});
    let lacks = deployment.service().post(VERIFY, &lacks).json();
    let names: Vec<_> = lacks.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        (names, &lacks["missing"]),
        (vec!["code", "detail", "key_id", "missing", "valid"], &json!(["messages:send"]))
    );
}
