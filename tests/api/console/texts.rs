//! Free texts: their validation wherever the API takes them, and the search in them.

use super::keys::{PAGE, path};
use crate::{deployment::shared, keys::make};
use ownchat_domain::time::Timestamp;
use serde_json::{Value, json};

const ADVICE: &str = "This looks like an API key. Never write one here.";

#[test]
fn no_refusal_repeats_a_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let key = make(&owner, "Repeated", &["contacts:read"]).key;
    let secret = &key[25..45];
    for list in ["allow", "deny", "channels"] {
        let body = json!({"name": "Networks", "environment": "live", "scopes": ["contacts:read"],
            "restrictions": {list: [key]}});
        let refused = owner.post("/api/v1/keys", &body);
        assert!(refused.expect_status(422).text.contains(list) && !refused.text.contains(secret), "{}", refused.text);
    }
    for cut in [1, 6, 18] {
        let body = json!({"name": key[..key.len() - cut], "environment": "live", "scopes": ["contacts:read"]});
        owner.post("/api/v1/keys", &body).expect_fields(&["name"]);
    }
}

#[test]
fn no_text_takes_a_key_or_an_invisible_character() {
    let owner = shared().owner();
    let made = make(&owner, "Texts", &["contacts:read"]);
    let invisible = "This holds an invisible character: U+200B ZERO WIDTH SPACE.";
    for (text, message) in [(made.key.as_str(), ADVICE), ("zero\u{200b}width", invisible)] {
        for (field, value) in [
            ("name", json!(text)),
            ("description", json!(format!("Kept for later:\n{text}"))),
            ("integration", json!(text)),
            ("reason", json!(text)),
        ] {
            let mut body = json!({"name": "Never made", "environment": "live", "scopes": ["contacts:read"]});
            body[field] = value.clone();
            let refused = owner.post("/api/v1/keys", &body);
            assert_eq!(refused.expect_fields(&[field]).at("/errors/0/message"), message, "{field}");
            let patch: Value = [(field.to_owned(), value)].into_iter().collect();
            let refused = owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &patch);
            assert_eq!(refused.expect_fields(&[field]).at("/errors/0/message"), message, "{field} of a change");
        }
        let version = owner.get("/api/v1/workspace").header("etag").to_owned();
        let settings = json!({"suspended": false, "reason": text});
        let refused = owner.with("If-Match", &version).json("PATCH", "/api/v1/workspace", &settings);
        assert_eq!(refused.expect_fields(&["reason"]).at("/errors/0/message"), message, "of the workspace");
    }
    for (body, message) in [
        (json!({"metadata": {"team": made.key}}), ADVICE),
        (json!({"metadata": {made.key.clone(): "x"}}), ADVICE),
        (json!({"metadata": {"zero\u{200b}width": "x"}}), invisible),
        (json!({"restrictions": {"channels": [made.key]}}), ADVICE),
    ] {
        let refused = owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &body);
        assert!(refused.expect_status(422).text.contains(message), "{}", refused.text);
    }
    assert!(!owner.get("/api/v1/keys?limit=100").text.contains(&made.key[30..]));
}

#[test]
fn characters_are_counted_as_people_see_them() {
    let owner = shared().owner();
    let family = "👨‍👩‍👧‍👦";
    let made = make(&owner, &family.repeat(100), &["contacts:read"]);
    let copy = owner.post(&format!("{}/duplicate", path(&made.id)), &json!({}));
    assert_eq!(copy.expect_status(201).at("/name"), format!("{} (copy)", family.repeat(93)));
    let again = owner.post(&format!("{}/duplicate", path(&made.id)), &json!({}));
    assert_eq!(again.expect_status(201).at("/name"), format!("{} (copy 2)", family.repeat(91)));
    let body = json!({"name": family.repeat(101), "environment": "live", "scopes": ["contacts:read"]});
    let refused = owner.post("/api/v1/keys", &body);
    assert_eq!(
        refused.expect_fields(&["name"]).at("/errors/0/message"),
        "This has 101 characters; at most 100 are possible."
    );
}

#[test]
fn a_search_takes_any_case_form_and_order_and_a_whole_key() {
    let owner = shared().owner();
    let made = make(&owner, "Müller İstanbul", &["contacts:read"]);
    let found = |q: &str| {
        let query: Vec<_> = q.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let page = owner.get(&format!("/api/v1/keys?q={}", query.concat()));
        assert!(!page.expect_status(200).text.contains(&made.key[30..]), "the secret comes back");
        page.json()["data"].as_array().unwrap().iter().any(|key| key["id"] == made.id.as_str())
    };
    let shown = format!("oc_live_{}…", &made.id[..12]);
    for q in ["MÜLLER", "istanbul mu\u{308}ller", &made.id.to_lowercase(), &shown, &made.key] {
        assert!(found(q), "{q}");
    }
    assert!(found(&format!("Authorization: Bearer \"{}\"", made.key)));
    assert!(!found("müller ankara"));
    owner.get(&format!("/api/v1/keys?q={}", "a+".repeat(17))).expect_fields(&["q"]);
}

#[test]
fn deleted_keys_are_listed_and_can_be_restored() {
    let owner = shared().owner();
    let made = make(&owner, "Deleted and listed", &["contacts:read"]);
    let listed = |status: &str| {
        let page = owner.get(&format!("/api/v1/keys?limit=100&status={status}")).expect_status(200).json();
        page["data"].as_array().unwrap().iter().find(|key| key["id"] == made.id.as_str()).cloned()
    };
    assert_eq!(listed("deleted"), None);
    owner.with("If-Match", "\"1\"").send("DELETE", &path(&made.id), "").expect_status(204);
    assert!(listed("deleted").unwrap()["restore_until"].is_string());
    assert_eq!((listed("active"), listed("inactive")), (None, None));
    let page = owner.get(&format!("{PAGE}?status=deleted&q={}", made.id)).text;
    assert!(page.contains("aria-label=\"Restore Deleted and listed\""), "{page}");
    assert!(!page.contains(">Edit</a>"), "{page}");
    owner.post(&format!("{}/restore", path(&made.id)), &json!({})).expect_status(200);
    assert_eq!(listed("deleted"), None);
    owner.get("/api/v1/keys?status=gone").expect_fields(&["status"]);
}

#[test]
fn networks_that_cannot_be_meant_are_refused() {
    let owner = shared().owner();
    let made = make(&owner, "Networks", &["contacts:read"]);
    for (restrictions, field) in [
        (json!({"allow": ["0.0.0.0/0"]}), "restrictions.allow"),
        (json!({"allow": ["203.0.113.0/24"], "deny": ["203.0.112.0/20"]}), "restrictions.deny"),
    ] {
        let patch = json!({"restrictions": restrictions});
        owner.with("If-Match", "\"1\"").json("PATCH", &path(&made.id), &patch).expect_fields(&[field]);
    }
}

#[test]
fn keys_of_one_name_are_told_apart() {
    let owner = shared().owner();
    let twins = ["שלום (א)", "שלום (א)"].map(|name| make(&owner, name, &["contacts:read"]));
    let page = owner.get(&format!("{PAGE}?q=%D7%A9%D7%9C%D7%95%D7%9D")).text;
    for twin in &twins {
        let date = Timestamp::parse(twin.about["created_at"].as_str().unwrap()).unwrap().day_in_utc();
        for word in ["Edit", "Duplicate", "Deactivate"] {
            let label = format!("aria-label=\"{word} שלום (א) ({}, {date})\"", twin.id);
            assert!(page.contains(&label), "{label} in {page}");
        }
        let question = owner.get(&format!("{PAGE}/{}/delete", twin.id)).text;
        assert!(question.contains(&format!("oc_live_{}…, created on {date} by ", twin.id)), "{question}");
        assert!(question.contains("<bdi>שלום (א)</bdi>"), "{question}");
    }
}
