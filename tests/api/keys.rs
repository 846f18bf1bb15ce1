//! Keys for tests.

use crate::{client::Client, deployment::Deployment};
use ownchat_domain::{
    keyring::Keyring,
    locator::{Address, Locator},
    time::Timestamp,
    token::{Environment, Secret, Token},
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A key that a test has made.
pub struct Made {
    /// The whole key.
    pub key: String,
    /// Its id.
    pub id: String,
    /// As the management API shows it.
    pub about: Value,
}

/// Makes a key with these scopes.
pub fn make(owner: &Client, name: &str, scopes: &[&str]) -> Made {
    let answer = owner.post("/api/v1/keys", &json!({"name": name, "environment": "live", "scopes": scopes}));
    answer.expect_status(201);
    Made { key: answer.at("/key"), id: answer.at("/id"), about: answer.json() }
}

/// Changes a key in whatever version it has.
pub fn change(owner: &Client, id: &str, changes: &Value) {
    let path = format!("/api/v1/keys/{id}");
    let tag = owner.get(&path).expect_status(200).header("etag").to_owned();
    owner.with("If-Match", tag).json("PATCH", &path, changes).expect_status(200);
}

/// Deletes a key in whatever version it has.
pub fn delete(owner: &Client, id: &str) {
    let path = format!("/api/v1/keys/{id}");
    let tag = owner.get(&path).expect_status(200).header("etag").to_owned();
    owner.with("If-Match", tag).send("DELETE", &path, "").expect_status(204);
}

/// A text with the shape and check of a key, whose tag nobody issued.
pub fn forged() -> String {
    write(Environment::Live, "0123456789abcdef".parse().unwrap())
}

/// A key that the deployment could have issued, and did not; another for each number.
pub fn never_issued(deployment: &Deployment, number: u32) -> String {
    let keyring = Keyring::parse(&deployment.master_keys()).unwrap();
    let address = Address { workspace: 1, number: 4_000_000_000 + number };
    write(Environment::Live, Locator::issue(&keyring, address, Environment::Live))
}

/// A key with the locator of `key` and a secret that is not its own.
pub fn with_another_secret(key: &str) -> String {
    let token = Token::parse(key).unwrap();
    write(token.environment, token.locator)
}

fn write(environment: Environment, locator: Locator) -> String {
    let secret: Secret = "0123456789ABCDEFGHIJKLMN".parse().unwrap();
    Token { environment, locator, secret }.reveal().to_string()
}

/// Every key that the workspace has now, as the API lists them.
pub fn list(owner: &Client) -> Vec<Value> {
    let body = owner.get("/api/v1/keys?limit=100").expect_status(200).json();
    body.get("data").and_then(Value::as_array).cloned().unwrap()
}

/// A time this many seconds from now, as RFC 3339 in whole seconds.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
pub fn seconds_from_now(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_millis((i64::try_from(now).unwrap() + seconds) * 1_000).rfc3339()
}

/// It is a moment of the next few seconds: what was taken just now holds everywhere from then on.
#[track_caller]
pub fn expect_soon(moment: Timestamp) {
    let [now, soon] = [0, 6].map(|seconds| Timestamp::parse(&seconds_from_now(seconds)).unwrap());
    assert!(now < moment && moment <= soon, "{moment:?}");
}
