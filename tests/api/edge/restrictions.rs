//! Restrictions of a key to networks and channels.

use crate::{
    deployment::{Deployment, shared, wait},
    keys::{change, make},
};
use serde_json::{Value, json};

fn verify(deployment: &Deployment, body: &Value) -> String {
    deployment.service().post("/v1/verify", body).expect_status(200).at("/code")
}

#[test]
fn a_key_works_only_from_its_networks() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Office", &["contacts:read"]);
    let caller = deployment.edge().bearing(&made.key);
    caller.get("/v1/contacts").expect_status(200);
    change(&owner, &made.id, &json!({"restrictions": {"allow": ["203.0.113.0/24"]}}));
    wait("refusing other networks", || caller.get("/v1/contacts").status == 403);
    let refused = caller.get("/v1/contacts");
    assert!(refused.expect_problem(403, "ADDRESS_FORBIDDEN").at("/detail").contains("127.0.0.1"), "{}", refused.text);
    // A header from the client does not change its IP address.
    for header in ["CF-Connecting-IP", "X-Forwarded-For", "X-Real-IP"] {
        caller.with(header, "203.0.113.7").get("/v1/contacts").expect_problem(403, "ADDRESS_FORBIDDEN");
    }
    // A service sends the IP address of the client that presented the key.
    let ask = |address: Value| verify(deployment, &json!({"key": made.key, "address": address}));
    assert_eq!(ask(json!("203.0.113.7")), "VALID");
    assert_eq!(ask(json!("::ffff:203.0.113.7")), "VALID");
    assert_eq!(ask(json!("203.0.114.7")), "ADDRESS_FORBIDDEN");
    assert_eq!(ask(json!(null)), "ADDRESS_FORBIDDEN");
    deployment.service().post("/v1/verify", &json!({"key": made.key, "address": "here"})).expect_fields(&["address"]);
    change(&owner, &made.id, &json!({"restrictions": {"allow": ["127.0.0.0/8"]}}));
    wait("accepting this network", || caller.get("/v1/contacts").status == 200);
}

#[test]
fn a_denied_network_wins() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Denied", &["contacts:read"]);
    let restrictions = json!({"allow": ["203.0.113.0/24"], "deny": ["203.0.113.66"]});
    change(&owner, &made.id, &json!({"restrictions": restrictions}));
    let ask = |address: &str| verify(deployment, &json!({"key": made.key, "address": address}));
    wait("knowing the networks", || ask("203.0.113.66") == "ADDRESS_FORBIDDEN");
    assert_eq!(ask("203.0.113.65"), "VALID");
}

#[test]
fn a_key_works_only_for_its_channels() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Channels", &["channels:read"]);
    change(&owner, &made.id, &json!({"restrictions": {"channels": ["ch_1"]}}));
    let ask = |channel: Value| verify(deployment, &json!({"key": made.key, "channel": channel}));
    wait("knowing the channels", || ask(json!("ch_2")) == "CHANNEL_FORBIDDEN");
    assert_eq!((ask(json!("ch_1")), ask(json!(null))), ("VALID".into(), "VALID".into()));
    let caller = deployment.edge().bearing(&made.key);
    caller.get("/v1/channels/ch_2").expect_problem(403, "CHANNEL_FORBIDDEN");
    assert_ne!(caller.get("/v1/channels/ch_1").status, 403);
}
