//! State outlives the processes that keep it.

use crate::{
    client::OWNER,
    deployment::{Deployment, SETUP_TOKEN, wait},
    keys::{change, delete, list, make},
};
use serde_json::json;
use std::net::TcpListener;

#[test]
fn a_restart_changes_nothing() {
    let mut own = Deployment::set_up();
    let owner = own.owner();
    let (on, off, gone) = (
        make(&owner, "On", &["contacts:read"]),
        make(&owner, "Off", &["contacts:read"]),
        make(&owner, "Gone", &["contacts:read"]),
    );
    change(&owner, &off.id, &json!({"status": "inactive"}));
    delete(&owner, &gone.id);
    let before = list(&owner);

    own.stop();
    own.resume(&[]);

    assert_eq!(list(&owner), before, "the session or the keys did not survive");
    let code = |key: &str| own.service().post("/v1/verify", &json!({"key": key})).expect_status(200).at("/code");
    assert_eq!(code(&on.key), "VALID");
    // Their records may still have been on their way to KV.
    wait("refusing what was switched off", || code(&off.key) == "INACTIVE");
    wait("refusing what was deleted", || code(&gone.key) == "UNKNOWN_KEY");
    own.signed_in().get("/api/v1/session").expect_status(200);
    // The link of the new start does not open what is set up.
    own.console().get(&format!("/setup?token={SETUP_TOKEN}")).expect_status(404);
    let again = json!({
        "token": SETUP_TOKEN, "name": "Eve", "email": OWNER.email, "password": "another password", "workspace": "Evil",
    });
    own.console().post("/api/v1/setup", &again).expect_problem(404, "not_found");
    change(&owner, &off.id, &json!({"status": "active"}));
    wait("accepting an activated key", || code(&off.key) == "VALID");
}

#[test]
fn stopping_leaves_nothing_behind() {
    let mut own = Deployment::start();
    let ports: Vec<u16> = ["console", "edge", "upstream"]
        .iter()
        .map(|name| {
            let origin = own.ready()[name].as_str().unwrap().to_owned();
            origin.rsplit(':').next().unwrap().parse().unwrap()
        })
        .collect();
    assert!(ports.iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_err()), "it does not run");
    own.stop();
    for port in ports {
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "somebody still listens on {port}");
    }
}
