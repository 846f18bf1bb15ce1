//! Rate limits and quotas of a key.

use crate::{
    client::{Answer, ApiClient},
    deployment::shared,
};
use serde_json::{Value, json};
use std::thread;

fn limited(owner: &ApiClient, limits: &Value) -> String {
    let mut body = json!({"name": "Limited", "environment": "live", "scopes": ["contacts:read"]});
    for (name, limit) in limits.as_object().unwrap() {
        body[name] = limit.clone();
    }
    owner.post("/api/v1/keys", &body).expect_status(201).at("/key")
}

#[test]
fn a_rate_limit_refuses_and_says_when_to_come_back() {
    let deployment = shared();
    let key = limited(&deployment.owner(), &json!({"rate_limit": {"limit": 3, "window_seconds": 60}}));
    let caller = deployment.edge().bearing(&key);
    for left in ["2", "1", "0"] {
        let answer = caller.get("/v1/contacts");
        answer.expect_status(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=3;w=60;ownchat-guaranteed=2");
        assert!(
            answer.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")),
            "{}",
            answer.header("ratelimit")
        );
    }
    let refused = caller.get("/v1/contacts");
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.at("/violated/0"), "rate_limit");
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=62).contains(&seconds)));
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="));
    let described = deployment.service().post("/v1/verify", &json!({"key": key}));
    assert_eq!(described.at("/code"), "RATE_LIMITED");
    assert!(described.header("ratelimit").starts_with("\"default\";r=0;t="));
}

#[test]
fn a_quota_is_used_up_exactly_by_many_at_once() {
    let deployment = shared();
    let key = limited(&deployment.owner(), &json!({"quota": {"limit": 100, "period": "month"}}));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let caller = deployment.edge().bearing(&key);
            thread::spawn(move || (0..50).filter(|_| caller.get("/v1/contacts").status == 200).count())
        })
        .collect();
    let passed: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    assert_eq!(passed, 100);
    let refused = deployment.edge().bearing(&key).get("/v1/contacts");
    assert_eq!(refused.expect_problem(429, "QUOTA_EXCEEDED").at("/violated/0"), "quota");
}

#[test]
fn a_refused_call_and_a_look_cost_nothing() {
    let deployment = shared();
    let key = limited(&deployment.owner(), &json!({"quota": {"limit": 2, "period": "day"}}));
    let caller = deployment.edge().bearing(&key);
    for _ in 0..5 {
        caller.get("/v1/messages").expect_problem(403, "SCOPE_MISSING");
        caller.get("/v1/key").expect_status(200);
        deployment.service().post("/v1/verify", &json!({"key": key, "cost": 0})).expect_status(200);
    }
    caller.get("/v1/contacts").expect_status(200);
    caller.get("/v1/contacts").expect_status(200);
    caller.get("/v1/contacts").expect_problem(429, "QUOTA_EXCEEDED");
}

#[test]
fn every_answer_to_a_limited_key_tells_its_limits() {
    let deployment = shared();
    let limits = json!({
        "rate_limit": {"limit": 40, "window_seconds": 60}, "quota": {"limit": 90, "period": "day"},
        "restrictions": {"deny": ["192.0.2.0/24"]},
    });
    let key = limited(&deployment.owner(), &limits);
    let caller = deployment.edge().bearing(&key);
    let policy = "\"default\";q=40;w=60;ownchat-guaranteed=38, \"quota\";q=90;w=86400";
    let refused = [("/v1/messages", 403), ("/v1/key", 200)];
    let verify = |more: &Value| {
        let mut body = json!({"key": key});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        deployment.service().post("/v1/verify", &body)
    };
    let left = |answer: &Answer| answer.header("ratelimit").split(';').nth(1).map(str::to_owned);
    for (path, status) in refused {
        let answer = caller.get(path);
        answer.expect_status(status);
        assert_eq!(answer.header("ratelimit-policy"), policy, "{path}");
        assert_eq!(left(&answer).as_deref(), Some("r=40"), "{path}: nothing was spent yet");
    }
    let forbidden = verify(&json!({"address": "192.0.2.7"}));
    assert_eq!((forbidden.at("/code"), forbidden.header("ratelimit-policy")), ("ADDRESS_FORBIDDEN".into(), ""));
    caller.get("/v1/contacts").expect_status(200);
    assert_eq!(left(&caller.get("/v1/key")).as_deref(), Some("r=39"));
    assert_eq!(left(&caller.get("/v1/messages")).as_deref(), Some("r=39"));
    let looked = verify(&json!({"cost": 0, "address": "198.51.100.7"}));
    assert_eq!((left(&looked).as_deref(), looked.at("/quota/remaining")), (Some("r=39"), "89".into()));
    let forbidden = verify(&json!({"address": "192.0.2.7"}));
    assert_eq!((left(&forbidden), forbidden.header("ratelimit-policy")), (None, ""));
    assert!(!forbidden.text.contains("rate_limit"), "{}", forbidden.text);
}

#[test]
fn a_call_may_cost_more() {
    let deployment = shared();
    let key = limited(&deployment.owner(), &json!({"quota": {"limit": 10, "period": "day"}}));
    let ask = |cost: u32| deployment.service().post("/v1/verify", &json!({"key": key, "cost": cost})).at("/code");
    assert_eq!(
        (ask(8), ask(3), ask(2), ask(1)),
        ("VALID".into(), "QUOTA_EXCEEDED".into(), "VALID".into(), "QUOTA_EXCEEDED".into())
    );
    for cost in [-1, 10_001] {
        deployment.service().post("/v1/verify", &json!({"key": key, "cost": cost})).expect_fields(&["cost"]);
    }
}
