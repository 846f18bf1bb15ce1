//! `Idempotency-Key`: a request that is sent twice takes effect once.

use crate::{
    client::{Answer, ApiClient},
    deployment::shared,
    keys::{list, make},
};
use serde_json::{Value, json};
use std::thread;

const PAGE: &str = "/settings/developer/api-keys/new";

fn body(name: &str) -> Value {
    json!({"name": name, "environment": "live", "scopes": ["contacts:read"]})
}

fn create(owner: &ApiClient, key: &str, name: &str) -> Answer {
    owner.with("Idempotency-Key", key).post("/api/v1/keys", &body(name))
}

fn named(owner: &ApiClient, name: &str) -> usize {
    list(owner).iter().filter(|key| key["name"] == name).count()
}

#[test]
fn a_request_that_is_sent_twice_makes_one_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let first = create(&owner, "once-1", "Sent twice");
    let key = first.expect_status(201).at("/key");
    assert_eq!(first.header("idempotency-replayed"), "");
    // In quotes it is the same idempotency key.
    let again = create(&owner, "\"once-1\"", "Sent twice");
    assert_eq!(again.expect_status(201).header("idempotency-replayed"), "true");
    assert!(!again.text.contains(&key), "the key is shown again");
    let (mut before, mut after) = (first.json(), again.json());
    assert_eq!(after["key"], Value::Null);
    assert!(after["hint"].as_str().unwrap().contains("rotate"), "{after}");
    before.as_object_mut().unwrap().remove("key");
    for field in ["key", "hint"] {
        after.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(before, after);
    assert_eq!((first.header("location"), first.header("etag")), (again.header("location"), again.header("etag")));
    assert_eq!(named(&owner, "Sent twice"), 1);
    // Without an idempotency key, or with another one, it is another request.
    owner.post("/api/v1/keys", &body("Sent twice")).expect_status(201);
    create(&owner, "once-2", "Sent twice").expect_status(201);
    assert_eq!(named(&owner, "Sent twice"), 3);
}

#[test]
fn another_body_under_the_same_name_is_refused() {
    let deployment = shared();
    let owner = deployment.owner();
    create(&owner, "other-body", "First body").expect_status(201);
    create(&owner, "other-body", "Second body").expect_problem(422, "idempotency_key_reused");
    assert_eq!(named(&owner, "Second body"), 0);
    // A request that fails validation does not use up its idempotency key.
    let wrong = owner.with("Idempotency-Key", "wrong-first").post("/api/v1/keys", &json!({"name": ""}));
    wrong.expect_problem(422, "validation_failed");
    create(&owner, "wrong-first", "Mended").expect_status(201);
}

#[test]
fn a_malformed_idempotency_key_is_refused_and_creates_nothing() {
    let deployment = shared();
    let owner = deployment.owner();
    for key in ["\"", "a b", "\"a\";x=1", &"x".repeat(256)] {
        create(&owner, key, "No name").expect_problem(400, "invalid_idempotency_key");
    }
    let twice = owner.with("Idempotency-Key", "a").with("Idempotency-Key", "b");
    twice.post("/api/v1/keys", &body("No name")).expect_problem(400, "invalid_idempotency_key");
    assert_eq!(named(&owner, "No name"), 0);
    let stranger = deployment.console();
    create(&stranger, "\"", "No name").expect_problem(401, "not_signed_in");
}

#[test]
fn of_equal_requests_at_once_one_makes_a_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let answers: Vec<Answer> = thread::scope(|scope| {
        let racers: Vec<_> = (0..8).map(|_| scope.spawn(|| create(&owner, "race", "Raced"))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let made = answers.iter().filter(|answer| answer.status == 201 && answer.json()["key"].is_string()).count();
    assert_eq!(made, 1, "{answers:?}");
    for answer in &answers {
        assert!(answer.status == 201 || answer.status == 409, "{answer:?}");
    }
    assert_eq!(named(&owner, "Raced"), 1);
}

#[test]
fn a_rotation_that_is_sent_twice_makes_one_secret() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Rotated twice", &["contacts:read"]);
    let path = format!("/api/v1/keys/{}/rotate", made.id);
    let rotate = || owner.with("Idempotency-Key", "turn").post(&path, &json!({"overlap_seconds": 60}));
    let (first, again) = (rotate(), rotate());
    assert!(first.expect_status(200).json()["key"].is_string());
    assert_eq!(again.expect_status(200).json()["key"], Value::Null);
    assert_eq!(again.header("effective-at"), first.header("effective-at"));
    assert!(!first.header("effective-at").is_empty());
    assert_eq!(again.at("/version"), "2");
    assert_eq!(owner.get(&format!("/api/v1/keys/{}", made.id)).json()["secrets"].as_array().unwrap().len(), 2);
    let other = owner.with("Idempotency-Key", "turn").post(&path, &json!({"overlap_seconds": 61}));
    other.expect_problem(422, "idempotency_key_reused");
}

/// Returns the value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let place = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name}"));
    let begin = page[..place].rfind('<').unwrap();
    let tag = page[begin..].split_once('>').unwrap().0;
    tag.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_form_that_is_sent_twice_makes_one_key_and_says_so() {
    let deployment = shared();
    let owner = deployment.owner();
    let form = |client: &ApiClient| hidden(&client.get(PAGE).expect_status(200).text, "form");
    let name = form(&owner);
    assert_ne!(name, form(&owner), "every form has a name of its own");
    let send = |title: &str| {
        let fields = [
            ("form", name.as_str()),
            ("name", title),
            ("environment", "live"),
            ("expiry", "90"),
            ("scopes", "contacts:read"),
        ];
        owner.form(PAGE, &fields)
    };
    let first = send("Clicked twice");
    assert!(first.expect_status(200).text.contains("oc_live_"));
    let again = send("Clicked twice");
    assert!(again.expect_status(200).text.contains("already exists"), "{}", again.text);
    let id = list(&owner).iter().find(|key| key["name"] == "Clicked twice").unwrap()["id"].as_str().unwrap().to_owned();
    assert!(again.text.contains(&format!("href=\"/settings/developer/api-keys/{id}\"")));
    assert!(!again.text.contains(&format!("oc_live_{id}_")), "the key is shown again");
    assert_eq!(named(&owner, "Clicked twice"), 1);
    // Other content under the old idempotency key creates nothing. The form gets a new one.
    let other = send("Clicked otherwise");
    assert!(other.expect_status(422).text.contains("This form already created a key."), "{}", other.text);
    assert_ne!(hidden(&other.text, "form"), name);
    assert_eq!(named(&owner, "Clicked otherwise"), 0);
}

#[test]
fn an_island_that_sends_twice_makes_one_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let draft = json!({
        "name": "By island", "description": "", "environment": "live", "expiry": "90", "expiry_date": "",
        "scopes": ["contacts:read"], "form": "island-1",
    });
    let send = |hash: &str| owner.post("/actions/create-key", &json!({"draft": draft, "secret": hash}));
    let hash = "A".repeat(43);
    let (first, again) = (send(&hash), send(&hash));
    assert_eq!(first.expect_status(200).at("/id"), again.expect_status(200).at("/id"));
    send(&format!("B{}", "A".repeat(42))).expect_status(422);
    assert_eq!(named(&owner, "By island"), 1);
}
