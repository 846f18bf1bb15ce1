//! The forms of the key pages, as a browser without JavaScript sends them, and their server function.

use super::keys::{PAGE, path};
use crate::{
    deployment::shared,
    keys::{change, list, make, seconds_from_now},
};
use serde_json::json;

#[test]
fn a_form_makes_a_key_and_shows_it_once() {
    let deployment = shared();
    let owner = deployment.owner();
    let fields = [
        ("name", "By form"),
        ("environment", "live"),
        ("expiry", "30"),
        ("scopes", "contacts:read"),
        ("scopes", "messages:send"),
    ];
    let page = owner.form(&format!("{PAGE}/new"), &fields);
    page.expect_status(200);
    let start = page.text.find("value=\"oc_live_").map(|place| place + "value=\"".len()).unwrap();
    let key = page.text[start..].split('"').next().unwrap();
    let about = deployment.edge().bearing(key).get("/v1/key");
    assert_eq!(about.expect_status(200).at("/name"), "By form");
    let end = about.at("/expires_at");
    let (earliest, latest) = (seconds_from_now(30 * 86_400 - 600), seconds_from_now(30 * 86_400));
    assert!(earliest < end && end <= latest, "{end}");
    assert!(!owner.get(PAGE).text.contains(key));
}

#[test]
fn a_form_with_faults_loses_nothing() {
    let deployment = shared();
    let owner = deployment.owner();
    let evil = "</textarea></title><script>alert(1)</script>";
    let long = format!("<script>{}", "x".repeat(10_000));
    let fields = [
        ("name", long.as_str()),
        ("description", evil),
        ("environment", "test"),
        ("expiry", "date"),
        ("expiry_date", "2020-01-01"),
        ("scopes", "messages:send"),
    ];
    let edited = make(&owner, "Edited with faults", &["contacts:read"]);
    let edit = [("version", "1"), ("expiry", "date")]
        .into_iter()
        .chain(fields.into_iter().filter(|(name, _)| *name != "expiry"));
    let edit: Vec<_> = edit.collect();
    for (page, is_new) in [
        (owner.form(&format!("{PAGE}/new"), &fields), true),
        (owner.form(&format!("{PAGE}/{}", edited.id), &edit), false),
    ] {
        page.expect_status(422);
        for field in ["name", "expires_at"] {
            let place = page.text.split(&format!("id=\"{field}-error\"")).nth(1).and_then(|rest| rest.split_once('>'));
            let message = place.and_then(|(_, rest)| rest.split("</p>").next()).unwrap_or_default();
            assert!(message.len() > 10, "nothing is said at {field}: {message}");
        }
        assert!(!page.text.contains("<script>alert(1)") && !page.text.contains("<script>x"), "unescaped");
        assert!(page.text.contains(&"x".repeat(10_000)), "the name is lost");
        assert!(
            page.text.contains("&lt;/textarea&gt;&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</textarea>"),
            "{}",
            page.text
        );
        assert!(page.text.contains("value=\"2020-01-01\""), "the date is lost");
        let chosen = |marker: &str| {
            let tag = page.text.split('<').find(|tag| tag.contains(marker)).unwrap();
            tag.contains("checked")
        };
        assert!(chosen("value=\"messages:send\"") && !chosen("value=\"contacts:read\""));
        assert!(!is_new || chosen("value=\"test\"") && !chosen("value=\"live\""));
        for place in ["#name", "#expiry"] {
            assert!(page.text.contains(&format!("href=\"{place}\"")), "no error leads to {place}");
        }
    }
    assert!(list(&owner).iter().all(|key| !key["name"].as_str().unwrap().starts_with("<script>x")));
    assert_eq!(owner.get(&path(&edited.id)).at("/version"), "1", "the edit was done in part");
    // What is allowed in a name is kept as it is, and shown as text.
    let made = make(&owner, evil, &["contacts:read"]);
    for path in [PAGE.to_owned(), format!("{PAGE}/{}", made.id), format!("{PAGE}/{}/delete", made.id)] {
        let page = owner.get(&path);
        assert!(!page.text.contains("<script>alert(1)"), "{path}");
        assert!(page.text.contains("&lt;script&gt;alert(1)"), "{path}");
    }
    assert_eq!(owner.get(&path(&made.id)).at("/name"), evil);
}

#[test]
fn a_stale_form_shows_what_was_typed() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "First", &["contacts:read"]);
    change(&owner, &made.id, &json!({"name": "Second"}));
    let page = format!("{PAGE}/{}", made.id);
    let fields = [("version", "1"), ("name", "Third"), ("expiry", "keep"), ("scopes", "contacts:read")];
    let answer = owner.form(&page, &fields);
    answer.expect_status(409);
    assert!(answer.text.contains("value=\"Third\"") && answer.text.contains("Somebody changed this key"));
    assert_eq!(owner.get(&path(&made.id)).at("/name"), "Second");
    let fields = [("version", "2"), ("name", "Third"), ("expiry", "keep"), ("scopes", "contacts:read")];
    owner.form(&page, &fields).expect_status(303);
    assert_eq!(owner.get(&path(&made.id)).at("/name"), "Third");
    // No key is left working because a page was old. Deleting asks first.
    owner.form(&format!("{page}/status"), &[("version", "1"), ("status", "inactive")]).expect_status(303);
    assert_eq!(owner.get(&path(&made.id)).at("/status"), "inactive");
    owner.form(&format!("{page}/delete"), &[("version", "1")]).expect_status(422);
    owner.get(&path(&made.id)).expect_status(200);
    owner.form(&format!("{page}/delete"), &[("version", "1"), ("confirm", "yes")]).expect_status(303);
    owner.get(&path(&made.id)).expect_problem(404, "not_found");
}

#[test]
fn a_switch_takes_two_words() {
    let owner = shared().owner();
    let made = make(&owner, "Switch", &["contacts:read"]);
    for nonsense in ["", "on", "Active"] {
        let page = format!("{PAGE}/{}/status", made.id);
        owner.form(&page, &[("version", "1"), ("status", nonsense)]).expect_status(422);
    }
    assert_eq!(owner.get(&path(&made.id)).at("/version"), "1", "nonsense switched something");
}

#[test]
fn a_server_function_explains_bad_input() {
    let deployment = shared();
    let owner = deployment.owner();
    let json = owner.with("Content-Type", "application/json");
    json.send("POST", "/actions/create-key", "{").expect_problem(400, "invalid_json");
    json.send("POST", "/actions/create-key", "{}").expect_problem(422, "validation_failed");
    json.send("POST", "/actions/create-key", &"x".repeat(70_000)).expect_problem(413, "body_too_large");
    let secret = "0123456789ABCDEFGHIJKLMN";
    let answer = json.send("POST", &format!("/actions/oc_live_JCgnh3DhfKRFKbvX_{secret}4YHXyj"), "{}");
    assert!(answer.status >= 400 && !answer.text.contains(secret), "{}", answer.text);
}
