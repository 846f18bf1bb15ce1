//! The life cycle of a key: rotation, deletion and restore. Also the audit trail and the settings
//! of the workspace.

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, shared, wait},
    keys::{change, delete, expect_soon, make, seconds_from_now},
};
use ownchat_domain::audit;
use serde_json::{Value, json};

fn path(id: &str) -> String {
    format!("/api/v1/keys/{id}")
}

fn code(deployment: &Deployment, key: &str) -> String {
    deployment.service().post("/v1/verify", &json!({"key": key})).expect_status(200).at("/code")
}

fn rotate(owner: &ApiClient, id: &str, overlap_seconds: u32) -> Answer {
    owner.post(&format!("{}/rotate", path(id)), &json!({"overlap_seconds": overlap_seconds}))
}

#[test]
fn both_secrets_work_inside_an_overlap() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Rotated", &["contacts:read"]);
    assert_eq!(code(deployment, &made.key), "VALID");
    let rotated = rotate(&owner, &made.id, 3);
    let newer = rotated.expect_status(200).at("/key");
    assert_eq!(rotated.at("/id"), made.id, "a rotated key keeps its id");
    assert_ne!(newer, made.key);
    assert_eq!((rotated.at("/secrets/0/number"), rotated.at("/secrets/1/number")), ("1".into(), "2".into()));
    assert!(rotated.json().pointer("/secrets/1/ends_at").is_none());
    assert_eq!(code(deployment, &newer), "VALID");
    assert_eq!(code(deployment, &made.key), "VALID");
    wait("the end of the old secret", || code(deployment, &made.key) == "EXPIRED");
    assert_eq!(code(deployment, &newer), "VALID");
    let refused = deployment.edge().bearing(&made.key).get("/v1/key");
    assert!(refused.expect_problem(401, "EXPIRED").at("/detail").contains("rotated"), "{}", refused.text);
}

#[test]
fn a_new_secret_works_at_once_and_keeps_promised_overlaps() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Rotated twice", &["contacts:read"]);
    assert_eq!(code(deployment, &made.key), "VALID");
    for _ in 0..2 {
        let newer = rotate(&owner, &made.id, 3_600).expect_status(200).at("/key");
        assert_eq!(code(deployment, &newer), "VALID");
    }
    let shorter = json!({"overlap_seconds": 60});
    owner.post(&format!("{}/rotate", path(&made.id)), &shorter).expect_fields(&["overlap_seconds"]);
    assert_eq!(code(deployment, &made.key), "VALID");
    let newest = owner.post(&format!("{}/rotate", path(&made.id)), &json!({"overlap_seconds": 0, "end_earlier": true}));
    wait("refusing the first secret", || code(deployment, &made.key) == "EXPIRED");
    assert_eq!(code(deployment, &newest.expect_status(200).at("/key")), "VALID");
}

#[test]
fn an_old_secret_can_be_ended_at_once() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Ended", &["contacts:read"]);
    assert_eq!(code(deployment, &made.key), "VALID");
    let newer = rotate(&owner, &made.id, 86_400).at("/key");
    let ended = owner.send("POST", &format!("{}/end-old-secrets", path(&made.id)), "");
    assert_eq!(ended.expect_status(200).at("/version"), "3");
    wait("refusing the old secret", || code(deployment, &made.key) == "EXPIRED");
    assert_eq!(code(deployment, &newer), "VALID");
    owner
        .post(&format!("{}/rotate", path(&made.id)), &json!({"overlap_seconds": 2_592_001}))
        .expect_fields(&["overlap_seconds"]);
    owner.post(&format!("{}/rotate", path(&made.id)), &json!({})).expect_fields(&["overlap_seconds"]);
    owner
        .post(&format!("{}/rotate", path("0123456789abcdef")), &json!({"overlap_seconds": 0}))
        .expect_problem(404, "not_found");
}

#[test]
fn a_rotation_may_bring_its_own_secret() {
    use ownchat_domain::{
        digest::SecretHash,
        token::{Secret, Token},
    };
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Zero sight", &["contacts:read"]);
    let secret: Secret = "ZYXWVUTSRQPONMLKJIHGFEDC".parse().unwrap();
    let body = json!({"overlap_seconds": 0, "secret_sha256": SecretHash::of(&secret)});
    let rotated = owner.post(&format!("{}/rotate", path(&made.id)), &body);
    assert_eq!(rotated.expect_status(200).json().get("key"), None);
    let token = Token { environment: "live".parse().unwrap(), locator: made.id.parse().unwrap(), secret };
    wait("accepting the new secret", || code(deployment, &token.reveal()) == "VALID");
}

#[test]
fn a_deleted_key_comes_back_as_it_was() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Back again", &["contacts:read"]);
    let restore = format!("{}/restore", path(&made.id));
    owner.send("POST", &restore, "").expect_problem(404, "not_found");
    delete(&owner, &made.id);
    wait("refusing a deleted key", || code(deployment, &made.key) == "UNKNOWN_KEY");
    let back = owner.send("POST", &restore, "");
    assert_eq!((back.expect_status(200).at("/name"), back.at("/version")), ("Back again".into(), "3".into()));
    assert_eq!(back.header("etag"), "\"3\"");
    let again = owner.send("POST", &restore, "");
    assert_eq!(again.expect_status(200).json(), back.json(), "whoever did not hear it may ask again");
    wait("accepting a restored key", || code(deployment, &made.key) == "VALID");
    deployment.console().send("POST", &restore, "").expect_problem(401, "not_signed_in");
}

#[test]
fn a_key_may_begin_later() {
    let deployment = shared();
    let owner = deployment.owner();
    let begin = seconds_from_now(5);
    let body = json!({"name": "Later", "environment": "live", "scopes": ["contacts:read"], "not_before": begin});
    let answer = owner.post("/api/v1/keys", &body);
    let key = answer.expect_status(201).at("/key");
    assert_eq!((answer.at("/status"), answer.at("/reason")), ("inactive".into(), "scheduled".into()));
    let refused = deployment.edge().bearing(&key).get("/v1/contacts");
    assert!(refused.expect_problem(401, "NOT_YET_VALID").at("/detail").contains(&begin));
    wait("the beginning", || code(deployment, &key) == "VALID");
    let wrong = json!({"name": "x", "environment": "live", "scopes": ["contacts:read"], "not_before": "2031-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:00Z"});
    owner.post("/api/v1/keys", &wrong).expect_fields(&["not_before"]);
}

#[test]
fn a_narrowing_change_says_from_when_on_it_holds() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Narrowed", &["contacts:read", "messages:send"]);
    let patch = |version: u32, body: &Value| {
        owner.with("If-Match", format!("\"{version}\"")).json("PATCH", &path(&made.id), body)
    };
    assert_eq!(patch(1, &json!({"name": "Other"})).expect_status(200).header("effective-at"), "");
    let narrowed = patch(2, &json!({"scopes": ["contacts:read"]}));
    let since = narrowed.expect_status(200).effective_at();
    expect_soon(since);
    let again = patch(2, &json!({"scopes": ["contacts:read"]}));
    assert_eq!(again.expect_status(200).json(), narrowed.json(), "whoever did not hear it may ask again");
    assert!(again.effective_at() >= since);
    patch(2, &json!({"scopes": ["messages:send"]})).expect_problem(412, "stale");
    for _ in 0..2 {
        let gone = owner.with("If-Match", "\"3\"").send("DELETE", &path(&made.id), "");
        assert!(!gone.expect_status(204).header("effective-at").is_empty());
    }
    owner.with("If-Match", "\"2\"").send("DELETE", &path(&made.id), "").expect_problem(404, "not_found");
}

#[test]
fn a_restriction_is_kept_as_it_was_meant() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Restricted", &["contacts:read"]);
    let patch = json!({
        "integration": "POS", "restrictions": {"allow": ["203.0.113.0/24", "::ffff:198.51.100.7"], "channels": ["ch_1"]},
        "rate_limit": {"limit": 5, "window_seconds": 1}, "quota": {"limit": 9, "period": "month"},
        "metadata": {"team": "till"},
    });
    change(&owner, &made.id, &patch);
    let read = owner.get(&path(&made.id)).json();
    assert_eq!(
        read["restrictions"],
        json!({"allow": ["203.0.113.0/24", "198.51.100.7"], "deny": [], "channels": ["ch_1"]})
    );
    assert_eq!(read["rate_limit"], patch["rate_limit"]);
    assert_eq!(read["quota"], json!({"limit": 9, "period": "month", "remaining": 9}));
    assert_eq!((&read["metadata"], &read["integration"]), (&patch["metadata"], &json!("POS")));
    // A patch may change a part of a limit (RFC 7396).
    change(&owner, &made.id, &json!({"rate_limit": {"limit": 6}, "quota": {"period": "day"}}));
    let read = owner.get(&path(&made.id)).json();
    assert_eq!(read["rate_limit"], json!({"limit": 6, "window_seconds": 1}));
    assert_eq!((&read["quota"]["limit"], &read["quota"]["period"]), (&json!(9), &json!("day")));
    assert_eq!(read["quota"]["remaining"], 9);
    let wrong = |body: &Value, fields: &[&str]| {
        let tag = owner.get(&path(&made.id)).header("etag").to_owned();
        owner.with("If-Match", tag).json("PATCH", &path(&made.id), body).expect_fields(fields);
    };
    wrong(&json!({"restrictions": {"allow": ["203.0.113.7/24"]}}), &["restrictions.allow[0]"]);
    wrong(&json!({"restrictions": {"deny": vec!["10.0.0.0/8"; 21]}}), &["restrictions.deny"]);
    wrong(&json!({"rate_limit": {"limit": 0, "window_seconds": 1}}), &["rate_limit.limit"]);
    wrong(&json!({"rate_limit": {"limit": 3, "window": 1}}), &["rate_limit.window"]);
    wrong(&json!({"quota": {"limit": 1, "period": "week"}}), &["quota.period"]);
    wrong(&json!({"name": null}), &["name"]);
    assert_eq!(owner.get(&path(&made.id)).json(), read);
}

#[test]
fn the_remaining_quota_is_shown() {
    let deployment = shared();
    let owner = deployment.owner();
    let mut body = json!({"name": "With a quota", "environment": "live", "scopes": ["contacts:read"]});
    body["quota"] = json!({"limit": 100, "period": "day"});
    let made = owner.post("/api/v1/keys", &body);
    let full = json!({"limit": 100, "period": "day", "remaining": 100});
    assert_eq!(made.expect_status(201).json()["quota"], full);
    let key = json!({"key": made.at("/key"), "cost": 30});
    assert_eq!(deployment.service().post("/v1/verify", &key).at("/code"), "VALID");
    let id = made.at("/id");
    let left = |answer: &Value| answer["quota"]["remaining"].as_u64().unwrap();
    let read = owner.get(&path(&id)).json();
    assert!((1..=70).contains(&left(&read)), "{read}");
    let listed = owner.get("/api/v1/keys?q=With%20a%20quota").json();
    assert!((1..=70).contains(&left(&listed["data"][0])), "{listed}");
    let changed = owner.with("If-Match", "\"1\"").json("PATCH", &path(&id), &json!({"description": "counted"}));
    assert!((1..=70).contains(&left(&changed.json())), "{}", changed.text);
}

#[test]
fn a_date_that_has_no_text_is_refused() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Of year 0", &["contacts:read"]);
    for field in ["not_before", "expires_at"] {
        for date in ["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"] {
            let patch = json!({field: date});
            owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &patch).expect_fields(&[field]);
        }
    }
    let first =
        owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &json!({"not_before": "0000-01-01T00:00:00Z"}));
    assert_eq!(first.expect_status(200).at("/not_before"), "0000-01-01T00:00:00.000Z");
    owner.get("/api/v1/keys?q=Of%20year%200").expect_status(200);
}

#[test]
fn the_trail_verifies_and_says_who_and_why() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let made = make(&owner, "=cmd()", &["contacts:read"]);
    change(&owner, &made.id, &json!({"status": "inactive", "reason": "leaked in a ticket"}));
    rotate(&owner, &made.id, 0).expect_status(200);
    delete(&owner, &made.id);
    let lines = owner.get("/api/v1/audit?format=ndjson");
    assert!(lines.expect_status(200).header("content-type").starts_with("application/x-ndjson"));
    let (count, _) = audit::verify(lines.text.lines()).unwrap();
    assert_eq!(count, 4);
    let altered = lines.text.replacen("leaked", "loaned", 1);
    assert_eq!(audit::verify(altered.lines()), Err(audit::Flaw::Altered(2)));
    let page = owner.get("/api/v1/audit?limit=2").json();
    assert_eq!((page["data"][1]["action"].as_str(), page["next_cursor"].as_u64()), (Some("key.deactivate"), Some(2)));
    assert_eq!(page["data"][1]["reason"], "leaked in a ticket");
    assert_eq!(
        (&page["data"][0]["actor_name"], &page["data"][0]["address"]),
        (&json!("Ada Owner"), &json!("127.0.0.1"))
    );
    let of_action = owner.get("/api/v1/audit?action=key.rotate&cursor=2").json();
    assert_eq!((of_action["data"].as_array().map(Vec::len), &of_action["next_cursor"]), (Some(1), &Value::Null));
    let table = owner.get("/api/v1/audit?format=csv");
    assert!(table.expect_status(200).header("content-type").starts_with("text/csv"));
    assert_eq!(table.header("content-disposition"), "attachment; filename=\"ownchat-audit.csv\"");
    assert_eq!(table.text.lines().count(), 5);
    assert!(
        table.text.starts_with("\u{feff}sequence,") && table.text.contains(&format!("\"{}\",\"'=cmd()\",", made.id))
    );
    for (query, field) in
        [("format=xml", "format"), ("limit=0", "limit"), ("action=x", "action"), ("colour=red", "colour")]
    {
        owner.get(&format!("/api/v1/audit?{query}")).expect_fields(&[field]);
    }
    own.console().get("/api/v1/audit").expect_problem(401, "not_signed_in");
}

#[test]
fn a_suspended_workspace_refuses_every_key() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let made = make(&owner, "Suspended", &["contacts:read"]);
    assert_eq!(code(&own, &made.key), "VALID");
    let settings = owner.get("/api/v1/workspace");
    assert_eq!((settings.header("etag"), settings.at("/suspended")), ("\"1\"", "false".into()));
    let patch = |version: &str, body: Value| owner.with("If-Match", version).json("PATCH", "/api/v1/workspace", &body);
    patch("\"1\"", json!({"suspended": true, "reason": "an incident"})).expect_status(200);
    wait("refusing every key", || code(&own, &made.key) == "WORKSPACE_SUSPENDED");
    own.edge().bearing(&made.key).get("/v1/contacts").expect_problem(403, "WORKSPACE_SUSPENDED");
    patch("\"1\"", json!({"suspended": false})).expect_problem(412, "stale");
    owner.json("PATCH", "/api/v1/workspace", &json!({"suspended": false})).expect_problem(428, "precondition_required");
    patch("\"2\"", json!({"outage_seconds": 3_601})).expect_fields(&["outage_seconds"]);
    patch("\"2\"", json!({"colour": 1})).expect_fields(&["colour"]);
    patch("\"2\"", json!({"suspended": false})).expect_status(200);
    wait("accepting keys again", || code(&own, &made.key) == "VALID");
}

#[test]
fn the_catalogue_of_scopes_is_public() {
    let deployment = shared();
    let scopes = deployment.console().get("/api/v1/scopes").expect_status(200).json();
    let write =
        scopes["data"].as_array().unwrap().iter().find(|scope| scope["name"] == "contacts:write").unwrap().clone();
    assert_eq!((&write["risk"], &write["gives"]), (&json!("medium"), &json!("contacts:read")));
    assert!(write["opens"].as_array().unwrap().contains(&json!("POST /v1/contacts")));
}
