//! `/api/v1/keys`: create, read, change, delete and list.

use crate::{
    deployment::{Deployment, shared},
    keys::{change, delete, list, make},
};
use serde_json::{Value, json};
use std::thread;

pub const PAGE: &str = "/settings/developer/api-keys";

pub fn path(id: &str) -> String {
    format!("/api/v1/keys/{id}")
}

#[test]
fn a_key_is_shown_whole_once() {
    let deployment = shared();
    let owner = deployment.owner();
    let body = json!({
        "name": " Shop ", "description": "Runs on the till.", "environment": "test",
        "scopes": ["messages:send", "contacts:read"], "expires_at": "2030-01-01T00:00:00Z",
    });
    let answer = owner.post("/api/v1/keys", &body);
    answer.expect_status(201);
    let (key, id) = (answer.at("/key"), answer.at("/id"));
    assert!(key.starts_with(&format!("oc_test_{id}_")), "{key}");
    assert_eq!(answer.at("/prefix"), format!("oc_test_{id}"));
    assert_eq!((answer.header("location"), answer.header("etag")), (path(&id).as_str(), "\"1\""));
    let read = owner.get(&path(&id));
    read.expect_status(200);
    assert_eq!(read.header("etag"), "\"1\"");
    let mut about = answer.json();
    about.as_object_mut().unwrap().remove("key");
    assert_eq!(read.json(), about);
    for (field, value) in [
        ("name", json!("Shop")),
        ("description", json!("Runs on the till.")),
        ("environment", json!("test")),
        ("scopes", json!(["contacts:read", "messages:send"])),
        ("status", json!("active")),
        ("created_by", json!("Ada Owner")),
        ("version", json!(1)),
        ("expires_at", json!("2030-01-01T00:00:00.000Z")),
    ] {
        assert_eq!(about[field], value, "{field}");
    }
    let secret = &key[key.len() - 30..];
    for page in [path(&id), "/api/v1/keys".into(), PAGE.into(), format!("{PAGE}/{id}"), format!("{PAGE}/{id}/delete")] {
        assert!(!owner.get(&page).text.contains(secret), "{page} shows the secret");
    }
}

#[test]
fn a_key_is_read_changed_and_deleted() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Before", &["contacts:read"]);
    let patch = json!({"name": "After", "scopes": ["messages:read"], "expires_at": "2031-01-01T00:00:00Z"});
    let changed = owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &patch);
    assert_eq!(changed.expect_status(200).header("etag"), "\"2\"");
    assert_eq!((changed.at("/name").as_str(), changed.at("/scopes/0").as_str()), ("After", "messages:read"));
    assert_eq!(changed.at("/description"), "", "what a patch does not name stays");
    let cleared = owner.with("If-Match", "\"2\"").json("PATCH", &path(&made.id), &json!({"expires_at": null}));
    assert_eq!(cleared.expect_status(200).json().get("expires_at"), None);
    let off = owner.with("If-Match", "\"3\"").json("PATCH", &path(&made.id), &json!({"status": "inactive"}));
    assert_eq!((off.at("/status").as_str(), off.at("/reason").as_str()), ("inactive", "deactivated"));
    owner.with("If-Match", "\"4\"").send("DELETE", &path(&made.id), "").expect_status(204);
    owner.get(&path(&made.id)).expect_problem(404, "not_found");
    assert!(list(&owner).iter().all(|key| key["id"] != made.id.as_str()));
}

#[test]
fn bad_input_is_named_by_field_and_nothing_is_made() {
    let deployment = shared();
    let owner = deployment.owner();
    let faulty = |name: &str, value: Value| {
        let mut body = json!({"name": "Never made", "environment": "live", "scopes": ["contacts:read"]});
        body[name] = value;
        owner.post("/api/v1/keys", &body)
    };
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(101))),
        ("name", json!("x".repeat(10_000))),
        ("name", json!("two\nlines")),
        ("name", json!(7)),
        ("name", json!(null)),
        ("description", json!("x".repeat(501))),
        ("environment", json!("prod")),
        ("scopes", json!([])),
        ("scopes", json!(["contacts:fly"])),
        ("scopes", json!("contacts:read")),
        ("expires_at", json!("soon")),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("2060-01-01T00:00:00Z")),
        ("secret_sha256", json!("short")),
        ("rate_limit", json!([5, 60])),
        ("restrictions", json!([["10.0.0.0/8"], [], ["ch_1"]])),
        ("admin", json!(true)),
        ("version", json!(7)),
    ] {
        let answer = faulty(field, value.clone());
        answer.expect_fields(&[field]);
        let message = answer.at("/errors/0/message");
        assert!(message.len() > 10 && message.len() < 300, "{field} {value}: {message}");
    }
    owner.post("/api/v1/keys", &json!({})).expect_fields(&["name", "environment", "scopes"]);
    let json = owner.with("Content-Type", "application/json");
    json.send("POST", "/api/v1/keys", "{").expect_problem(400, "invalid_json");
    json.send("POST", "/api/v1/keys", "").expect_problem(400, "invalid_json");
    json.send("POST", "/api/v1/keys", format!("\"{}\"", "x".repeat(70_000))).expect_problem(413, "body_too_large");
    owner.send("POST", "/api/v1/keys", "{}").expect_problem(415, "unsupported_media_type");
    owner.send("PUT", "/api/v1/keys", "").expect_problem(405, "method_not_allowed");
    assert!(list(&owner).iter().all(|key| key["name"] != "Never made"), "something was made");

    // Changes are all or nothing, too.
    let made = make(&owner, "Unchanged", &["contacts:read"]);
    let change = owner.with("If-Match", "\"1\"");
    let patch = json!({"name": "x".repeat(10_000), "description": "good", "scopes": []});
    change.json("PATCH", &path(&made.id), &patch).expect_fields(&["name", "scopes"]);
    change.json("PATCH", &path(&made.id), &json!({"id": "0123456789abcdef"})).expect_fields(&["id"]);
    change.json("PATCH", &path(&made.id), &json!({"status": "asleep"})).expect_fields(&["status"]);
    change.json("PATCH", &path(&made.id), &json!({"rate_limit": [5]})).expect_fields(&["rate_limit"]);
    let mut before = made.about;
    before.as_object_mut().unwrap().remove("key");
    assert_eq!(owner.get(&path(&made.id)).json(), before);
}

#[test]
fn a_secret_that_the_caller_keeps_is_never_seen() {
    use ownchat_domain::{
        digest::SecretHash,
        token::{Secret, Token},
    };
    let deployment = shared();
    let secret: Secret = "abcdefghijklmnopqrstuvwx".parse().unwrap();
    let hash = SecretHash::of(&secret);
    let body = json!({"name": "Zero sight", "environment": "live", "scopes": ["contacts:read"], "secret_sha256": hash});
    let answer = deployment.owner().post("/api/v1/keys", &body);
    answer.expect_status(201);
    assert_eq!(answer.json().get("key"), None);
    let token = Token { environment: "live".parse().unwrap(), locator: answer.at("/id").parse().unwrap(), secret };
    deployment.edge().bearing(&token.reveal()).get("/v1/key").expect_status(200);
}

#[test]
fn a_change_may_come_as_a_merge_patch() {
    let deployment = shared();
    let owner = deployment.owner().with("If-Match", "\"1\"");
    let path = path(&make(&owner, "Merged", &["contacts:read"]).id);
    let send = |media: &str| owner.with("Content-Type", media).send("PATCH", &path, "{\"name\":\"After\"}");
    let detail = send("text/plain").expect_problem(415, "unsupported_media_type").at("/detail");
    assert!(detail.contains("application/json or application/merge-patch+json"), "{detail}");
    assert_eq!(send("application/merge-patch+json").expect_status(200).at("/name"), "After");
}

#[test]
fn a_change_needs_the_version_that_was_seen() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Versions", &["contacts:read"]);
    let patch = json!({"name": "Lost"});
    owner.json("PATCH", &path(&made.id), &patch).expect_problem(428, "precondition_required");
    owner.send("DELETE", &path(&made.id), "").expect_problem(428, "precondition_required");
    for unclear in ["*", "\"1\", \"2\""] {
        let caller = owner.with("If-Match", unclear);
        caller.json("PATCH", &path(&made.id), &patch).expect_problem(428, "precondition_required");
        caller.send("DELETE", &path(&made.id), "").expect_problem(428, "precondition_required");
    }
    for stale in ["\"2\"", "2", "\"0\"", "\"01\"", "\"+1\"", "\"x\""] {
        owner.with("If-Match", stale).json("PATCH", &path(&made.id), &patch).expect_problem(412, "stale");
    }
    // An act that ignores the version is not refused because a proxy has rewritten the tag.
    let (off, gone) = (make(&owner, "Off", &["contacts:read"]), make(&owner, "Gone", &["contacts:read"]));
    let rewritten = owner.with("If-Match", "\"1-gzip\"");
    rewritten.json("PATCH", &path(&off.id), &json!({"status": "inactive"})).expect_status(200);
    rewritten.send("DELETE", &path(&gone.id), "").expect_status(204);
    // A proxy that compresses makes a tag weak; people leave out the quotes.
    for (seen, name) in [("W/\"1\"", "Weak"), ("2", "Bare")] {
        let changed = owner.with("If-Match", seen).json("PATCH", &path(&made.id), &json!({"name": name}));
        assert_eq!(changed.expect_status(200).at("/name"), name);
    }
    change(&owner, &made.id, &json!({"name": "Versions"}));
    assert_eq!(owner.get(&path(&made.id)).at("/name"), "Versions");
    change(&owner, &made.id, &json!({"name": "Newer"}));
    owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &patch).expect_problem(412, "stale");
    assert_eq!(owner.get(&path(&made.id)).at("/name"), "Newer");
}

#[test]
fn no_key_is_left_working_because_a_page_was_old() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Stale", &["contacts:read"]);
    change(&owner, &made.id, &json!({"description": "changed elsewhere"}));
    let stale = owner.with("If-Match", "\"1\"");
    let off = stale.json("PATCH", &path(&made.id), &json!({"status": "inactive"}));
    assert_eq!(
        (off.expect_status(200).at("/status"), off.at("/description")),
        ("inactive".into(), "changed elsewhere".into())
    );
    stale.json("PATCH", &path(&made.id), &json!({"status": "active"})).expect_problem(412, "stale");
    stale.send("DELETE", &path(&made.id), "").expect_status(204);
}

#[test]
fn of_many_changes_of_one_version_one_wins() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Race", &["contacts:read"]);
    let racers: Vec<_> = (0..8)
        .map(|number| {
            let caller = owner.with("If-Match", "\"1\"");
            let path = path(&made.id);
            thread::spawn(move || {
                let name = format!("Racer {number}");
                (caller.json("PATCH", &path, &json!({"name": name})).status, name)
            })
        })
        .collect();
    let outcomes: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
    let winners: Vec<_> = outcomes.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|(status, _)| matches!(status, 200 | 412)), "{outcomes:?}");
    let now = owner.get(&path(&made.id));
    assert_eq!((Some(now.at("/name")), now.at("/version").as_str()), (winners.first().map(|won| won.1.clone()), "2"));
}

#[test]
fn an_absent_or_deleted_key_is_not_found() {
    let deployment = shared();
    let owner = deployment.owner();
    for id in ["0123456789abcdef", "x", "%00", "1", &"z".repeat(200)] {
        owner.get(&path(id)).expect_problem(404, "not_found");
        owner.with("If-Match", "\"1\"").send("DELETE", &path(id), "").expect_problem(404, "not_found");
        owner.get(&format!("{PAGE}/{id}")).expect_status(404);
    }
    owner.get("/api/v1/nothing").expect_problem(404, "not_found");
    let deleted = make(&owner, "Gone", &["contacts:read"]);
    delete(&owner, &deleted.id);
    owner.get(&path(&deleted.id)).expect_problem(404, "not_found");
}

#[test]
fn lists_are_paged_searched_and_sorted() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let ids: Vec<String> =
        (0..7).map(|number| make(&owner, &format!("Key {number} %_"), &["contacts:read"]).id).collect();
    let mut cursor = String::new();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = owner.get(&format!("/api/v1/keys?limit=3&sort=oldest{cursor}")).expect_status(200).json();
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 3);
        seen.extend(data.iter().map(|key| key["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&{}", serde_urlencoded::to_string([("cursor", next)]).unwrap());
    }
    assert_eq!(seen, ids);
    let ask = |query: &str| -> Vec<String> {
        let body = owner.get(&format!("/api/v1/keys?{query}")).expect_status(200).json();
        body["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    };
    let one = |place: usize| ids.get(place).cloned().into_iter().collect::<Vec<_>>();
    assert_eq!(ask("").first(), ids.last(), "the newest comes first");
    assert_eq!(ask("q=KEY+3"), one(3));
    assert_eq!(ask(&format!("q={}", ids.first().unwrap())), one(0));
    // The search accepts a whole key, as found somewhere and pasted.
    let pasted = make(&owner, "Pasted", &["messages:read"]);
    for text in [pasted.key.as_str(), &pasted.key[..24]] {
        assert_eq!(ask(&format!("q={text}")), std::slice::from_ref(&pasted.id));
    }
    delete(&owner, &pasted.id);
    assert_eq!(ask("q=%25_").len(), 7, "signs of the query language are letters like others");
    assert_eq!(ask("q=%25x").len(), 0);
    change(&owner, ids.get(2).unwrap(), &json!({"status": "inactive"}));
    assert_eq!(ask("status=inactive"), one(2));
    assert_eq!(ask("status=active").len(), 6);
    assert_eq!(ask("scope=messages:send").len(), 0);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("status=x", "status"),
        ("colour=red", "colour"),
    ] {
        owner.get(&format!("/api/v1/keys?{query}")).expect_fields(&[field]);
    }
}
