//! `POST /api/v1/setup`, and the page `/setup`.

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, SETUP_TOKEN, shared},
};
use serde_json::{Value, json};
use std::{process::Command, thread};

fn request(token: &str) -> Value {
    json!({
        "token": token, "name": "Ada", "email": "ada@example.com", "password": "correct horse battery staple",
        "workspace": "Acme",
    })
}

/// Returns true while the deployment has no owner.
fn is_open(console: &ApiClient) -> bool {
    console.get(&format!("/setup?token={SETUP_TOKEN}")).status == 200
}

#[test]
fn a_deployment_that_is_set_up_shows_no_set_up() {
    let deployment = shared();
    let console = deployment.console();
    console.post("/api/v1/setup", &request(SETUP_TOKEN)).expect_problem(404, "not_found");
    console.post("/api/v1/setup", &request("wrong")).expect_problem(404, "not_found");
    console.get(&format!("/setup?token={SETUP_TOKEN}")).expect_status(404);
    console.form("/setup", &[("token", SETUP_TOKEN)]).expect_status(404);
}

#[test]
fn a_wrong_token_sets_nothing_up() {
    let fresh = Deployment::start();
    let console = fresh.console();
    for token in ["", "wrong", &SETUP_TOKEN[1..], &SETUP_TOKEN.to_uppercase()] {
        console.post("/api/v1/setup", &request(token)).expect_problem(403, "forbidden");
        console.get(&format!("/setup?token={token}")).expect_status(403);
    }
    console.get("/setup").expect_status(403);
    let answer = console.form("/setup", &[("token", "wrong"), ("name", "Eve"), ("email", "eve@example.com")]);
    answer.expect_status(403);
    assert!(is_open(&console), "a wrong token closed the set-up");
}

#[test]
fn every_fault_is_named_and_nothing_that_was_typed_is_lost() {
    let fresh = Deployment::start();
    let console = fresh.console();
    let faulty = json!({
        "token": SETUP_TOKEN, "name": "", "email": "nobody", "password": "short", "workspace": "w".repeat(101),
    });
    console.post("/api/v1/setup", &faulty).expect_fields(&["name", "email", "password", "workspace"]);
    let mut unknown = request(SETUP_TOKEN);
    unknown["admin"] = json!(true);
    console.post("/api/v1/setup", &unknown).expect_fields(&["admin"]);
    // Rejects common passwords, and those that others know.
    for password in ["password", "Password123!", "12345678", "ada@example.com", "aaaaaaaaaaaa"] {
        let mut weak = request(SETUP_TOKEN);
        weak["password"] = json!(password);
        console.post("/api/v1/setup", &weak).expect_fields(&["password"]);
    }
    console.send("POST", "/api/v1/setup", "{}").expect_problem(415, "unsupported_media_type");

    let typed = [
        ("token", SETUP_TOKEN),
        ("name", "Ada \"the first\" <Owner>"),
        ("email", "nobody"),
        ("password", "hunter2"),
        ("workspace", "Acme & Sons"),
    ];
    let page = console.form("/setup", &typed);
    page.expect_status(422);
    for kept in ["Ada &quot;the first&quot; &lt;Owner&gt;", "value=\"nobody\"", "Acme &amp; Sons"] {
        assert!(page.text.contains(kept), "{kept} is lost: {}", page.text);
    }
    assert!(!page.text.contains("hunter2"), "a password is shown");
    assert!(is_open(&console));
}

#[test]
fn one_of_many_at_once_becomes_the_owner() {
    let fresh = Deployment::start();
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let console = fresh.console();
            thread::spawn(move || {
                let mut request = request(SETUP_TOKEN);
                request["email"] = json!(format!("owner{number}@example.com"));
                console.post("/api/v1/setup", &request)
            })
        })
        .collect();
    let answers: Vec<Answer> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    let winners: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(winners.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        loser.expect_problem(404, "not_found");
        assert_eq!(loser.session(), None);
    }
    // Only the winner has an account, and it works.
    for number in 0..8 {
        let email = format!("owner{number}@example.com");
        let won = winners.iter().any(|answer| answer.at("/email") == email);
        let body = json!({"email": email, "password": "correct horse battery staple"});
        let status = fresh.console().post("/api/v1/session", &body).status;
        assert_eq!(status, if won { 200 } else { 401 }, "{email}");
    }
}

#[test]
fn nobody_is_asked_to_sign_in_before_the_set_up() {
    let fresh = Deployment::start();
    let page = fresh.console().get("/sign-in");
    assert!(page.expect_status(200).text.contains("is not set up yet"), "{}", page.text);
    assert!(!page.text.contains("name=\"password\""));
    let deployment = shared();
    assert!(deployment.console().get("/sign-in").text.contains("name=\"password\""));
}

#[test]
fn the_link_is_not_spent_by_a_browser_that_refuses_our_cookies() {
    let deployment = Deployment::start();
    let console = deployment.console();
    let elsewhere = console.without("Origin").with("Host", "keys.example").with("Origin", "http://keys.example");
    let fields = [
        ("token", SETUP_TOKEN),
        ("name", "Ada Owner"),
        ("email", "ada@example.com"),
        ("password", "correct horse battery staple"),
        ("workspace", "Acme"),
    ];
    let form = elsewhere.get(&format!("/setup?token={SETUP_TOKEN}"));
    assert!(form.expect_status(200).header("set-cookie").starts_with("__Host-ownchat-probe=1; "), "{form:?}");
    let refused = elsewhere.form("/setup", &fields);
    assert!(refused.expect_status(422).text.contains("Your browser refused our cookie"), "{}", refused.text);
    // A form with a fault focuses the invalid field.
    let wrong = console.form("/setup", &fields.map(|(name, value)| (name, if name == "email" { "x" } else { value })));
    let first = wrong.expect_status(422).text.split('<').find(|tag| tag.contains(" autofocus")).unwrap();
    assert!(first.contains("id=\"email\""), "{first}");
    console.form("/setup", &fields).expect_status(303);
}

#[test]
fn wrong_tokens_are_slowed_down() {
    let fresh = Deployment::start();
    let console = fresh.console();
    let statuses: Vec<u16> =
        (0..11).map(|number| console.post("/api/v1/setup", &request(&format!("guess {number}"))).status).collect();
    assert!(statuses.starts_with(&[403; 10]) && statuses.ends_with(&[429]), "{statuses:?}");
    let answer = console.post("/api/v1/setup", &request(SETUP_TOKEN));
    answer.expect_problem(429, "too_many_attempts");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    let page = console.get(&format!("/setup?token={SETUP_TOKEN}"));
    assert!(!page.expect_status(429).header("retry-after").is_empty());
    assert_eq!(set_up_from("127.0.0.2", &console), 201, "the owner comes from elsewhere");
}

/// Sets it up from this client IP address, and returns the status code.
fn set_up_from(address: &str, console: &ApiClient) -> u16 {
    let (origin, body) = (&console.origin, request(SETUP_TOKEN).to_string());
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--interface", address]);
    curl.args(["--header", "Content-Type: application/json", "--header", &format!("Origin: {origin}")]);
    let output = curl.args(["--data", &body, &format!("{origin}/api/v1/setup")]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).parse().unwrap()
}
