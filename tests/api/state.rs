//! State outlives the processes that hold it.

use crate::{
    client::OWNER,
    deployment::{Deployment, SETUP_TOKEN, wait},
    keys::{change, delete, list, make},
};
use serde_json::json;
use std::{fs, net::TcpListener};

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
    // The replication of their records to KV may still have been in flight.
    wait("refusing what was switched off", || code(&off.key) == "INACTIVE");
    wait("refusing what was deleted", || code(&gone.key) == "UNKNOWN_KEY");
    own.signed_in().get("/api/v1/session").expect_status(200);
    // The set-up link of the new start does not work after the set-up.
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

#[test]
fn the_vault_refuses_master_secrets_other_than_its_own() {
    let mut own = Deployment::set_up();
    let made = make(&own.owner(), "One", &["contacts:read"]);
    own.stop();
    let (secrets, checks) = (own.data().join("secrets.json"), own.data().join("store/master-secrets.json"));
    let right = fs::read_to_string(&secrets).unwrap();
    let other = format!("1:{}=", "B".repeat(42) + "A");
    fs::write(&secrets, right.replace(&own.master_keys(), &other)).unwrap();
    // Without this file, the start does not detect the changed secrets.
    fs::remove_file(&checks).unwrap();
    own.resume(&[]);
    own.signed_in().get("/api/v1/keys").expect_problem(503, "UNAVAILABLE");
    let log = fs::read_to_string(own.log()).unwrap();
    assert!(log.contains("MASTER_KEYS: its secret 1 is not the one") && log.contains("Put the former value back"));
    own.stop();
    fs::write(&secrets, right).unwrap();
    fs::remove_file(&checks).unwrap();
    own.resume(&[]);
    assert_eq!(own.service().post("/v1/verify", &json!({"key": made.key})).at("/code"), "VALID");
    own.owner().get(&format!("/api/v1/keys/{}", made.id)).expect_status(200);
}
