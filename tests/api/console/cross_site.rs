//! Cross-site requests, which another site makes a browser send.

use crate::{
    client::ApiClient,
    deployment::{SETUP_TOKEN, shared},
    keys::{list, make},
};
use serde_json::json;

/// Returns clients with the headers of a browser's cross-site request.
fn from_elsewhere(client: &ApiClient) -> [ApiClient; 5] {
    let bare = client.without("Origin");
    [
        bare.with("Origin", "https://evil.example").with("Sec-Fetch-Site", "cross-site"),
        bare.with("Origin", "null").with("Sec-Fetch-Site", "cross-site"),
        client.with("Sec-Fetch-Site", "same-site"),
        // Browsers without Fetch Metadata.
        bare.with("Origin", "https://evil.example"),
        bare.with("Origin", "null"),
    ]
}

#[test]
fn another_site_changes_nothing() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Target", &["contacts:read"]);
    let api = format!("/api/v1/keys/{}", made.id);
    let page = format!("/settings/developer/api-keys/{}", made.id);
    for attacker in from_elsewhere(&owner) {
        let evil = json!({"name": "Evil", "environment": "live", "scopes": ["contacts:read"]});
        attacker.post("/api/v1/keys", &evil).expect_problem(403, "cross_site");
        attacker
            .with("If-Match", "\"1\"")
            .json("PATCH", &api, &json!({"status": "inactive"}))
            .expect_problem(403, "cross_site");
        attacker.with("If-Match", "\"1\"").send("DELETE", &api, "").expect_problem(403, "cross_site");
        attacker.send("DELETE", "/api/v1/session", "").expect_problem(403, "cross_site");
        attacker.post("/actions/create-key", &json!({})).expect_problem(403, "cross_site");
        attacker.get("/api/v1/export").expect_problem(403, "cross_site");
        attacker.send("HEAD", "/api/v1/export", "").expect_status(403);
        attacker.post("/api/v1/setup", &json!({"token": SETUP_TOKEN})).expect_problem(403, "cross_site");
        for (path, fields) in [
            ("/settings/developer/api-keys/new".to_owned(), vec![("name", "Evil"), ("scopes", "contacts:read")]),
            (format!("{page}/status"), vec![("version", "1"), ("status", "inactive")]),
            (format!("{page}/delete"), vec![("version", "1"), ("confirm", "yes")]),
            ("/sign-out".to_owned(), vec![]),
            ("/sign-in".to_owned(), vec![("email", "ada@example.com"), ("password", "x")]),
        ] {
            attacker.form(&path, &fields).expect_problem(403, "cross_site");
        }
    }
    let after = owner.get(&api);
    assert_eq!((after.at("/status").as_str(), after.at("/version").as_str()), ("active", "1"));
    assert!(list(&owner).iter().all(|key| key["name"] != "Evil"));
}

#[test]
fn a_program_must_say_where_it_comes_from() {
    let deployment = shared();
    let owner = deployment.owner();
    let silent = owner.without("Origin");
    let body = json!({"name": "Silent", "environment": "live", "scopes": ["contacts:read"]});
    silent.post("/api/v1/keys", &body).expect_problem(403, "cross_site");
    silent.with("Sec-Fetch-Site", "same-origin").post("/api/v1/keys", &body).expect_status(201);
    silent.get("/api/v1/keys").expect_status(200);
    silent.get("/api/v1/export").expect_problem(403, "cross_site");
}

#[test]
fn links_from_elsewhere_work() {
    let deployment = shared();
    let guest = deployment.owner().without("Origin").with("Sec-Fetch-Site", "cross-site");
    guest.get("/settings/developer/api-keys").expect_status(200);
}
