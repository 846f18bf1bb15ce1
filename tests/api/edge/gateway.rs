//! The gateway in front of the upstream services.

use crate::{deployment::shared, keys::make};
use serde_json::json;

#[test]
fn data_is_read() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Reader", &["contacts:read"]).key;
    let answer = deployment.edge().bearing(&key).get("/v1/contacts?limit=2");
    answer.expect_status(200);
    assert_eq!(answer.json()["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[test]
fn a_body_without_meaning_does_no_harm() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Body", &["contacts:read"]).key;
    let caller = deployment.edge().bearing(&key);
    for body in ["", "{}", "nonsense"] {
        caller.send("GET", "/v1/contacts", body).expect_status(200);
    }
}

#[test]
fn an_action_is_triggered() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Sender", &["contacts:read", "messages:send", "messages:read"]).key;
    let caller = deployment.edge().bearing(&key);
    let to = caller.get("/v1/contacts").at("/data/0/id");
    let sent = caller.post("/v1/messages", &json!({"to": to, "text": "Good morning"}));
    let id = sent.expect_status(201).at("/id");
    assert_eq!(caller.get(&format!("/v1/messages/{id}")).expect_status(200).at("/text"), "Good morning");
}

#[test]
fn a_record_is_updated() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Writer", &["contacts:write"]).key;
    let caller = deployment.edge().bearing(&key);
    let made = caller.post("/v1/contacts", &json!({"name": "Grace Example"}));
    let path = format!("/v1/contacts/{}", made.expect_status(201).at("/id"));
    caller.json("PATCH", &path, &json!({"name": "Grace Hopper"})).expect_status(200);
    assert_eq!(caller.get(&path).expect_status(200).at("/name"), "Grace Hopper");
}

#[test]
fn a_missing_scope_is_refused_and_named() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Lacking", &["contacts:read"]).key;
    let caller = deployment.edge().bearing(&key);
    let to = caller.get("/v1/contacts").at("/data/0/id");
    let answer = caller.post("/v1/messages", &json!({"to": to, "text": "no"}));
    answer.expect_problem(403, "SCOPE_MISSING");
    let body = answer.json();
    assert_eq!(body["required"], json!(["messages:send"]));
    assert_eq!(body["granted"], json!(["contacts:read"]));
    assert_eq!(body["missing"], json!(["messages:send"]));
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, "Bearer realm=\"Ownchat\", error=\"insufficient_scope\", scope=\"messages:send\"");
    caller.json("PATCH", &format!("/v1/contacts/{to}"), &json!({"name": "no"})).expect_problem(403, "SCOPE_MISSING");
}

#[test]
fn live_and_test_are_two_worlds() {
    let deployment = shared();
    let owner = deployment.owner();
    let caller = |environment: &str| {
        let body = json!({"name": environment, "environment": environment, "scopes": ["contacts:write"]});
        let key = owner.post("/api/v1/keys", &body).expect_status(201).at("/key");
        assert!(key.starts_with(&format!("oc_{environment}_")), "{key}");
        deployment.edge().bearing(&key)
    };
    let (live, test) = (caller("live"), caller("test"));
    let made = live.post("/v1/contacts", &json!({"name": "Only live"}));
    let path = format!("/v1/contacts/{}", made.expect_status(201).at("/id"));
    live.get(&path).expect_status(200);
    test.get(&path).expect_problem(404, "not_found");
}

#[test]
fn services_refuse_calls_that_did_not_come_through_the_edge() {
    let deployment = shared();
    let services = deployment.services();
    let answer = services.get("/v1/contacts");
    assert_eq!((answer.status, answer.at("/code").as_str()), (401, "PRINCIPAL_REQUIRED"));
    let key = make(&deployment.owner(), "Around", &["contacts:read"]).key;
    assert_ne!(services.bearing(&key).get("/v1/contacts").status, 200);
}

#[test]
fn nobody_vouches_for_themselves() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Principal", &["contacts:read"]).key;
    // The edge drops a principal from the client, so it neither helps nor harms.
    let caller = deployment.edge().bearing(&key).with("Ownchat-Principal", "v1.e30.AAAA");
    caller.get("/v1/contacts").expect_status(200);
    deployment.services().with("Ownchat-Principal", "v1.e30.AAAA").get("/v1/contacts").expect_status(401);
    deployment.edge().with("Ownchat-Principal", "v1.e30.AAAA").get("/v1/contacts").expect_problem(401, "MISSING_KEY");
}

#[test]
fn a_service_s_own_refusal_is_passed_on() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Refused", &["contacts:write"]).key;
    let caller = deployment.edge().bearing(&key);
    caller.get("/v1/contacts/nobody").expect_status(404);
    let answer = caller.post("/v1/contacts", &json!({"name": "", "admin": true}));
    answer.expect_status(422);
    assert!(answer.json()["errors"].as_array().is_some_and(|errors| !errors.is_empty()));
}

#[test]
fn paths_with_two_readings_are_not_forwarded() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Paths", &["contacts:read"]).key;
    let caller = deployment.edge().bearing(&key);
    for (path, why) in [
        ("/v1/contacts%2f1", "any character but"),
        ("/v1/contacts/a%2fb", "any character but"),
        ("/v1/contacts/a%252fb", "any character but"),
        ("/v1/contacts/ex%70ort", "escapes a letter"),
        ("/v1//contacts", "Remove the slash"),
        ("/v1/contacts/", "Remove the slash"),
        ("/v1/contacts;a=b", "percent-encoded"),
        ("/v1/contacts/%zz", "hexadecimal"),
    ] {
        let detail = caller.get(path).expect_problem(404, "not_found").at("/detail");
        assert!(detail.contains(why), "{path}: {detail}");
    }
    caller.get("/v1/contacts/%2e%2e").expect_problem(404, "not_found");
}

#[test]
fn ids_may_be_percent_encoded() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Ids", &["contacts:read"]).key;
    let caller = deployment.edge().bearing(&key);
    for id in ["jane%40example.com", "%2B4915123401742", "dGVzdA%3D%3D", "a%20b", "%C3%A4"] {
        let answer = caller.get(&format!("/v1/contacts/{id}"));
        assert_eq!((answer.status, answer.header("proxy-status")), (404, "ownchat-edge; received-status=404"), "{id}");
    }
}

#[test]
fn large_bodies_are_streamed() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Large", &["contacts:write"]).key;
    // More than the edge would ever read itself: the upstream rejects it.
    let answer = deployment.edge().bearing(&key).post("/v1/contacts", &json!({"name": "x".repeat(1_000_000)}));
    assert_eq!(answer.status, 413, "{}", answer.text);
    assert!(answer.at("/type").starts_with("/docs"), "the edge said it: {}", answer.text);
}
