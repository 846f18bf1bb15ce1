//! Creates, changes and forges keys for tests.

use crate::{client::ApiClient, deployment::Deployment};
use ownchat_domain::{
    environment::Environment,
    keyring::Keyring,
    locator::{KeyNumber, Locator},
    time::Timestamp,
    token::{Secret, Token},
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A key that a test has created.
pub struct Made {
    /// The whole key.
    pub key: String,
    /// The key's id.
    pub id: String,
    /// The key as the management API returns it.
    pub about: Value,
}

/// Creates a key with these scopes.
pub fn make(owner: &ApiClient, name: &str, scopes: &[&str]) -> Made {
    let answer = owner.post("/api/v1/keys", &json!({"name": name, "environment": "live", "scopes": scopes}));
    answer.expect_status(201);
    Made { key: answer.at("/key"), id: answer.at("/id"), about: answer.json() }
}

/// Changes a key at its current version.
pub fn change(owner: &ApiClient, id: &str, changes: &Value) {
    let path = format!("/api/v1/keys/{id}");
    let tag = owner.get(&path).expect_status(200).header("etag").to_owned();
    owner.with("If-Match", tag).json("PATCH", &path, changes).expect_status(200);
}

/// Deletes a key at its current version.
pub fn delete(owner: &ApiClient, id: &str) {
    let path = format!("/api/v1/keys/{id}");
    let tag = owner.get(&path).expect_status(200).header("etag").to_owned();
    owner.with("If-Match", tag).send("DELETE", &path, "").expect_status(204);
}

/// Returns a text with the shape and checksum of a key, but with a locator tag that was never
/// issued.
pub fn forged() -> String {
    write(Environment::Live, "0123456789abcdef".parse().unwrap())
}

/// Returns a key that the deployment could have issued, but never did. Each number gives another
/// key.
pub fn never_issued(deployment: &Deployment, number: u32) -> String {
    let keyring = Keyring::parse(&deployment.master_keys()).unwrap();
    let address = KeyNumber { workspace: 1, number: 4_000_000_000 + number };
    write(Environment::Live, Locator::issue(&keyring, address, Environment::Live))
}

/// Returns a key with the locator of `key` and a wrong secret.
pub fn with_another_secret(key: &str) -> String {
    let token = Token::parse(key).unwrap();
    write(token.environment, token.locator)
}

fn write(environment: Environment, locator: Locator) -> String {
    let secret: Secret = "0123456789ABCDEFGHIJKLMN".parse().unwrap();
    Token { environment, locator, secret }.reveal().to_string()
}

/// Lists the keys of the workspace, up to 100.
pub fn list(owner: &ApiClient) -> Vec<Value> {
    let body = owner.get("/api/v1/keys?limit=100").expect_status(200).json();
    body.get("data").and_then(Value::as_array).cloned().unwrap()
}

/// Returns the time this many seconds from now, as RFC 3339 in whole seconds.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
pub fn seconds_from_now(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_millis((i64::try_from(now).unwrap() + seconds) * 1_000).rfc3339()
}

/// Asserts that a time is at most 6 seconds ahead, as for a change that was just made.
#[track_caller]
pub fn expect_soon(moment: Timestamp) {
    let [now, soon] = [0, 6].map(|seconds| Timestamp::parse(&seconds_from_now(seconds)).unwrap());
    assert!(now < moment && moment <= soon, "{moment:?}");
}
