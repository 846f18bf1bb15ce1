//! The front of a local deployment, which stands in for Cloudflare's network.

use crate::{
    client::ApiClient,
    deployment::{Deployment, shared, wait},
    keys::make,
    processes::{descendants, listening},
};
use ownchat_domain::problem::CATALOGUE;
use serde_json::Value;
use std::{
    collections::HashSet,
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::Duration,
};

/// Sends raw bytes and returns the whole response.
fn send(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request).unwrap();
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

#[track_caller]
fn expect_problem(response: &str, status: u16, code: &str, documented: &str) {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no response: {response:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    let head = head.to_lowercase();
    for header in
        ["content-type: application/problem+json", "cache-control: no-store", "x-content-type-options: nosniff"]
    {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((body["code"].as_str(), body["status"].as_u64()), (Some(code), Some(status.into())));
    assert!(body["type"].as_str().is_some_and(|link| link.ends_with(&format!("/docs/errors#{code}"))), "{body}");
    assert!(head.contains(&format!("request-id: {}", body["instance"].as_str().unwrap())), "{head}");
    assert!(documented.contains(&format!("id=\"{code}\"")), "{code} is not explained");
    let kind = CATALOGUE.iter().find(|kind| kind.code == code).unwrap();
    assert_eq!((body["title"].as_str(), status), (Some(kind.title), kind.status));
}

#[test]
fn a_malformed_request_is_a_problem() {
    let deployment = shared();
    let documented = deployment.console().get("/docs/errors").text;
    for port in [deployment.port(0), deployment.port(1)] {
        for (request, status, code) in [
            (&b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"[..], 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: \x01\r\n\r\n", 400, "invalid_request"),
            (b"GET a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
            (b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
            (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
            (b"GET /a`b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
            (b"GET /?a=<b> HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\nHost: \r\n\r\n", 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\nHost: a/b?c\r\n\r\n", 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400, "invalid_request"),
            (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "invalid_request"),
            (
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400,
                "invalid_request",
            ),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "invalid_request"),
            (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"),
            (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"),
            (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405, "method_not_allowed"),
            (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: a-wonder\r\n\r\n", 417, "expectation_failed"),
        ] {
            expect_problem(&send(port, request), status, code, &documented);
        }
        let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "x".repeat(20_000));
        expect_problem(&send(port, large.as_bytes()), 431, "headers_too_large", &documented);
    }
}

#[test]
fn a_character_that_no_url_may_hold_is_named() {
    let deployment = shared();
    for port in [deployment.port(0), deployment.port(1)] {
        for (target, character) in [
            ("/a`b", "` (U+0060), which no URL may hold. Write it as %60."),
            ("/v1/contacts?q=a\"b", "\" (U+0022), which no URL may hold. Write it as %22."),
            ("/?a=<b>", "< (U+003C), which no URL may hold. Write it as %3C."),
            ("/keys?q=Müller", "ü (U+00FC), which no URL may hold. Write it as %C3%BC."),
            ("/日本", "日 (U+65E5), which no URL may hold. Write it as %E6%97%A5."),
            ("/a\u{7}", "U+0007, which no URL may hold. Write it as %07."),
            ("/\u{200b}", "U+200B, which no URL may hold. Write it as %E2%80%8B."),
        ] {
            let response = send(port, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
            let body: Value = serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap();
            assert_eq!(body["detail"], format!("The address holds the character {character}"), "{target}");
        }
    }
}

#[test]
fn a_request_that_never_comes_whole_is_given_up() {
    let deployment = shared();
    let documented = deployment.console().get("/docs/errors").text;
    let response = send(deployment.port(1), b"GET / HTTP/1.1\r\nHost: a\r\nX-A");
    expect_problem(&response, 408, "request_timeout", &documented);
}

#[test]
fn a_refusal_is_heard_while_a_body_is_sent() {
    let deployment = shared();
    let edge = deployment.edge();
    let key = make(&deployment.owner(), "Upload", &["contacts:read"]).key;
    let body = "x".repeat(30_000_000);
    let once = |caller: &ApiClient, method: &str, path: &str| {
        let media = if path == "/v1/verify" { "application/json" } else { "text/plain" };
        caller.with("Content-Type", media).send_once(method, path, &body).map(|answer| answer.status)
    };
    for _ in 0..3 {
        assert_eq!(once(&edge, "POST", "/v1/contacts"), Some(401));
        assert_eq!(once(&edge.bearing(&key), "POST", "/v1/contacts"), Some(403));
        assert_eq!(once(&edge, "POST", "/v1/nothing"), Some(404));
        assert_eq!(once(&edge, "PUT", "/v1/contacts"), Some(405));
        assert_eq!(once(&edge, "POST", "/v1/verify"), Some(401));
        assert_eq!(once(&deployment.service(), "POST", "/v1/verify"), Some(413));
        assert_eq!(once(&deployment.owner(), "POST", "/api/v1/keys"), Some(413));
        assert_eq!(once(&deployment.owner(), "POST", "/api/v1/session"), Some(413));
    }
}

#[test]
fn a_small_body_that_drips_is_given_up() {
    let mut own = Deployment::idle();
    own.set(&[("REQUEST_IDLE_MS", "2000")]);
    own.resume(&[]);
    for (length, drop) in [("Content-Length: 100", " "), ("Transfer-Encoding: chunked", "1\r\n \r\n")] {
        let mut caller = TcpStream::connect(("127.0.0.1", own.port(1))).unwrap();
        let head = format!("POST /v1/verify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\n\r\n");
        caller.write_all(head.as_bytes()).unwrap();
        let mut drops = caller.try_clone().unwrap();
        // Each pause is well within the idle timeout. A hundred drops take far longer.
        let dripping = thread::spawn(move || {
            (0..100)
                .take_while(|_| {
                    thread::sleep(Duration::from_millis(500));
                    drops.write_all(drop.as_bytes()).is_ok()
                })
                .count()
        });
        let mut response = String::new();
        let _ = caller.read_to_string(&mut response);
        assert!(response.starts_with("HTTP/1.1 408 "), "{length}: {response}");
        assert!(dripping.join().unwrap() < 100);
    }
}

#[test]
fn many_that_hang_end_nothing() {
    let mut own = Deployment::idle();
    own.set(&[("REQUEST_IDLE_MS", "2000")]);
    own.resume(&[]);
    own.make_owner();
    let half = b"POST /v1/verify HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let port = own.port(1);
    let connect = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.write_all(half).ok()?;
        Some(stream)
    };
    let hanging: Vec<_> = (0..1_500).filter_map(|_| connect()).collect();
    assert!(hanging.len() > 900, "{}", hanging.len());
    wait("answering others", || {
        send(port, b"GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").contains(" 200 ")
    });
    own.owner().get("/api/v1/session").expect_status(200);
}

#[test]
fn the_front_starts_again_alone() {
    let own = Deployment::set_up();
    let front = descendants(own.pid())
        .into_iter()
        .find(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("front.mjs")))
        .unwrap();
    let killed = Command::new("kill").args(["-KILL", &front.to_string()]).status().unwrap();
    assert!(killed.success());
    let health = b"GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    wait("answering again", || {
        TcpStream::connect(("127.0.0.1", own.port(1))).is_ok() && send(own.port(1), health).contains(" 200 ")
    });
    own.owner().get("/api/v1/session").expect_status(200);
}

#[test]
fn nobody_reaches_a_worker_around_the_front() {
    let deployment = shared();
    let known: HashSet<u16> = (0..3).map(|place| deployment.port(place)).collect();
    let others: Vec<u16> = listening(deployment.pid()).into_iter().filter(|port| !known.contains(port)).collect();
    assert!(!others.is_empty(), "the Workers listen nowhere");
    for port in others {
        for path in ["/v1/health", "/health", "/v1/key"] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: a\r\nCF-Connecting-IP: 192.0.2.1\r\nOwnchat-Door: x edge\r\nConnection: close\r\n\r\n"
            );
            let response = send(port, request.as_bytes());
            assert!(!response.contains("HTTP/1.1 200") && !response.contains("MISSING_KEY"), "{port}: {response}");
        }
    }
}

#[test]
fn no_secret_is_an_argument_of_a_process() {
    let deployment = shared();
    let keys = deployment.master_keys();
    let (_, master) = keys.split_once(':').unwrap();
    for pid in descendants(deployment.pid()) {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!line.contains("secret") && !line.contains(master), "{line}");
    }
}
