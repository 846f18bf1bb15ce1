//! `/api/v1/session`, and the pages `/sign-in` and `/sign-out`.

use crate::{
    client::OWNER,
    deployment::{Deployment, shared, wait},
};
use ownchat_domain::{account::DeviceToken, keyring::CookieKeys};
use serde_json::json;
use std::process::Command;

/// A page that requires a session.
const INSIDE: &str = "/settings/developer/api-keys";

#[test]
fn a_session_says_who_it_is() {
    let deployment = shared();
    let answer = deployment.console().form("/sign-in", &[("email", OWNER.email), ("password", OWNER.password)]);
    answer.expect_status(303);
    let cookie = answer.header("set-cookie");
    for part in ["__Host-ownchat-session=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let who = deployment.owner().get("/api/v1/session");
    who.expect_status(200);
    assert_eq!((who.at("/name"), who.at("/email")), ("Ada Owner".to_owned(), OWNER.email.to_owned()));
    assert_eq!(who.at("/workspace_name"), "Acme");
}

#[test]
fn a_form_of_an_ended_session_waits_whole() {
    let deployment = shared();
    let ended = deployment.signed_in();
    ended.send("DELETE", "/api/v1/session", "").expect_status(204);
    let new = format!("{INSIDE}/new");
    let fields = [
        ("name", "Typed \"for\" <long>"),
        ("description", "two\nlines"),
        ("environment", "live"),
        ("expiry", "30"),
        ("scopes", "contacts:read"),
        ("scopes", "messages:send"),
    ];
    let page = ended.form(&new, &fields);
    page.expect_status(401);
    assert!(page.text.contains(&format!("action=\"{new}\"")), "{}", page.text);
    for kept in [
        "name=\"name\" value=\"Typed &quot;for&quot; &lt;long&gt;\"",
        "name=\"description\" value=\"two\nlines\"",
        "name=\"scopes\" value=\"contacts:read\"",
        "name=\"scopes\" value=\"messages:send\"",
    ] {
        assert!(page.text.contains(kept), "{kept} is lost: {}", page.text);
    }
    // Without a form there is no input to lose.
    let location = "/sign-in?next=%2Fsettings%2Fdeveloper%2Fapi-keys%2Fnew";
    assert_eq!(ended.get(&new).expect_status(303).header("location"), location);
}

#[test]
fn a_form_that_nobody_answers_waits_whole() {
    let mut own = Deployment::set_up();
    let owner = own.owner();
    let new = format!("{INSIDE}/new");
    let fields = [("name", "Typed for long"), ("environment", "live"), ("expiry", "30"), ("scopes", "contacts:read")];
    // First the keys are unavailable, then the session as well.
    for object in ["Registry", "Person"] {
        own.stop();
        let files = crate::stores::files(&own.data(), object);
        for file in files.iter().filter(|file| !file.to_string_lossy().contains("metadata")) {
            std::fs::write(file, "this is no database").unwrap();
        }
        own.resume(&[]);
        let page = owner.form(&new, &fields);
        page.expect_status(503);
        assert!(page.text.contains("value=\"Typed for long\""), "what was typed is lost: {}", page.text);
        owner.get("/api/v1/keys").expect_problem(503, "UNAVAILABLE");
    }
}

#[test]
fn signing_out_ends_where_there_is_nothing_to_end() {
    let deployment = shared();
    let nobody = deployment.console().in_session(Some("0000000000000009.AAAAAAAAAAAAAAAAAAAAAA".to_owned()));
    let out = nobody.form("/sign-out", &[]);
    assert_eq!((out.status, out.session().as_deref()), (303, Some("")));
}

#[test]
fn a_session_that_was_ended_is_over() {
    let deployment = shared();
    let (one, other) = (deployment.signed_in(), deployment.signed_in());
    assert_ne!(one.session, other.session);
    let ended = one.send("DELETE", "/api/v1/session", "");
    assert_eq!(ended.expect_status(204).session().as_deref(), Some(""));
    // The client kept the cookie and still sends it.
    one.get("/api/v1/session").expect_problem(401, "not_signed_in");
    one.get("/api/v1/keys").expect_problem(401, "not_signed_in");
    one.post("/api/v1/keys", &json!({"name": "x"})).expect_problem(401, "not_signed_in");
    let page = one.get(INSIDE);
    assert_eq!((page.status, page.header("location")), (303, "/sign-in?next=%2Fsettings%2Fdeveloper%2Fapi-keys"));
    let made = one.form(&format!("{INSIDE}/new"), &[("name", "late"), ("expiry", "never")]);
    made.expect_status(401);
    other.get("/api/v1/session").expect_status(200);
    let out = other.form("/sign-out", &[]);
    assert_eq!((out.status, out.session().as_deref()), (303, Some("")));
    other.get("/api/v1/session").expect_problem(401, "not_signed_in");
}

#[test]
fn a_session_that_was_made_up_is_none() {
    let deployment = shared();
    let good = deployment.owner().session.unwrap();
    let person = good.split_once('.').unwrap().0;
    for made_up in
        ["", "x", ".", &format!("{person}.AAAAAAAAAAAAAAAAAAAAAA"), "0000000000000001.AAAAAAAAAAAAAAAAAAAAAA"]
    {
        let caller = deployment.console().in_session(Some(made_up.to_owned()));
        caller.get("/api/v1/session").expect_problem(401, "not_signed_in");
        caller.get("/api/v1/keys").expect_problem(401, "not_signed_in");
    }
    deployment.console().get("/api/v1/keys").expect_problem(401, "not_signed_in");
}

#[test]
fn a_wrong_password_and_an_unknown_account_look_the_same() {
    let own = Deployment::set_up();
    let console = own.console();
    let ask = |email: &str, password: &str| {
        let answer = console.post("/api/v1/session", &json!({"email": email, "password": password}));
        answer.expect_problem(401, "wrong_credentials");
        assert_eq!(answer.session(), None);
        (answer.at("/title"), answer.at("/detail"))
    };
    assert_eq!(ask(OWNER.email, "wrong horse battery staple"), ask("nobody@example.com", OWNER.password));
    ask(OWNER.email, "");
    ask("not an address", OWNER.password);
    console.post("/api/v1/session", &json!({"email": OWNER.email})).expect_fields(&["password"]);
    let extra = json!({"email": OWNER.email, "password": OWNER.password, "admin": true});
    console.post("/api/v1/session", &extra).expect_fields(&["admin"]);
}

#[test]
fn guessing_is_slowed_down() {
    let own = Deployment::set_up();
    let console = own.console();
    let guess = || console.post("/api/v1/session", &json!({"email": OWNER.email, "password": "guess"}));
    let statuses: Vec<u16> = (0..8).map(|_| guess().status).collect();
    assert!(statuses.starts_with(&[401, 401, 401]), "{statuses:?}");
    let answer = guess();
    answer.expect_problem(429, "too_many_attempts");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    // The right password has to wait too: otherwise the wait would tell the right guess.
    console
        .post("/api/v1/session", &json!({"email": OWNER.email, "password": OWNER.password}))
        .expect_problem(429, "too_many_attempts");
    // A session that exists already stays valid.
    own.owner().get("/api/v1/session").expect_status(200);
}

/// Signs in from this client IP address, and returns the status code.
fn sign_in_from(address: &str, deployment: &Deployment, password: &str) -> u16 {
    let body = json!({"email": OWNER.email, "password": password}).to_string();
    let origin = deployment.console().origin;
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--interface", address]);
    curl.args(["--header", "Content-Type: application/json", "--header", &format!("Origin: {origin}")]);
    let output = curl.args(["--data", &body, &format!("{origin}/api/v1/session")]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).parse().unwrap()
}

#[test]
fn who_knows_the_address_of_the_owner_locks_nobody_out() {
    let own = Deployment::set_up();
    let statuses: Vec<u16> = (0..6).map(|_| sign_in_from("127.0.0.2", &own, "guess")).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    assert_eq!(sign_in_from("127.0.0.3", &own, OWNER.password), 200, "the owner comes from elsewhere");
}

#[test]
fn a_device_that_signed_in_before_waits_for_nobody() {
    let own = Deployment::set_up();
    let console = own.console();
    let credentials = |password: &str| json!({"email": OWNER.email, "password": password});
    let device = console.post("/api/v1/session", &credentials(OWNER.password)).expect_status(200).device().unwrap();
    for _ in 0..6 {
        console.post("/api/v1/session", &credentials("guess"));
    }
    console.post("/api/v1/session", &credentials(OWNER.password)).expect_problem(429, "too_many_attempts");
    let known = |device: &str| console.with("Cookie", format!("__Host-ownchat-device={device}"));
    known("AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA")
        .post("/api/v1/session", &credentials(OWNER.password))
        .expect_problem(429, "too_many_attempts");
    known(&device).post("/api/v1/session", &credentials(OWNER.password)).expect_status(200);
    // The link from the operator's command does the same.
    let keys = CookieKeys::parse(&own.master_keys()).unwrap();
    let link = DeviceToken::new([5; 16]).reveal(OWNER.email, &keys);
    let page = console.get(&format!("/sign-in?device={link}"));
    assert!(page.text.contains(&format!("name=\"device\" value=\"{link}\"")), "{}", page.text);
    let fields = [("email", OWNER.email), ("password", OWNER.password)];
    let refused = console.form("/sign-in", &fields);
    assert!(!refused.expect_status(429).header("retry-after").is_empty());
    console.form("/sign-in", &[fields[0], fields[1], ("device", link.as_str())]).expect_status(303);
    // The device token alone does not sign in.
    known(&device).post("/api/v1/session", &credentials("guess")).expect_problem(401, "wrong_credentials");
}

#[test]
fn signing_in_again_ends_the_session_before() {
    let deployment = shared();
    let before = deployment.signed_in();
    let body = json!({"email": OWNER.email, "password": OWNER.password});
    let after = deployment.console().in_session(before.post("/api/v1/session", &body).expect_status(200).session());
    before.get("/api/v1/session").expect_problem(401, "not_signed_in");
    after.get("/api/v1/session").expect_status(200);
}

#[test]
fn foreign_cookies_sign_nobody_out() {
    let deployment = shared();
    let session = deployment.owner().session.unwrap();
    let cookie = format!("theme=d\u{fc}ster; __Host-ownchat-session={session}; x");
    deployment.console().with("Cookie", cookie).get("/api/v1/session").expect_status(200);
    deployment.owner().with("Cookie", "theme=dark").get("/api/v1/session").expect_status(200);
}

#[test]
fn a_wrong_password_keeps_the_address_on_the_page() {
    let own = Deployment::set_up();
    let page =
        own.console().form("/sign-in", &[("email", "Ada@Example.com"), ("password", "hunter2"), ("next", INSIDE)]);
    page.expect_status(422);
    assert!(page.text.contains("value=\"Ada@Example.com\""), "{}", page.text);
    assert!(page.text.contains(&format!("value=\"{INSIDE}\"")), "{}", page.text);
    assert!(page.text.contains("That email and password don"), "{}", page.text);
    assert!(!page.text.contains("hunter2"), "a password is shown");
}

#[test]
fn after_signing_in_the_page_that_was_asked_for_is_shown() {
    let deployment = shared();
    for (next, shown) in [
        (INSIDE, INSIDE),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let fields = [("email", OWNER.email), ("password", OWNER.password), ("next", next)];
        let answer = deployment.console().form("/sign-in", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, shown), "{next}");
    }
}

#[test]
fn a_browser_that_refuses_our_cookies_is_told_why() {
    let deployment = shared();
    let console = deployment.console();
    let elsewhere = console.without("Origin").with("Host", "keys.example").with("Origin", "http://keys.example");
    let form = elsewhere.get("/sign-in");
    assert!(form.expect_status(200).header("set-cookie").starts_with("__Host-ownchat-probe=1; "), "{form:?}");
    assert_eq!(console.get("/sign-in").header("set-cookie"), "", "every browser keeps cookies of its own machine");
    let fields = [("email", OWNER.email), ("password", OWNER.password)];
    let refused = elsewhere.form("/sign-in", &fields);
    assert!(refused.expect_status(422).text.contains("Your browser refused our cookie"), "{}", refused.text);
    assert_eq!(refused.session(), None);
    assert!(
        refused.header("set-cookie").starts_with("__Host-ownchat-probe=1; "),
        "a form that was left open asks anew"
    );
    elsewhere.with("Cookie", "__Host-ownchat-probe=1").form("/sign-in", &fields).expect_status(303);
    // Programs may keep cookies as they like.
    let body = json!({"email": OWNER.email, "password": OWNER.password});
    assert!(elsewhere.post("/api/v1/session", &body).expect_status(200).session().is_some());
}

#[test]
fn events_of_sessions_stand_in_the_trail() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let lines = |action: &str| {
        let page = owner.get(&format!("/api/v1/audit?action=session.{action}")).json();
        page["data"].as_array().cloned().unwrap()
    };
    let credentials = |email: &str, password: &str| json!({"email": email, "password": password});
    let signed_in = own.signed_in();
    for email in [OWNER.email, "nobody@example.com"] {
        let guess = own.console().post("/api/v1/session", &credentials(email, "a guess of somebody"));
        guess.expect_problem(401, "wrong_credentials");
    }
    let elsewhere = signed_in.with("Sec-Fetch-Site", "cross-site").post("/api/v1/keys", &json!({"name": "x"}));
    elsewhere.expect_problem(403, "cross_site");
    let signed_out = signed_in.send("DELETE", "/api/v1/session", "");
    assert_eq!(signed_out.expect_status(204).header("clear-site-data"), "\"cache\", \"storage\"");
    // Sent again, it belongs to no session.
    signed_in.send("DELETE", "/api/v1/session", "").expect_status(204);
    // The audit event of a sign-in is written after its response.
    wait("the events", || lines("sign_in").len() + lines("sign_in_failed").len() == 2);
    for action in ["sign_in", "sign_in_failed", "cross_site_refused", "sign_out"] {
        let found = lines(action);
        assert_eq!(found.len(), 1, "{action}: {found:?}");
        assert_eq!(found[0]["address"], "127.0.0.1");
        assert_eq!(found[0]["actor"].is_null(), action == "sign_in_failed", "{found:?}");
    }
    assert_eq!(lines("cross_site_refused")[0]["request_id"], elsewhere.header("request-id"));
    assert!(!owner.get("/api/v1/audit?format=ndjson").text.contains("nobody@example.com"));
}
