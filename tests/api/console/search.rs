//! The list of keys as a page: a whole key in the search, and the summary of a key's restrictions.

use super::keys::PAGE;
use crate::{client::ApiClient, deployment::shared, keys::make};
use serde_json::json;

const ADVICE: &str = "You pasted a whole key. We looked for its id only.";

#[test]
fn a_whole_key_in_an_address_is_cut_to_its_id() {
    let owner = shared().owner();
    let made = make(&owner, "Pasted", &["contacts:read"]);
    let key = &made.key;
    let clean = format!("{PAGE}?q={}", made.id);
    for caller in [&owner, &shared().console()] {
        for pasted in [key.clone(), format!("Bearer+{key}"), format!("%22{key}%22"), format!("is+it+{key}%3F")] {
            let answer = caller.get(&format!("{PAGE}?q={pasted}"));
            assert_eq!(answer.expect_status(303).header("location"), clean, "{pasted}");
        }
    }
    let next = shared().console().get(&format!("/sign-in?next=%2Fsettings%3Fq%3D{key}"));
    assert_eq!(next.expect_status(303).header("location"), format!("/sign-in?next=%2Fsettings%3Fq%3D{}", made.id));
    let by_form = [("email", crate::client::OWNER.email), ("password", crate::client::OWNER.password)];
    let by_form: Vec<_> = by_form.into_iter().chain([("next", format!("/settings?q={key}").leak() as &str)]).collect();
    let answer = shared().console().form("/sign-in", &by_form);
    assert_eq!(answer.expect_status(303).header("location"), format!("/settings?q={}", made.id));
}

#[test]
fn the_key_that_was_pasted_is_found_and_advice_is_given_once() {
    let owner = shared().owner();
    let made = make(&owner, "Found by a whole key", &["contacts:read"]);
    let with = |caller: &ApiClient, flash: &str| caller.with("Cookie", format!("__Host-ownchat-flash={flash}"));
    for first in [&owner, &shared().console()] {
        let pasted = first.get(&format!("{PAGE}?q=Bearer+{}", made.key));
        let page = with(&owner, &pasted.flash().unwrap()).get(pasted.header("location"));
        assert!(page.text.contains("Found by a whole key") && page.text.contains(ADVICE), "{}", page.text);
        assert_eq!(page.flash().as_deref(), Some(""));
        assert!(!owner.get(pasted.header("location")).text.contains(ADVICE));
    }
}

#[test]
fn restrictions_stand_in_the_row_and_in_full_on_the_page() {
    let owner = shared().owner();
    let body = json!({
        "name": "Restricted in all ways", "environment": "live", "scopes": ["contacts:read"], "integration": "Shopify",
        "restrictions": {"allow": ["203.0.113.0/24", "198.51.100.7"], "deny": ["203.0.113.9"], "channels": ["ch_1"]},
        "rate_limit": {"limit": 10, "window_seconds": 60}, "quota": {"limit": 500, "period": "day"},
        "not_before": "2030-01-31T08:00:00Z", "metadata": {"team": "ops"},
    });
    let id = owner.post("/api/v1/keys", &body).expect_status(201).at("/id");
    let rotate = json!({"overlap_seconds": 86_400});
    owner.post(&format!("/api/v1/keys/{id}/rotate"), &rotate).expect_status(200);
    let list = owner.get(&format!("{PAGE}?q={id}")).text;
    let line = list.split("class=\"hint bounds\">").nth(1).and_then(|rest| rest.split("</span>").next()).unwrap();
    // Each part is isolated, so that none changes the text direction of another.
    let line = line.replace("<!>", "");
    let mut parts = line.split(" · ");
    for part in [
        "Shopify",
        "only from 2 networks",
        "never from 1 network",
        "only for 1 channel",
        "starts 31 Jan 2030, 08:00 UTC",
        "10 calls in 60 seconds",
    ] {
        assert_eq!(parts.next(), Some(&*format!("<bdi>{part}</bdi>")), "{line}");
    }
    assert!(
        line.contains("500 calls a day") && line.contains("old secret ends ") && line.ends_with("<bdi>1 note</bdi>"),
        "{line}"
    );
    assert!(list.contains("Starts 31 Jan 2030 UTC"));
    let page = owner.get(&format!("{PAGE}/{id}")).text;
    for part in ["203.0.113.0/24, 198.51.100.7", "203.0.113.9", "ch_1", "team: ops", "number 1 works until "] {
        assert!(page.contains(part), "{part} is not on the page");
    }
}
