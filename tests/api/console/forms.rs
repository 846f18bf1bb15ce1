//! Forms of the key pages, as a browser without JavaScript submits them, and their server function.

use super::keys::{PAGE, path};
use crate::{
    client::Answer,
    deployment::{shared, wait},
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
    let (earliest, latest) = (seconds_from_now(30 * 86_400 - 600), seconds_from_now(30 * 86_400 + 1));
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
    // A valid name is stored unchanged, and shown as text.
    let made = make(&owner, evil, &["contacts:read"]);
    for path in [PAGE.to_owned(), format!("{PAGE}/{}", made.id), format!("{PAGE}/{}/delete", made.id)] {
        let page = owner.get(&path);
        assert!(!page.text.contains("<script>alert(1)"), "{path}");
        assert!(page.text.contains("&lt;script&gt;alert(1)"), "{path}");
    }
    assert_eq!(owner.get(&path(&made.id)).at("/name"), evil);
}

/// Returns the fields of a form that was loaded with the name and description in `shown`.
fn edited<'a>(version: &'a str, shown: [&'a str; 2], typed: [&'a str; 2]) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", version),
        ("base_name", shown[0]),
        ("base_description", shown[1]),
        ("base_expires_at", ""),
        ("base_scopes", "contacts:read"),
        ("name", typed[0]),
        ("description", typed[1]),
        ("expiry", "keep"),
        ("scopes", "contacts:read"),
    ]
}

#[test]
fn a_stale_form_saves_its_changes_and_reverts_no_others() {
    let owner = shared().owner();
    let made = make(&owner, "First", &["contacts:read"]);
    change(&owner, &made.id, &json!({"name": "Second", "scopes": ["contacts:read", "contacts:export"]}));
    let page = format!("{PAGE}/{}", made.id);
    owner.form(&page, &edited("1", ["First", ""], ["First", "Typed"])).expect_status(303);
    let about = owner.get(&path(&made.id));
    assert_eq!((about.at("/name"), about.at("/description")), ("Second".to_owned(), "Typed".to_owned()));
    assert_eq!(about.json()["scopes"], json!(["contacts:read", "contacts:export"]), "a scope was taken back");
}

#[test]
fn where_both_changed_a_field_the_visitor_chooses() {
    let owner = shared().owner();
    let made = make(&owner, "First", &["contacts:read"]);
    change(&owner, &made.id, &json!({"name": "Second", "description": "Theirs"}));
    let page = format!("{PAGE}/{}", made.id);
    let name = || owner.get(&path(&made.id)).at("/name");
    for fields in [
        edited("1", ["First", ""], ["Third", ""]),
        // A form without base values.
        vec![
            ("version", "1"),
            ("name", "Third"),
            ("description", "Theirs"),
            ("expiry", "keep"),
            ("scopes", "contacts:read"),
        ],
    ] {
        let answer = owner.form(&page, &fields);
        let text = answer.expect_status(409).text.replace("<!>", "");
        assert!(
            text.contains("<bdi>Ada Owner</bdi> changed this key just now. Your changes aren't saved yet."),
            "{text}"
        );
        assert!(text.contains("name=\"keep_name\"") && !text.contains("name=\"keep_description\""), "{text}");
        for part in [
            "<bdi>Second</bdi></span>",
            "<bdi>Third</bdi></span>",
            "value=\"Third\"",
            "name=\"base_name\" value=\"Second\"",
            "\nTheirs</textarea>",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
    // Submits the conflict page, with or without a choice.
    let asked = |choice: &'static [(&'static str, &'static str)]| {
        let mut fields = edited("2", ["Second", "Theirs"], ["Third", "Theirs"]);
        fields.push(("asked", "name"));
        fields.extend(choice);
        owner.form(&page, &fields)
    };
    asked(&[]).expect_status(409);
    assert_eq!(name(), "Second");
    asked(&[("keep_name", "theirs")]).expect_status(303);
    assert_eq!((name(), owner.get(&path(&made.id)).at("/version")), ("Second".to_owned(), "2".to_owned()));
    asked(&[("keep_name", "yours")]).expect_status(303);
    assert_eq!(name(), "Third");
}

#[test]
fn a_form_without_a_change_saves_nothing() {
    let owner = shared().owner();
    let made = make(&owner, "Same", &["contacts:read"]);
    let page = format!("{PAGE}/{}", made.id);
    let mut fields = edited("1", ["Same", ""], [" Same ", ""]);
    fields.push(("reason", "no reason"));
    let answer = owner.form(&page, &fields);
    let shown = owner.with("Cookie", format!("__Host-ownchat-flash={}", answer.flash().unwrap())).get(PAGE);
    answer.expect_status(303);
    assert!(shown.text.contains("Nothing to save."), "{}", shown.text);
    assert_eq!(owner.get(&path(&made.id)).at("/version"), "1");
}

#[test]
fn no_key_is_left_working_because_a_page_was_old() {
    let owner = shared().owner();
    let made = make(&owner, "Old page", &["contacts:read"]);
    change(&owner, &made.id, &json!({"description": "Newer"}));
    let page = format!("{PAGE}/{}", made.id);
    owner.form(&format!("{page}/status"), &[("version", "1"), ("status", "inactive")]).expect_status(303);
    assert_eq!(owner.get(&path(&made.id)).at("/status"), "inactive");
    // Deletion requires confirmation.
    owner.form(&format!("{page}/delete"), &[("version", "1")]).expect_status(422);
    owner.get(&path(&made.id)).expect_status(200);
    owner.form(&format!("{page}/delete"), &[("version", "1"), ("confirm", "yes")]).expect_status(303);
    owner.get(&path(&made.id)).expect_problem(404, "not_found");
}

#[test]
fn a_deleted_key_has_a_page_from_which_it_comes_back() {
    let owner = shared().owner();
    let made = make(&owner, "Gone", &["contacts:read"]);
    let page = format!("{PAGE}/{}", made.id);
    owner.form(&format!("{page}/delete"), &[("version", "1"), ("confirm", "yes")]).expect_status(303);
    let shown = owner.get(&page).expect_status(200).text.replace("<!>", "");
    assert!(shown.contains("“<bdi>Gone</bdi>” is deleted"), "{shown}");
    assert!(shown.contains("Deleted by <bdi>Ada Owner</bdi> just now. You can restore it until "), "{shown}");
    let answer = owner.form(&format!("{page}/restore?back={}", page.replace('/', "%2F")), &[]);
    assert_eq!(answer.expect_status(303).header("location"), page);
    assert_eq!(owner.get(&path(&made.id)).at("/status"), "active");
    let nothing = owner.get(&format!("{PAGE}/0123456789abcdef"));
    assert!(nothing.expect_status(404).text.contains("Page not found"), "{}", nothing.text);
}

/// Returns the only key that a page shows.
fn key_of(page: &Answer) -> String {
    let key = page.text.split("value=\"oc_live_").nth(1).and_then(|rest| rest.split('"').next());
    format!("oc_live_{}", key.unwrap_or_else(|| panic!("no key in {}", page.text)))
}

#[test]
fn a_form_sent_twice_creates_one_key_and_offers_to_rotate_it() {
    let owner = shared().owner();
    let fields = [
        ("form", "sent-twice"),
        ("name", "Sent twice by a form"),
        ("environment", "live"),
        ("expiry", "30"),
        ("scopes", "contacts:read"),
    ];
    let first = key_of(owner.form(&format!("{PAGE}/new"), &fields).expect_status(200));
    let second = owner.form(&format!("{PAGE}/new"), &fields);
    assert!(second.expect_status(200).text.contains("This form was submitted before."), "{}", second.text);
    assert_eq!(list(&owner).iter().filter(|key| key["name"] == "Sent twice by a form").count(), 1);
    let (action, name) = second
        .text
        .split("action=\"")
        .filter(|rest| rest.contains("Rotate key"))
        .find_map(|rest| {
            let name = rest.split("name=\"form\" value=\"").nth(1)?;
            Some((rest.split('"').next()?, name.split('"').next()?))
        })
        .unwrap();
    let pressed = key_of(owner.form(action, &[("form", name)]).expect_status(200));
    assert_ne!(first, pressed);
    let edge = shared().edge();
    wait("the new secret", || edge.bearing(&pressed).get("/v1/key").status == 200);
    wait("the end of the first", || edge.bearing(&first).get("/v1/key").status == 401);
    // A second press of that button issues nothing more.
    let again = owner.form(action, &[("form", name)]);
    assert!(again.expect_status(200).text.contains("Rotate key") && !again.text.contains("value=\"oc_live_"));
    edge.bearing(&pressed).get("/v1/key").expect_status(200);
    // Opening the page ends no secret.
    let question = owner.get(action);
    assert!(question.expect_status(200).text.contains("The present secret stops working"), "{}", question.text);
    edge.bearing(&pressed).get("/v1/key").expect_status(200);
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
    json.send("POST", "/actions/create-key", "x".repeat(70_000)).expect_problem(413, "body_too_large");
    let secret = "0123456789ABCDEFGHIJKLMN";
    let answer = json.send("POST", &format!("/actions/oc_live_JCgnh3DhfKRFKbvX_{secret}4YHXyj"), "{}");
    assert!(answer.status >= 400 && !answer.text.contains(secret), "{}", answer.text);
}

#[test]
fn a_refused_form_begins_where_something_is_wrong() {
    let owner = shared().owner();
    let begins = |page: &Answer| {
        let tags = page.text.split('<').filter(|tag| tag.contains(" autofocus"));
        let id =
            |tag: &str| tag.split("id=\"").nth(1).and_then(|id| id.split('"').next()).unwrap_or_default().to_owned();
        tags.map(id).collect::<Vec<_>>()
    };
    let new = format!("{PAGE}/new");
    assert_eq!(begins(&owner.get(&new)), ["name"]);
    assert_eq!(begins(&owner.form(&new, &[("name", "No scopes"), ("expiry", "30")])), ["faults"]);
    for (fields, first) in [
        ([("email", ""), ("password", "x")], "email"),
        ([("email", ""), ("password", "")], "email"),
        ([("email", "ada@example.com"), ("password", "")], "password"),
    ] {
        let page = shared().console().form("/sign-in", &fields);
        assert_eq!(begins(page.expect_status(422)), [first], "{fields:?}");
    }
}
