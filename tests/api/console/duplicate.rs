//! `/api/v1/keys/{id}/duplicate`, and the form for a duplicate.

use crate::{
    deployment::shared,
    keys::{change, delete, list, make},
};
use serde_json::{Value, json};

const PAGE: &str = "/settings/developer/api-keys";

#[test]
fn a_copy_has_the_facts_of_its_source_and_works() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Till", &["contacts:read", "messages:send"]);
    let facts = json!({
        "description": "At the door", "integration": "POS", "metadata": {"team": "till"},
        "restrictions": {"channels": ["ch_1"], "deny": ["203.0.113.0/24"]},
        "rate_limit": {"limit": 50, "window_seconds": 60},
    });
    change(&owner, &made.id, &facts);
    let source = owner.get(&format!("/api/v1/keys/{}", made.id)).json();
    let path = format!("/api/v1/keys/{}/duplicate", made.id);
    let copy = owner.with("Idempotency-Key", "copy-1").post(&path, &json!({"reason": "a second till"}));
    let (key, id) = (copy.expect_status(201).at("/key"), copy.at("/id"));
    assert_ne!(id, made.id);
    assert_eq!((copy.at("/name"), copy.at("/version")), ("Till (copy)".into(), "1".into()));
    assert_eq!(copy.header("location"), format!("/api/v1/keys/{id}"));
    for field in ["description", "integration", "environment", "scopes", "metadata", "restrictions", "rate_limit"] {
        assert_eq!(copy.json()[field], source[field], "{field}");
    }
    let verified = deployment.service().post(
        "/v1/verify",
        &json!({"key": key, "scopes": ["messages:send"], "channel": "ch_1", "address": "192.0.2.1"}),
    );
    assert_eq!(verified.expect_status(200).at("/code"), "VALID");
    let lines = owner.get(&format!("/api/v1/audit?key={id}")).json();
    assert_eq!(lines["data"][0]["action"], "key.duplicate");
    assert_eq!(lines["data"][0]["before"]["duplicate_of"], made.id);
    assert_eq!(lines["data"][0]["reason"], "a second till");
    let again = owner.with("Idempotency-Key", "copy-1").post(&path, &json!({"reason": "a second till"}));
    assert_eq!((again.expect_status(201).at("/id"), &again.json()["key"]), (id, &Value::Null));
}

#[test]
fn a_copy_is_asked_for_within_bounds() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, &"x".repeat(100), &["contacts:read"]);
    let path = format!("/api/v1/keys/{}/duplicate", made.id);
    let name = owner.post(&path, &json!({})).expect_status(201).at("/name");
    assert!(name.len() == 100 && name.ends_with("x (copy)"), "{name}");
    assert_eq!(owner.post(&path, &json!({"name": "Other"})).expect_status(201).at("/name"), "Other");
    owner.post(&path, &json!({"name": ""})).expect_fields(&["name"]);
    owner.post(&path, &json!({"expires_at": "2020-01-01T00:00:00Z"})).expect_fields(&["expires_at"]);
    owner.post(&path, &json!({"scopes": ["messages:send"]})).expect_fields(&["scopes"]);
    deployment.console().post(&path, &json!({"name": ""})).expect_problem(401, "not_signed_in");
}

#[test]
fn an_absent_or_deleted_key_cannot_be_duplicated() {
    let deployment = shared();
    let owner = deployment.owner();
    let gone = make(&owner, "Gone", &["contacts:read"]);
    delete(&owner, &gone.id);
    for id in [gone.id.as_str(), "0123456789abcdef", "x"] {
        owner.post(&format!("/api/v1/keys/{id}/duplicate"), &json!({})).expect_problem(404, "not_found");
        owner.get(&format!("{PAGE}/new?from={id}")).expect_status(404);
    }
}

#[test]
fn the_form_for_a_copy_is_filled_in_and_takes_everything_over() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Shown to copy", &["contacts:read"]);
    change(&owner, &made.id, &json!({"description": "For <b>", "restrictions": {"channels": ["ch_9"]}}));
    let link = format!("href=\"{PAGE}/new?from={}", made.id);
    for page in [PAGE.to_owned(), format!("{PAGE}/{}", made.id)] {
        let page = owner.get(&page);
        assert!(page.expect_status(200).text.contains(&link), "no link to copy");
    }
    let page = format!("{PAGE}/new?from={}", made.id);
    let form = owner.get(&page);
    for part in ["Shown to copy (copy)", "For &lt;b&gt;", "Copied from"] {
        assert!(form.expect_status(200).text.contains(part), "{part}");
    }
    let fields = [
        ("form", "form-of-a-copy"),
        ("from", made.id.as_str()),
        ("name", "Copied by form"),
        ("environment", "test"),
        ("expiry", "30"),
        ("scopes", "contacts:read"),
        ("scopes", "contacts:write"),
    ];
    assert!(owner.form(&page, &fields).expect_status(200).text.contains("oc_test_"));
    let copies: Vec<Value> = list(&owner).into_iter().filter(|key| key["name"] == "Copied by form").collect();
    let [copy] = copies.as_slice() else { panic!("{copies:?}") };
    assert_eq!(copy["restrictions"]["channels"], json!(["ch_9"]));
    assert_eq!((&copy["environment"], &copy["description"]), (&json!("test"), &json!("")));
    assert_eq!(copy["scopes"], json!(["contacts:read", "contacts:write"]));
    assert!(copy["expires_at"].is_string());
}
