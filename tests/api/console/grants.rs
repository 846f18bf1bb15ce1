//! A key that creates or changes keys never grants more than it holds itself.

use super::callers::{KEYS, body, path, with};
use crate::{
    deployment::shared,
    keys::{change, make, seconds_from_now},
};
use serde_json::json;

#[test]
fn a_key_never_grants_a_scope_that_it_does_not_hold() {
    let deployment = shared();
    let owner = deployment.owner();
    let (maker, program) = with(deployment, "Gives", &["keys:write", "contacts:read"]);
    for (scopes, missing) in [
        (&["keys:write"][..], "keys:write"),
        (&["contacts:read", "messages:send"], "messages:send"),
        (&["contacts:write"], "contacts:write"),
        (&["keys:self"], "keys:self"),
    ] {
        let refused = program.post(KEYS, &body("Too much", scopes));
        assert_eq!(refused.expect_problem(403, "scope_not_held").json()["missing"], json!([missing]));
    }
    assert_eq!(owner.get("/api/v1/keys?q=Too%20much").json()["data"], json!([]), "a key was made");
    let made = program.post(KEYS, &body("As much", &["contacts:read", "keys:read"]));
    let tagged = program.with("If-Match", "\"1\"");
    let id = made.expect_status(201).at("/id");
    let widen = tagged.json("PATCH", &format!("{KEYS}/{id}"), &json!({"scopes": ["messages:send"]}));
    widen.expect_problem(403, "scope_not_held");
    // Nor can it use the permissions of other keys, or extend its own.
    let strong = make(&owner, "Stronger", &["messages:send"]);
    program
        .post(&format!("{}/rotate", path(&strong)), &json!({"overlap_seconds": 0}))
        .expect_problem(403, "scope_not_held");
    let itself = tagged.json("PATCH", &path(&maker), &json!({"scopes": ["keys:write", "contacts:write"]}));
    itself.expect_problem(403, "scope_not_held");
}

#[test]
fn a_key_gives_no_more_freedom_than_it_has() {
    let deployment = shared();
    let owner = deployment.owner();
    let (maker, program) = with(deployment, "Of one channel", &["keys:write", "contacts:read"]);
    let until = seconds_from_now(3_600);
    let own = json!({"restrictions": {"channels": ["ch_1"], "deny": ["192.0.2.0/24"]}, "expires_at": until});
    change(&owner, &maker.id, &own);
    let wide = program.post(KEYS, &json!({"name": "Wide", "environment": "test", "scopes": ["contacts:read"]}));
    wide.expect_problem(403, "scope_not_held");
    let fields: Vec<_> = wide.json()["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(json!(fields), json!(["environment", "restrictions.channels", "restrictions", "expires_at"]));
    let mut narrow = body("Narrow", &["contacts:read"]);
    narrow.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let made = program.post(KEYS, &narrow).expect_status(201).at("/id");
    let tagged = program.with("If-Match", "\"1\"");
    let freed = tagged.json("PATCH", &format!("{KEYS}/{made}"), &json!({"restrictions": {"channels": null}}));
    freed.expect_problem(403, "scope_not_held");
    assert_eq!(freed.at("/errors/0/field"), "restrictions.channels");
    let other = make(&owner, "Another's", &["contacts:read"]);
    let rotated = program.post(&format!("{}/rotate", path(&other)), &json!({"overlap_seconds": 0}));
    rotated.expect_problem(403, "scope_not_held");
    assert_eq!(program.get(&path(&other)).at("/version"), "1", "something was changed");
}
