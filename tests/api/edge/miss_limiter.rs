//! Floods of keys that are well formed but were never issued.

use crate::{
    deployment::Deployment,
    keys::{make, never_issued},
};
use serde_json::json;

#[test]
fn an_address_that_sends_unknown_keys_is_held_before_any_store() {
    let own = Deployment::set_up();
    let good = make(&own.owner(), "In use", &["contacts:read"]).key;
    let code = |key: &str| own.service().post("/v1/verify", &json!({"key": key})).expect_status(200).at("/code");
    assert_eq!(code(&good), "VALID");
    let codes: Vec<_> = (0..100).map(|number| code(&never_issued(&own, number))).collect();
    let unknown = codes.iter().filter(|code| *code == "UNKNOWN_KEY").count();
    let held = codes.iter().filter(|code| *code == "RATE_LIMITED").count();
    assert_eq!(unknown + held, 100, "{codes:?}");
    assert!(codes.iter().take(20).all(|code| code == "UNKNOWN_KEY"), "a few are looked up: {codes:?}");
    assert!(held > 50, "only {held} of 100 were held");
    assert_eq!(code(&good), "VALID", "a key that is remembered goes on working");
    let answer = own.edge().with("X-API-Key", never_issued(&own, 1_000)).get("/v1/key");
    answer.expect_problem(429, "RATE_LIMITED");
    assert_eq!(answer.header("retry-after"), "1");
}
