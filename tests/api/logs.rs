//! The log of a deployment: silent about expected refusals, one line for each failure.

use crate::{
    client::{Answer, OWNER},
    deployment::{Deployment, wait},
    keys::{change, delete, forged, make, never_issued, with_another_secret},
    stores::files,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

/// Prefixes of the lines that report start and stop.
const ABOUT_THE_RUN: &[&str] =
    &["console ", "edge ", "services ", "verify ", "set up ", "sign in ", "Ctrl-C ", "ready", "stopping"];

/// Parts of lines that report no failure. These are runtime warnings about its own alarms, a busy
/// machine and an unsupported upgrade. Events without a workspace belong here, too.
const NO_FAILURES: &[&str] =
    &[": warning: NOSENTRY SQLite alarm", "in time", "\"code\":\"upgrade_unsupported\"", "\"level\":\"info\""];

/// Returns the lines that report a failure: all but [`ABOUT_THE_RUN`] and [`NO_FAILURES`].
fn failures(deployment: &Deployment) -> Vec<String> {
    let is_expected = |line: &str| {
        ABOUT_THE_RUN.iter().any(|beginning| line.starts_with(beginning))
            || NO_FAILURES.iter().any(|part| line.contains(part))
    };
    let log = fs::read_to_string(deployment.log()).unwrap();
    log.lines().filter(|line| !line.trim().is_empty() && !is_expected(line)).map(str::to_owned).collect()
}

#[test]
fn expected_calls_and_refusals_leave_no_line() {
    let mut own = Deployment::idle();
    own.set(&[("REQUEST_IDLE_MS", "3000")]);
    own.resume(&[]);
    own.make_owner();
    let (owner, edge) = (own.signed_in(), own.edge());
    let slow = make(&owner, "Slow", &["contacts:write", "keys:write"]).key;
    let limited = json!({
        "name": "Limited", "environment": "live", "scopes": ["contacts:read"],
        "rate_limit": {"limit": 2, "window_seconds": 60}, "quota": {"limit": 9, "period": "day"},
    });
    let limited = owner.post("/api/v1/keys", &limited).expect_status(201).json();
    let path = |key: &Value| format!("/api/v1/keys/{}", key["id"].as_str().unwrap());
    // An unused quota is read, explained, and then used up.
    owner.get(&path(&limited)).expect_status(200);
    owner.get("/api/v1/keys").expect_status(200);
    owner.post("/api/v1/explain", &json!({"key_id": limited["id"], "scopes": ["contacts:read"]})).expect_status(200);
    let caller = edge.bearing(limited["key"].as_str().unwrap());
    caller.get("/v1/key").expect_status(200);
    caller.get("/v1/contacts").expect_status(200);
    caller.get("/v1/contacts").expect_status(200);
    caller.get("/v1/contacts").expect_status(429);
    caller.get("/v1/messages").expect_status(403);
    caller.with("Upgrade", "websocket").get("/v1/contacts").expect_status(429);

    let plain = make(&owner, "Plain", &["contacts:read"]);
    let caller = edge.bearing(&plain.key);
    caller.with("Upgrade", "websocket").with("Connection", "upgrade").get("/v1/contacts").expect_status(501);
    caller.get("/v1/nowhere").expect_status(404);
    edge.get("/v1/contacts").expect_status(401);
    edge.send("POST", "/v1/verify", "nonsense").expect_status(401);
    own.service().send("POST", "/v1/verify", "nonsense").expect_status(415);
    own.service().with("Content-Type", "application/json").send("POST", "/v1/verify", "nonsense").expect_status(400);
    for key in [forged(), never_issued(&own, 1), with_another_secret(&plain.key)] {
        edge.bearing(&key).get("/v1/contacts").expect_status(401);
    }
    owner.post(&format!("/api/v1/keys/{}/rotate", plain.id), &json!({"overlap_seconds": 60})).expect_status(200);
    change(&owner, &plain.id, &json!({"status": "inactive"}));
    delete(&owner, &plain.id);
    wait("refusing a deleted key", || caller.get("/v1/key").status == 401);
    owner.get(&format!("/api/v1/keys/{}", plain.id));
    owner.post(&format!("/api/v1/keys/{}/restore", plain.id), &json!({})).expect_status(200);

    owner.post("/api/v1/keys", &json!({"name": ""})).expect_status(422);
    owner.get("/api/v1/keys/0123456789abcdef").expect_status(404);
    owner.get("/nowhere").expect_status(404);
    owner.send("PUT", "/api/v1/keys", "").expect_status(405);
    owner.without("Origin").with("Origin", "https://example.com").post("/api/v1/keys", &json!({})).expect_status(403);
    for page in ["/", "/settings/developer/api-keys", "/sign-in"] {
        owner.get(page);
    }
    owner.get("/api/v1/usage").expect_status(200);
    owner.get("/api/v1/audit").expect_status(200);
    let wrong = json!({"email": OWNER.email, "password": "not the password of the owner"});
    own.console().post("/api/v1/session", &wrong).expect_status(401);
    own.console().post("/api/v1/session", &json!({"email": "x@example.com", "password": "none"})).expect_status(401);
    owner.send("DELETE", "/api/v1/session", "").expect_status(204);
    owner.get("/api/v1/keys").expect_status(401);
    own.console().get("/setup?token=a-token-that-is-wrong").expect_status(404);
    // Bodies that never come whole.
    let half = |port: u16, path: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let head = "Host: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\nX-API-Key";
        stream.write_all(format!("POST {path} HTTP/1.1\r\n{head}: {slow}\r\n\r\n{{").as_bytes()).unwrap();
        let mut response = String::new();
        let _ = stream.read_to_string(&mut response);
        assert!(response.starts_with("HTTP/1.1 408 "), "{path}: {response}");
    };
    half(own.port(0), "/api/v1/keys");
    half(own.port(1), "/v1/contacts");
    own.stop();
    own.resume(&[]);
    own.console().get("/health").expect_status(200);
    own.stop();
    assert_eq!(failures(&own), Vec::<String>::new());
}

/// Waits for the log lines of a failure. Asserts that one Worker logged the code, with the request
/// id that the caller got, and that these Workers logged a reason with the same id.
fn expect_one_line(deployment: &Deployment, answer: &Answer, worker: &str, code: &str, reasons: &[&str]) {
    assert!(answer.status >= 500, "{answer:?}");
    let id = answer.header("request-id").to_owned();
    assert_eq!(answer.json()["instance"], *id);
    let lines = || {
        let lines = failures(deployment).into_iter().filter(|line| line.contains(&id));
        lines.map(|line| serde_json::from_str::<Value>(&line).unwrap()).collect::<Vec<_>>()
    };
    let of = |name: &str| lines().into_iter().filter(|line| line["worker"] == *name).collect::<Vec<_>>();
    wait("logging a failure", || !of(worker).is_empty() && reasons.iter().all(|reason| !of(reason).is_empty()));
    let lines = lines();
    for line in &lines {
        let level = line["level"].as_str().unwrap();
        assert!(["warning", "error"].contains(&level), "{line}");
        assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
        assert_eq!(line["request_id"], *id, "{line}");
    }
    let coded: Vec<_> = lines.iter().filter(|line| !line["code"].is_null()).collect();
    let [line] = coded.as_slice() else { panic!("{lines:?}") };
    let found = ["worker", "level", "code"].map(|field| line[field].as_str().unwrap());
    assert_eq!(found, [worker, "error", code]);
}

#[test]
fn a_request_id_finds_its_failure_in_the_logs_of_all_workers() {
    // After the drop, the port has no listener.
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let mut own = Deployment::idle();
    own.set(&[("UPSTREAM_URL", &format!("http://{closed}"))]);
    own.resume(&[]);
    own.make_owner();
    let key = make(&own.owner(), "Key", &["contacts:read"]).key;
    expect_one_line(&own, &own.edge().bearing(&key).get("/v1/contacts"), "edge", "upstream_unavailable", &[]);

    own.stop();
    for object in ["Registry", "Instance"] {
        let mut found = files(&own.data(), object);
        // The runtime's own list of objects stays: without it nothing would start.
        found.retain(|file| !file.to_string_lossy().contains("metadata"));
        assert!(!found.is_empty(), "no files of {object}");
        for file in found {
            fs::write(file, "no database").unwrap();
        }
    }
    own.resume(&[]);
    let refused = own.owner().get("/api/v1/keys");
    assert!(refused.text.contains("the outcome of a change is unknown"), "{}", refused.text);
    expect_one_line(&own, &refused, "console", "UNAVAILABLE", &["vault"]);
    let sign_in = json!({"email": OWNER.email, "password": OWNER.password});
    let refused = own.console().post("/api/v1/session", &sign_in);
    expect_one_line(&own, &refused, "console", "UNAVAILABLE", &["vault"]);
    let refused = own.edge().bearing(&never_issued(&own, 1)).get("/v1/key");
    expect_one_line(&own, &refused, "edge", "UNAVAILABLE", &["vault"]);
}
