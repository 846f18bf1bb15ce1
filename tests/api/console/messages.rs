//! Flash messages: shown once, on the page where the action began, with an undo button.

use super::keys::{PAGE, path};
use crate::{
    client::{Answer, ApiClient},
    deployment::{shared, wait},
    keys::{make, seconds_from_now},
};
use serde_json::json;

/// Follows the redirect of an action, as a browser does.
fn follow(owner: &ApiClient, act: &Answer) -> Answer {
    let target = act.expect_status(303).header("location").split('#').next().unwrap_or_default().to_owned();
    owner.with("Cookie", format!("__Host-ownchat-flash={}", act.flash().unwrap_or_default())).get(&target)
}

/// Returns the URL and the hidden fields of the form that undoes the action.
fn undo(page: &Answer) -> (String, Vec<(String, String)>) {
    let form = page.text.split("class=\"banner banner-good flash\"").nth(1).unwrap();
    let form = form.split("</form>").next().unwrap();
    let value = |text: &str| text.split('"').next().unwrap_or_default().replace("&amp;", "&");
    let action = value(form.split("action=\"").nth(1).unwrap());
    let fields = form
        .split("name=\"")
        .skip(1)
        .map(|rest| (value(rest), rest.split("value=\"").nth(1).map(value).unwrap_or_default()));
    (action, fields.collect())
}

fn press(owner: &ApiClient, page: &Answer) -> Answer {
    let (action, fields) = undo(page);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    owner.form(&action, &fields)
}

#[test]
fn a_message_is_shown_once_and_no_link_makes_one() {
    let owner = shared().owner();
    let made = make(&owner, "Shown once", &["contacts:read"]);
    let off = owner.form(&format!("{PAGE}/{}/status", made.id), &[("version", "1"), ("status", "inactive")]);
    let page = follow(&owner, &off);
    let message = "“<bdi>Shown once</bdi>” is off. Refused everywhere from ";
    let shown = page.text.replace("<!>", "");
    assert!(shown.contains(message), "{shown}");
    assert_eq!(page.flash().as_deref(), Some(""), "the cookie is kept");
    for link in ["", "?done=deactivated", "?done=deleted&since=1795452408000"] {
        let page = owner.get(&format!("{PAGE}{link}"));
        assert!(!page.text.contains("is off.") && !page.text.contains("” deleted."), "{link}");
    }
    // Neither another session nor a changed cookie shows it.
    let good = off.flash().unwrap();
    let other = shared().console().in_session(
        shared()
            .console()
            .post(
                "/api/v1/session",
                &json!({
                    "email": crate::client::OWNER.email, "password": crate::client::OWNER.password,
                }),
            )
            .session(),
    );
    let is_seen = |caller: &ApiClient, value: &str| {
        caller.with("Cookie", format!("__Host-ownchat-flash={value}")).get(PAGE).text.contains("is off.")
    };
    assert!(is_seen(&owner, &good));
    assert!(!is_seen(&other, &good), "it is another session's");
    let first = if good.starts_with('A') { 'B' } else { 'A' };
    assert!(!is_seen(&owner, &format!("{first}{}", &good[1..])), "it was changed");
}

#[test]
fn an_act_comes_back_to_the_page_and_row_that_it_began_at() {
    let owner = shared().owner();
    let made = make(&owner, "Where it was", &["contacts:read"]);
    let list = format!("{PAGE}?q=where&status=active&sort=oldest");
    let page = owner.get(&list);
    let target = "back=%2Fsettings%2Fdeveloper%2Fapi-keys%3Fq%3Dwhere%26status%3Dactive%26sort%3Doldest";
    for what in ["", "/status", "/delete"] {
        let link = format!("{PAGE}/{}{what}?{target}\"", made.id);
        assert!(page.text.contains(&link), "no {link} in {}", page.text);
    }
    let off = owner.form(&format!("{PAGE}/{}/status?{target}", made.id), &[("version", "1"), ("status", "inactive")]);
    assert_eq!(off.expect_status(303).header("location"), format!("{list}#key-{}", made.id));
    let page = follow(&owner, &off);
    assert!(page.text.contains("No keys match “where”."), "an emptied list says nothing");
    let on = press(&owner, &page);
    assert_eq!(on.expect_status(303).header("location"), format!("{list}#key-{}", made.id));
    let page = follow(&owner, &on);
    assert!(page.text.contains(" is on again.") && page.text.contains("data-marked"), "{}", page.text);
    for bad in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example%2Fsettings", "%2Fsign-out", ""] {
        let page = format!("{PAGE}/{}/status?back={bad}", made.id);
        let act = owner.form(&page, &[("version", "1"), ("status", "inactive")]);
        assert_eq!(act.expect_status(303).header("location"), format!("{PAGE}#key-{}", made.id), "{bad}");
    }
}

#[test]
fn a_message_tells_keys_of_one_name_apart() {
    let owner = shared().owner();
    let [one, other] = ["Namesake", "Namesake"].map(|name| make(&owner, name, &["contacts:read"]).id);
    let alone = make(&owner, "Namesake of none", &["contacts:read"]).id;
    // Returns the page after an action that began on the list of this search.
    let after = |id: &str, act: &str, search: &str, fields: &[(&str, &str)]| {
        let back = format!("back=%2Fsettings%2Fdeveloper%2Fapi-keys%3Fq%3D{search}");
        let page = follow(&owner, &owner.form(&format!("{PAGE}/{id}/{act}?{back}"), fields));
        // Browsers show two spaces as one.
        page.text.replace("<!>", "").replace("  ", " ")
    };
    let off = |id: &str, search: &str| after(id, "status", search, &[("version", "1"), ("status", "inactive")]);
    let deleted = |id: &str, search: &str| after(id, "delete", search, &[("version", "2"), ("confirm", "yes")]);
    for shown in [off(&one, "namesake"), deleted(&one, "namesake")] {
        assert!(shown.contains(&format!("“<bdi>Namesake</bdi>” ({one}) ")), "{shown}");
        assert!(shown.contains(&format!("aria-label=\"Undo: Namesake ({one})\"")), "{shown}");
    }
    // Neither a longer name on the page nor the same name elsewhere is ambiguous.
    for (shown, name) in [(off(&alone, "namesake"), "Namesake of none"), (off(&other, &other), "Namesake")] {
        assert!(shown.contains(&format!("“<bdi>{name}</bdi>” is off.")), "{shown}");
        assert!(shown.contains(&format!("aria-label=\"Undo: {name}\"")), "{shown}");
    }
}

#[test]
fn a_key_that_is_shown_leads_back_to_where_its_making_began() {
    let owner = shared().owner();
    let made = make(&owner, "Made from a filter", &["contacts:read"]);
    let list = format!("{PAGE}?q=filter&status=active&sort=oldest");
    let shown = owner.get(&list).text.replace("&amp;", "&");
    let target = "back=%2Fsettings%2Fdeveloper%2Fapi-keys%3Fq%3Dfilter%26status%3Dactive%26sort%3Doldest";
    let new = format!("{PAGE}/new?{target}");
    let (copy, rotate) =
        (format!("{PAGE}/new?from={}&{target}", made.id), format!("{PAGE}/{}/rotate?{target}", made.id));
    for link in [&new, &copy] {
        assert!(shown.contains(&format!("href=\"{link}\"")), "no {link} in {shown}");
    }
    let fields = |form: &'static str, from: &'static str| {
        let fields = [("form", form), ("from", from), ("environment", "live"), ("expiry", "30")];
        fields.into_iter().chain([("name", "Filtered, and new"), ("scopes", "contacts:read")]).collect::<Vec<_>>()
    };
    let from = made.id.clone().leak();
    for (page, fields) in [
        (&new, fields("new-from-a-filter", "")),
        (&copy, fields("copy-from-a-filter", from)),
        (&rotate, vec![("form", "secret-from-a-filter")]),
    ] {
        let first = owner.form(page, &fields).expect_status(200).text.replace("&amp;", "&");
        let key = first.split("value=\"oc_live_").nth(1).unwrap_or_else(|| panic!("{page}: no key in {first}"));
        let row = format!("{list}#key-{}", &key[..16]);
        assert!(first.contains(&format!("href=\"{row}\" class=\"button\">Done, I stored it</a>")), "{page}: {first}");
        // Submitted again, the form shows no key, and leads to the same row.
        let again = owner.form(page, &fields).expect_status(200).text.replace("&amp;", "&");
        assert!(
            again.contains(&format!("href=\"{row}\" class=\"button button-quiet\">Show all keys</a>")),
            "{page}: {again}"
        );
    }
}

#[test]
fn a_page_that_became_empty_says_so() {
    let owner = shared().owner();
    let page = owner.get(&format!("{PAGE}?cursor=000000"));
    assert!(page.expect_status(200).text.contains("This page has no keys any more."), "{}", page.text);
    assert!(page.text.contains("Show the first page"));
}

#[test]
fn an_act_can_be_undone_from_its_message() {
    let owner = shared().owner();
    let made = make(&owner, "Undone", &["contacts:read"]);
    let deleted = owner.form(&format!("{PAGE}/{}/delete", made.id), &[("version", "1"), ("confirm", "yes")]);
    let page = follow(&owner, &deleted);
    let shown = page.text.replace("<!>", "");
    assert!(shown.contains("“<bdi>Undone</bdi>” deleted. Refused everywhere from "), "{shown}");
    assert!(shown.contains("You can restore it until "), "{shown}");
    owner.get(&path(&made.id)).expect_status(404);
    let restored = press(&owner, &page);
    assert!(follow(&owner, &restored).text.replace("<!>", "").contains("” restored."));
    assert_eq!(owner.get(&path(&made.id)).at("/status"), "active");
    // An undo can be undone as well.
    let page = format!("{PAGE}/{}/status", made.id);
    let off = follow(&owner, &owner.form(&page, &[("version", "3"), ("status", "inactive")]));
    let on = follow(&owner, &press(&owner, &off));
    assert_eq!(owner.get(&path(&made.id)).at("/status"), "active");
    press(&owner, &on).expect_status(303);
    assert_eq!(owner.get(&path(&made.id)).at("/status"), "inactive");
    // Another site cannot submit the form.
    let other = owner.with("Sec-Fetch-Site", "cross-site");
    other.form(&format!("{PAGE}/{}/restore", made.id), &[]).expect_problem(403, "cross_site");
}

#[test]
fn a_key_that_is_switched_on_too_late_says_so() {
    let owner = shared().owner();
    let body = json!({
        "name": "Too late", "environment": "live", "scopes": ["contacts:read"], "expires_at": seconds_from_now(4),
    });
    let made = owner.post("/api/v1/keys", &body);
    let id = made.expect_status(201).at("/id");
    let page = format!("{PAGE}/{id}/status");
    owner.form(&page, &[("version", "1"), ("status", "inactive")]).expect_status(303);
    wait("the key's end", || owner.get(&path(&id)).at("/expires_at") < seconds_from_now(0));
    let shown = follow(&owner, &owner.form(&page, &[("version", "2"), ("status", "active")])).text;
    assert!(shown.contains(" is on but expired on ") && !shown.contains("is on again"), "{shown}");
    // A key that starts in the future is on.
    let body = json!({
        "name": "Too early", "environment": "live", "scopes": ["contacts:read"], "not_before": seconds_from_now(900),
    });
    let id = owner.post("/api/v1/keys", &body).expect_status(201).at("/id");
    let page = format!("{PAGE}/{id}/status");
    owner.form(&page, &[("version", "1"), ("status", "inactive")]).expect_status(303);
    let shown = follow(&owner, &owner.form(&page, &[("version", "2"), ("status", "active")])).text;
    assert!(shown.contains(" is on again"), "{shown}");
}
