//! Keys that call the management API: their authentication, and their access to themselves and to
//! other keys.

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, shared, wait},
    keys::{Made, change, delete, forged, list, make, never_issued, seconds_from_now, with_another_secret},
};
use ownchat_domain::audit;
use serde_json::{Value, json};

pub const KEYS: &str = "/api/v1/keys";

/// Returns a client with this key. It sends no `Origin` and no cookies.
fn program(deployment: &Deployment, key: &str) -> ApiClient {
    deployment.console().without("Origin").bearing(key)
}

pub fn path(made: &Made) -> String {
    format!("{KEYS}/{}", made.id)
}

pub fn body(name: &str, scopes: &[&str]) -> Value {
    json!({"name": name, "environment": "live", "scopes": scopes})
}

/// Creates a key with these scopes, and a client that uses it.
pub fn with(deployment: &Deployment, name: &str, scopes: &[&str]) -> (Made, ApiClient) {
    let made = make(&deployment.owner(), name, scopes);
    let program = program(deployment, &made.key);
    (made, program)
}

/// Asserts the refusal of a key that lacks this scope.
#[track_caller]
fn lacks(answer: &Answer, scope: &str) {
    answer.expect_problem(403, "SCOPE_MISSING");
    let body = answer.json();
    assert_eq!((&body["required"], &body["missing"]), (&json!([scope]), &json!([scope])));
    assert!(body["granted"].is_array(), "{body}");
    let expected = format!("Bearer realm=\"Ownchat\", error=\"insufficient_scope\", scope=\"{scope}\"");
    assert_eq!(answer.header("www-authenticate"), expected);
}

#[test]
fn a_key_makes_a_key_without_cookie_and_origin() {
    let deployment = shared();
    let (maker, program) = with(deployment, "Maker", &["keys:write", "contacts:write"]);
    let answer = program.post(KEYS, &body("Made by a key", &["contacts:read"]));
    let (key, id) = (answer.expect_status(201).at("/key"), answer.at("/id"));
    assert_eq!(answer.at("/created_by"), format!("Maker (key {})", maker.id));
    deployment.edge().bearing(&key).get("/v1/contacts").expect_status(200);
    // From any site, with either header.
    let elsewhere = program.without("Authorization").with("X-API-Key", maker.key).with("Sec-Fetch-Site", "cross-site");
    change(&elsewhere, &id, &json!({"description": "changed by a key"}));
    assert_eq!(deployment.owner().get(&format!("{KEYS}/{id}")).at("/description"), "changed by a key");
    let copy = elsewhere.post(&format!("{KEYS}/{id}/duplicate"), &json!({}));
    elsewhere.post(&format!("{KEYS}/{id}/rotate"), &json!({"overlap_seconds": 0})).expect_status(200);
    elsewhere.get(&format!("{KEYS}/{id}/usage")).expect_status(200);
    lacks(&elsewhere.get(&format!("/api/v1/audit?key={id}")), "audit:read");
    delete(&elsewhere, &copy.expect_status(201).at("/id"));
    elsewhere.send("POST", &format!("{KEYS}/{}/restore", copy.at("/id")), "").expect_status(200);
    let seen = elsewhere.get("/api/v1/keys?q=Made%20by%20a%20key").expect_status(200).json();
    assert_eq!(seen["data"].as_array().unwrap().len(), 2, "the key and its copy");
    assert!(!seen.to_string().contains("\"key\""), "a list shows secrets");
}

#[test]
fn one_key_comes_in_one_header_and_counts_before_a_cookie() {
    let deployment = shared();
    let (made, program) = with(deployment, "Twice", &["keys:self"]);
    let other = make(&deployment.owner(), "Not twice", &["contacts:read"]);
    for ambiguous in [program.with("X-API-Key", made.key.clone()), program.bearing(&made.key)] {
        let answer = ambiguous.get(KEYS);
        answer.expect_problem(400, "ambiguous_key");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"Ownchat\", error=\"invalid_request\"");
    }
    // The owner sees both keys. A key sees only itself, even next to a session cookie.
    let both = deployment.owner().bearing(&made.key);
    both.get(&path(&made)).expect_status(200);
    both.get(&path(&other)).expect_problem(404, "not_found");
    deployment.owner().bearing("oc_live_x").get(KEYS).expect_problem(401, "MALFORMED_KEY");
    // Another authentication scheme carries no key.
    deployment.owner().with("Authorization", "Basic dTpw").get(&path(&other)).expect_status(200);
}

#[test]
fn who_is_no_good_hears_why_as_at_the_edge() {
    let deployment = shared();
    let owner = deployment.owner();
    let refused = |key: &str, status: u16, code: &str, error: &str| {
        let expected = format!("Bearer realm=\"Ownchat\", error=\"{error}\"");
        let program = program(deployment, key);
        for answer in [
            program.get(KEYS),
            program.get(&format!("{KEYS}/nothing")),
            program.get("/api/v1/keys?limit=x"),
            program.post(KEYS, &json!({})),
            program.send("POST", KEYS, "no json"),
            program.post("/api/v1/explain", &json!({"key": "x"})),
        ] {
            answer.expect_problem(status, code);
            assert_eq!(answer.header("www-authenticate"), expected);
        }
        let at_the_edge = || deployment.service().post("/v1/verify", &json!({"key": key})).at("/code");
        wait("the same at the edge", || at_the_edge() == code);
    };
    refused(&forged(), 401, "MALFORMED_KEY", "invalid_token");
    refused("oc_live_x", 401, "MALFORMED_KEY", "invalid_token");
    refused(&never_issued(deployment, 701), 401, "UNKNOWN_KEY", "invalid_token");
    let off = make(&owner, "Off", &["keys:write"]);
    change(&owner, &off.id, &json!({"status": "inactive"}));
    refused(&off.key, 401, "INACTIVE", "invalid_token");
    let later = body("Later", &["keys:write"]);
    let restricted = |field: &str, value: Value| {
        let mut body = later.clone();
        body[field] = value;
        owner.post(KEYS, &body).expect_status(201).at("/key")
    };
    refused(&restricted("not_before", json!(seconds_from_now(86_400))), 401, "NOT_YET_VALID", "invalid_token");
    // `/v1/verify` judges the address in its request body. Here the client's own IP address counts.
    let elsewhere = restricted("restrictions", json!({"allow": ["203.0.113.0/24"]}));
    let program = program(deployment, &elsewhere);
    for caller in [program.clone(), program.with("CF-Connecting-IP", "203.0.113.7")] {
        caller.get(KEYS).expect_problem(403, "ADDRESS_FORBIDDEN");
    }
    let nobody = deployment.console().get(KEYS);
    nobody.expect_problem(401, "not_signed_in");
    assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"Ownchat\"");
}

#[test]
fn a_wrong_secret_and_no_key_look_the_same() {
    let deployment = shared();
    let owner = deployment.owner();
    let good = make(&owner, "Guessed", &["keys:write"]);
    let gone = make(&owner, "Deleted", &["keys:write"]);
    delete(&owner, &gone.id);
    let said = [with_another_secret(&good.key), gone.key, never_issued(deployment, 702)].map(|key| {
        let answer = program(deployment, &key).get(KEYS);
        answer.expect_problem(401, "UNKNOWN_KEY");
        let mut body = answer.json();
        body["instance"] = json!("");
        body
    });
    assert!(said.iter().all(|body| *body == said[0]), "{said:?}");
}

#[test]
fn a_key_that_looks_after_itself_sees_nothing_else() {
    let deployment = shared();
    let other = make(&deployment.owner(), "Somebody else's", &["contacts:read"]);
    let (made, program) = with(deployment, "Looks after itself", &["keys:self", "contacts:read"]);
    program.get(&path(&made)).expect_status(200);
    let listed = list(&program);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], made.id.as_str());
    program.get(&format!("{}/usage", path(&made))).expect_status(200);
    let explained = program.post("/api/v1/explain", &json!({"key_id": made.id, "scopes": ["contacts:read"]}));
    assert_eq!(explained.expect_status(200).at("/code"), "VALID");
    // A foreign key and a missing key look the same.
    let absent = Made { id: "0123456789abcdef".into(), ..make(&deployment.owner(), "Absent", &["contacts:read"]) };
    for key in [&other, &absent] {
        let tagged = program.with("If-Match", "\"1\"");
        for answer in [
            program.get(&path(key)),
            program.get(&format!("{}/usage", path(key))),
            tagged.json("PATCH", &path(key), &json!({"status": "inactive"})),
            tagged.send("DELETE", &path(key), ""),
            program.post(&format!("{}/rotate", path(key)), &json!({"overlap_seconds": 0})),
            program.send("POST", &format!("{}/end-old-secrets", path(key)), ""),
            program.send("POST", &format!("{}/restore", path(key)), ""),
            program.post("/api/v1/explain", &json!({"key_id": key.id})),
            program.get(&format!("/api/v1/audit?key={}", key.id)),
        ] {
            answer.expect_problem(404, "not_found");
        }
    }
    let tagged = program.with("If-Match", "\"1\"");
    lacks(&tagged.json("PATCH", &path(&made), &json!({"name": "Other"})), "keys:write");
    lacks(
        &tagged.json("PATCH", &path(&made), &json!({"status": "inactive", "scopes": ["contacts:read"]})),
        "keys:write",
    );
    lacks(&tagged.send("DELETE", &path(&made), ""), "keys:write");
    lacks(&program.post(KEYS, &body("More", &["contacts:read"])), "keys:write");
    lacks(&program.post(&format!("{}/duplicate", path(&made)), &json!({})), "keys:write");
    assert_eq!(program.get(&path(&made)).at("/version"), "1", "something was changed");
}

#[test]
fn a_key_that_reads_changes_nothing() {
    let deployment = shared();
    let other = make(&deployment.owner(), "Read by a key", &["contacts:read"]);
    let (_, program) = with(deployment, "Reads", &["keys:read"]);
    program.get(&path(&other)).expect_status(200);
    let tagged = program.with("If-Match", "\"1\"");
    lacks(&tagged.json("PATCH", &path(&other), &json!({"status": "inactive"})), "keys:write");
    lacks(&tagged.send("DELETE", &path(&other), ""), "keys:write");
    lacks(&program.post(&format!("{}/rotate", path(&other)), &json!({"overlap_seconds": 0})), "keys:write");
    assert_eq!(program.get(&path(&other)).at("/version"), "1", "something was changed");
}

#[test]
fn routes_for_people_accept_no_keys() {
    let deployment = shared();
    let (made, _) = with(deployment, "No person", &["keys:write", "account:read"]);
    let program = program(deployment, &made.key);
    program.get("/api/v1/session").expect_problem(401, "not_signed_in");
    // A key does not authorize requests that only the console's own pages may send.
    for client in [program.clone(), deployment.owner().without("Origin").bearing(&made.key)] {
        client.send("DELETE", "/api/v1/session", "").expect_problem(403, "cross_site");
        client.post("/api/v1/session", &json!({})).expect_problem(403, "cross_site");
        client.post("/api/v1/setup", &json!({})).expect_problem(403, "cross_site");
        client.post("/actions/create-key", &json!({})).expect_problem(403, "cross_site");
    }
    program.get("/settings/developer/api-keys").expect_status(303);
    deployment.owner().get("/api/v1/session").expect_status(200);
}

#[test]
fn a_missing_scope_is_named() {
    let deployment = shared();
    let (made, program) = with(deployment, "Keys alone", &["keys:write"]);
    lacks(&program.get("/api/v1/audit"), "audit:read");
    lacks(&program.get("/api/v1/usage"), "account:read");
    lacks(&program.get("/api/v1/workspace"), "account:read");
    lacks(
        &program.with("If-Match", "\"1\"").json("PATCH", "/api/v1/workspace", &json!({"suspended": true})),
        "account:write",
    );
    let all = json!(["account:write", "audit:read", "keys:read"]);
    assert_eq!(program.get("/api/v1/export").expect_problem(403, "SCOPE_MISSING").json()["required"], all);
    lacks(&program.get("/api/v1/master-secrets"), "account:write");
    let import = program.with("Content-Type", "application/x-ndjson").send("POST", "/api/v1/import", "");
    assert_eq!(import.expect_problem(403, "SCOPE_MISSING").json()["required"], all);
    program.get("/api/v1/scopes").expect_status(200);
    let (_, other) = with(deployment, "No keys", &["contacts:read"]);
    lacks(&other.get(KEYS), "keys:read");
    other.get(&path(&made)).expect_problem(404, "not_found");
    let (_, reader) = with(deployment, "Reads the trail", &["audit:read", "account:read"]);
    reader.get("/api/v1/audit").expect_status(200);
    reader.get("/api/v1/usage").expect_status(200);
}

#[test]
fn a_line_of_the_trail_names_the_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let (maker, program) = with(deployment, "Old name", &["keys:write", "contacts:read"]);
    let made = program.post(KEYS, &body("In the trail", &["contacts:read"]));
    change(&owner, &maker.id, &json!({"name": "New name"}));
    change(&program, &made.expect_status(201).at("/id"), &json!({"status": "inactive", "reason": "leaked"}));
    let asked = format!("/api/v1/audit?actor=key%3A{}", maker.id);
    let lines = owner.get(&asked).expect_status(200).json();
    let seen: Vec<_> = lines["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            assert_eq!(line["actor"], format!("key:{}", maker.id));
            (line["actor_name"].clone(), line["action"].clone())
        })
        .collect();
    assert_eq!(seen, [(json!("Old name"), json!("key.create")), (json!("New name"), json!("key.deactivate"))]);
    let csv = owner.get(&format!("{asked}&format=csv"));
    assert!(csv.expect_status(200).text.contains(&format!("\"key:{}\",\"Old name\"", maker.id)), "{}", csv.text);
    let mut trail = Vec::new();
    let mut page = "/api/v1/audit?format=ndjson&limit=100".to_owned();
    loop {
        let answer = owner.get(&page);
        trail.extend(answer.expect_status(200).text.lines().map(str::to_owned));
        match answer.header("next-cursor") {
            "" => break,
            cursor => page = format!("/api/v1/audit?format=ndjson&limit=100&cursor={cursor}"),
        }
    }
    assert!(audit::verify(trail.iter().map(String::as_str)).is_ok());
    assert!(trail.iter().any(|line| line.contains(&format!("key:{}", maker.id))));
    owner.get("/api/v1/audit?actor=key%3Ax").expect_fields(&["actor"]);
}

#[test]
fn a_name_for_a_request_belongs_to_one_caller() {
    let deployment = shared();
    let (_, program) = with(deployment, "Names requests", &["keys:write", "contacts:read"]);
    let callers = [deployment.owner(), program].map(|caller| caller.with("Idempotency-Key", "of-one-caller"));
    let asked = body("Named by two", &["contacts:read"]);
    let made = callers.each_ref().map(|caller| caller.post(KEYS, &asked));
    for answer in &made {
        assert_eq!(answer.expect_status(201).header("idempotency-replayed"), "");
    }
    assert_ne!(made[0].at("/id"), made[1].at("/id"));
    for (caller, first) in callers.iter().zip(&made) {
        let again = caller.post(KEYS, &asked);
        assert_eq!((again.header("idempotency-replayed"), again.at("/id")), ("true", first.at("/id")));
    }
}

#[test]
fn a_key_that_deactivates_itself_is_heard_no_more() {
    let deployment = shared();
    let (made, program) = with(deployment, "Ends itself", &["keys:self"]);
    let tagged = program.with("If-Match", "\"1\"");
    let ended = tagged.json("PATCH", &path(&made), &json!({"status": "inactive", "reason": "leaked"}));
    assert!(!ended.expect_status(200).header("effective-at").is_empty());
    program.get(&path(&made)).expect_problem(401, "INACTIVE");
    let code = || deployment.service().post("/v1/verify", &json!({"key": made.key})).at("/code");
    wait("refusing at the edge", || code() == "INACTIVE");
}

#[test]
fn a_key_that_rotates_itself_goes_on_with_its_new_secret() {
    let deployment = shared();
    let (made, old) = with(deployment, "Rotates itself", &["keys:self"]);
    let rotated = old.post(&format!("{}/rotate", path(&made)), &json!({"overlap_seconds": 3_600}));
    let new = program(deployment, &rotated.expect_status(200).at("/key"));
    assert!(!rotated.header("effective-at").is_empty());
    old.get(&path(&made)).expect_status(200);
    let ended = new.send("POST", &format!("{}/end-old-secrets", path(&made)), "");
    assert!(!ended.expect_status(200).header("effective-at").is_empty());
    let refused = old.get(&path(&made));
    assert!(refused.expect_problem(401, "EXPIRED").at("/detail").contains("rotated"), "{}", refused.text);
    let last =
        new.post(&format!("{}/rotate", path(&made)), &json!({"overlap_seconds": 0})).expect_status(200).at("/key");
    new.get(&path(&made)).expect_problem(401, "EXPIRED");
    program(deployment, &last).get(&path(&made)).expect_status(200);
}

#[test]
fn unknown_keys_from_one_address_are_limited() {
    let own = Deployment::set_up();
    let (_, good) = with(&own, "In use", &["keys:read"]);
    let (_, new) = with(&own, "Not heard before", &["keys:read"]);
    good.get(KEYS).expect_status(200);
    let answers: Vec<_> = (0..100).map(|number| program(&own, &never_issued(&own, number)).get(KEYS)).collect();
    for answer in &answers[..20] {
        answer.expect_problem(401, "UNKNOWN_KEY");
    }
    let held: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(held.len() > 50, "only {} of 100 were held", held.len());
    for answer in held {
        answer.expect_problem(429, "too_many_attempts");
        assert_eq!(answer.header("retry-after"), "1");
    }
    good.get(KEYS).expect_status(200);
    own.owner().get(KEYS).expect_status(200);
    new.get(KEYS).expect_problem(429, "too_many_attempts");
    wait("a key that waited", || new.get(KEYS).status == 200);
}
