//! Rules for every request to the API: authentication first, and `Effective-At` in the response.

use crate::{
    deployment::{Deployment, shared},
    keys::{expect_soon, make, seconds_from_now},
};
use serde_json::{Value, json};

/// A day, in seconds.
const DAY: i64 = 86_400;

#[test]
fn whoever_is_not_signed_in_hears_that_first() {
    let deployment = shared();
    let stranger = deployment.console();
    let json = stranger.with("Content-Type", "application/json");
    for (method, path, body) in [
        ("PATCH", "/api/v1/workspace", "{}"),
        ("PATCH", "/api/v1/workspace", "{\"colour\":1}"),
        ("GET", "/api/v1/audit?format=xml", ""),
        ("GET", "/api/v1/audit?colour=red", ""),
        ("GET", "/api/v1/keys?colour=red", ""),
        ("POST", "/api/v1/keys", "{"),
        ("POST", "/api/v1/keys", "{\"name\":\"\"}"),
        ("PATCH", "/api/v1/keys/0123456789abcdef", "{\"colour\":1}"),
        ("POST", "/api/v1/keys/0123456789abcdef/rotate", "{}"),
        ("POST", "/api/v1/keys/x/duplicate", "[]"),
        ("POST", "/api/v1/explain", "{}"),
    ] {
        json.send(method, path, body).expect_problem(401, "not_signed_in");
    }
    stranger.with("Content-Type", "text/plain").send("POST", "/api/v1/keys", "x").expect_problem(401, "not_signed_in");
}

#[test]
fn full_access_needs_a_reason_and_an_end() {
    let deployment = shared();
    let owner = deployment.owner();
    let catalogue = owner.get("/api/v1/scopes").json();
    let all: Vec<&Value> = catalogue["data"].as_array().unwrap().iter().map(|scope| &scope["name"]).collect();
    let create = |end: Option<String>, reason: Option<&str>| {
        let body = json!({
            "name": "All", "environment": "live", "scopes": all, "expires_at": end, "reason": reason,
        });
        owner.post("/api/v1/keys", &body)
    };
    create(None, None).expect_fields(&["expires_at", "reason"]);
    create(Some(seconds_from_now(31 * DAY)), Some("moving")).expect_fields(&["expires_at"]);
    create(Some(seconds_from_now(DAY)), Some(" ")).expect_fields(&["reason"]);
    let made = create(Some(seconds_from_now(29 * DAY)), Some("moving"));
    let id = made.expect_status(201).at("/id");
    let longer =
        owner.with("If-Match", "\"1\"").json("PATCH", &format!("/api/v1/keys/{id}"), &json!({"expires_at": null}));
    longer.expect_fields(&["expires_at", "reason"]);
    let lines = owner.get(&format!("/api/v1/audit?key={id}")).json();
    assert_eq!(lines["data"][0]["reason"], "moving");
}

#[test]
fn a_narrowed_workspace_says_from_when_on_it_holds() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let patch = |version: &str, body: Value| owner.with("If-Match", version).json("PATCH", "/api/v1/workspace", &body);
    let narrowed = patch("\"1\"", json!({"suspended": true}));
    expect_soon(narrowed.expect_status(200).effective_at());
    assert_eq!((narrowed.at("/suspended"), narrowed.header("etag")), ("true".into(), "\"2\""));
    assert_eq!(patch("\"2\"", json!({"suspended": false})).expect_status(200).header("effective-at"), "");
}

#[test]
fn an_overlap_says_when_the_old_secret_ends() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Overlapping", &["contacts:read"]);
    let rotate = |overlap: u32| {
        let body = json!({"overlap_seconds": overlap, "end_earlier": true});
        owner.post(&format!("/api/v1/keys/{}/rotate", made.id), &body)
    };
    let rotated = rotate(3_600);
    assert_eq!(rotated.expect_status(200).header("effective-at"), rotated.at("/secrets/0/ends_at"));
    expect_soon(rotate(0).effective_at());
}

#[test]
fn the_next_page_of_the_trail_is_of_the_same_lines() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Followed", &["contacts:read"]);
    for overlap in [60, 70, 80] {
        let body = json!({"overlap_seconds": overlap});
        owner.post(&format!("/api/v1/keys/{}/rotate", made.id), &body).expect_status(200);
        make(&owner, "Between", &["contacts:read"]);
    }
    let mut path = format!("/api/v1/audit?format=ndjson&limit=2&key={}&action=key.rotate", made.id);
    let mut seen = 0;
    for _ in 0..3 {
        let page = owner.get(&path);
        for line in page.expect_status(200).text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!((&line["key"], &line["action"]), (&json!(made.id), &json!("key.rotate")));
            seen += 1;
        }
        let Some((next, _)) = page.header("link").strip_prefix('<').and_then(|link| link.split_once(">; rel=\"next\""))
        else {
            break;
        };
        path = format!("/api/v1/audit{next}");
    }
    assert_eq!(seen, 3);
    for cursor in ["9007199254740992", "18446744073709551615"] {
        owner.get(&format!("/api/v1/audit?cursor={cursor}")).expect_fields(&["cursor"]);
        let version = owner.with("If-Match", format!("\"{cursor}\""));
        version.json("PATCH", &format!("/api/v1/keys/{}", made.id), &json!({"name": "x"})).expect_problem(412, "stale");
    }
}
