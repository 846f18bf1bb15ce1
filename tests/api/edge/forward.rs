//! Headers, bodies and responses through the gateway, and its timeouts.

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, wait},
    keys::make,
    upstream::{Blackhole, DEAF, SILENT, STALL, Upstream, answer},
};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::LazyLock,
    time::Duration,
};

/// A deployment with short timeouts, in front of a scripted upstream.
struct Behind {
    upstream: Upstream,
    deployment: Deployment,
    key: String,
}

const LIMITS: &[(&str, &str)] = &[
    ("UPSTREAM_CONNECT_MS", "3000"),
    ("UPSTREAM_FIRST_BYTE_MS", "4000"),
    ("UPSTREAM_IDLE_MS", "3000"),
    ("REQUEST_IDLE_MS", "3000"),
];

fn behind() -> &'static Behind {
    static BEHIND: LazyLock<Behind> = LazyLock::new(|| {
        let upstream = Upstream::start();
        let (deployment, key) = in_front_of(&upstream.origin(), &[]);
        Behind { upstream, deployment, key }
    });
    &BEHIND
}

fn in_front_of(origin: &str, limits: &[(&str, &str)]) -> (Deployment, String) {
    let mut deployment = Deployment::idle();
    deployment.set(&[LIMITS, &[("UPSTREAM_URL", origin)], limits].concat());
    deployment.resume(&["--temporary"]);
    deployment.make_owner();
    let key = make(&deployment.owner(), "Behind", &["contacts:write"]).key;
    (deployment, key)
}

impl Behind {
    /// Returns a client with a key. The upstream sends it this response.
    fn answering(&self, response: &str) -> ApiClient {
        self.deployment.edge().bearing(&self.key).with("X-Answer", answer(response))
    }

    /// Waits until the upstream has no open requests of a test.
    fn wait_for_end(&self, test: &str) {
        wait("closing the connections to the service", || self.upstream.hanging(test) == 0);
    }

    fn get(&self, response: &str) -> Answer {
        self.answering(response).get("/v1/contacts")
    }

    /// Opens a connection and sends a request, which may be incomplete.
    fn begin(&self, method: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.deployment.port(1))).unwrap();
        let head = format!("{method} /v1/contacts HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {}\r\n", self.key);
        stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).unwrap();
        stream
    }
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_service_that_never_answers_is_given_up() {
    let behind = behind();
    let caller = behind.answering(SILENT).with("X-Test", "silent");
    let answer = caller.get("/v1/contacts");
    answer.expect_problem(504, "upstream_timeout");
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.header("proxy-status"), "ownchat-edge; error=http_response_timeout");
    let answer = caller.post("/v1/contacts", &json!({"name": "x"}));
    answer.expect_problem(504, "upstream_timeout");
    behind.wait_for_end("silent");
}

#[test]
fn a_service_that_accepts_no_connection_is_given_up() {
    let blackhole = Blackhole::start();
    let (deployment, key) = in_front_of(&blackhole.origin(), &[]);
    let answer = deployment.edge().bearing(&key).get("/v1/contacts");
    answer.expect_problem(504, "upstream_connect_timeout");
    assert_eq!(answer.header("retry-after"), "5");
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let (deployment, key) = in_front_of(&format!("http://{nobody}"), &[]);
    let answer = deployment.edge().bearing(&key).get("/v1/contacts");
    answer.expect_problem(502, "upstream_unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.header("proxy-status"), "ownchat-edge; error=destination_unavailable");
}

#[test]
fn a_response_that_stalls_ends_on_both_sides() {
    let behind = behind();
    let stream = behind.begin("GET", &format!("X-Answer: {STALL}\r\nX-Test: stall\r\n"), "");
    let text = read_to_end(stream);
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("abc"), "{text}");
    behind.wait_for_end("stall");
}

#[test]
fn a_service_that_does_not_read_is_given_up() {
    let behind = behind();
    let body = "x".repeat(20_000_000);
    let answer = behind.answering(DEAF).with("Content-Type", "text/plain").send("POST", "/v1/contacts", &body);
    answer.expect_problem(504, "upstream_idle_timeout");
}

#[test]
fn a_body_that_stops_is_given_up() {
    let behind = behind();
    let stream = behind.begin("POST", "Content-Length: 100\r\nX-Test: half\r\n", "half");
    let text = read_to_end(stream);
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("request_timeout"), "{text}");
    behind.wait_for_end("half");
}

#[test]
fn a_caller_that_leaves_ends_the_request_at_the_service() {
    let upstream = Upstream::start();
    // So long that only the client can end the request.
    let (deployment, key) = in_front_of(&upstream.origin(), &[("UPSTREAM_FIRST_BYTE_MS", "600000")]);
    let behind = Behind { upstream, deployment, key };
    let headers = format!("X-Answer: {SILENT}\r\nX-Test: leaving\r\n");
    let with_body = format!("{headers}Content-Length: 4\r\n");
    let mut streams: Vec<_> = (0..5).map(|_| behind.begin("GET", &headers, "")).collect();
    streams.extend((0..5).map(|_| behind.begin("POST", &with_body, "body")));
    // These have sent only half of their bodies.
    streams.extend((0..5).map(|_| behind.begin("POST", &with_body, "bo")));
    wait("reaching the service", || behind.upstream.hanging("leaving") == 15);
    drop(streams);
    behind.wait_for_end("leaving");
    // They reached the upstream, so they count.
    let owner = behind.deployment.owner();
    let counted = || owner.get("/api/v1/usage").expect_status(200).json()["totals"]["outcomes"]["VALID"].clone();
    wait("counting", || counted() == 15);
}

#[test]
fn headers_that_claim_another_caller_never_reach_the_service() {
    let behind = behind();
    let claims = [
        "CF-Connecting-IP",
        "CF_Connecting_IP",
        "Cookie",
        "Forwarded",
        "Ownchat_Principal",
        "Proxy-Authorization",
        "Remote-User",
        "Request_Id",
        "True-Client-IP",
        "X-API_Key",
        "X-Client-IP",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X.Forwarded.Host",
        "X-Forwarded-Proto",
        "X-HTTP-Method",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "X-Original-URL",
        "X-Original-Method",
        "X-Real-IP",
        "Fly-Client-IP",
        "X-Azure-ClientIP",
        "X-HTTP-Host-Override",
        "X-Method",
        "X-SSL-Client-Verify",
        "X-WebAuth-User",
        "X-Rewrite-URL",
        "X-Envoy-Original-Path",
    ];
    let caller = claims
        .iter()
        .fold(behind.answering("HTTP/1.1 204 No Content\r\n\r\n"), |caller, name| caller.with(name, "claimed"));
    caller.with("Accept", "text/plain").with("Traceparent", "00-1-2-01").get("/v1/contacts?q=1").expect_status(204);
    let received = behind.upstream.last();
    let passed: Vec<_> = received.headers.iter().filter(|(_, value)| value.contains("claimed")).collect();
    assert!(passed.is_empty(), "{passed:?}");
    assert_eq!((received.method.as_str(), received.path.as_str()), ("GET", "/v1/contacts?q=1"));
    assert_eq!(received.header("accept"), Some("text/plain"));
    assert_eq!(received.header("traceparent"), Some("00-1-2-01"));
    assert!(received.header("ownchat-principal").is_some_and(|principal| principal.starts_with("v1.")));
    assert_eq!(received.header("authorization"), None);
}

#[test]
fn headers_of_one_connection_pass_in_neither_direction() {
    let behind = behind();
    let response = answer(
        "HTTP/1.1 200 OK\r\nConnection: X-Named, close\r\nX-Named: 1\r\nX-Other: 2\r\nContent-Length: 0\r\n\r\n",
    );
    let headers =
        format!("X-Answer: {response}\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nX-Kept: 2\r\n");
    let text = read_to_end(behind.begin("GET", &headers, "")).to_lowercase();
    assert!(text.starts_with("http/1.1 200") && text.contains("x-other: 2") && !text.contains("x-named"), "{text}");
    let received = behind.upstream.last();
    assert_eq!((received.header("x-mine"), received.header("te"), received.header("x-kept")), (None, None, Some("2")));
}

#[test]
fn the_origin_of_the_service_becomes_the_edge_s() {
    let behind = behind();
    let (service, edge) = (behind.upstream.origin(), behind.deployment.edge().origin);
    for (name, given, expected) in [
        ("Location", format!("{service}/v1/contacts/c_1?a=b#c"), format!("{edge}/v1/contacts/c_1?a=b#c")),
        ("Location", "/v1/contacts/c_1".into(), format!("{edge}/v1/contacts/c_1")),
        ("Content-Location", format!("{service}/v1/contacts"), format!("{edge}/v1/contacts")),
        (
            "Link",
            format!("<{service}/v1/contacts?cursor=2>; rel=\"next\", <https://example.org/a>; rel=\"help\""),
            format!("<{edge}/v1/contacts?cursor=2>; rel=\"next\", <https://example.org/a>; rel=\"help\""),
        ),
        ("Refresh", format!("5; url={service}/v1/contacts"), format!("5; url={edge}/v1/contacts")),
        ("Location", "https://elsewhere.example/file".into(), "https://elsewhere.example/file".into()),
    ] {
        let answer = behind.get(&format!("HTTP/1.1 201 Created\r\n{name}: {given}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(answer.expect_status(201).header(name), expected);
    }
}

#[test]
fn a_redirect_to_another_host_is_not_passed_on() {
    let behind = behind();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        for location in ["https://elsewhere.example/", "//elsewhere.example/", "http://[", "\\\\elsewhere.example"] {
            let response = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let answer = behind.get(&response);
            answer.expect_problem(502, "upstream_redirect");
            assert_eq!(answer.header("location"), "", "{status} {location}");
        }
    }
    let own = format!(
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: {}/v1/key\r\nContent-Length: 0\r\n\r\n",
        behind.upstream.origin()
    );
    let edge = behind.deployment.edge().origin;
    assert_eq!(behind.get(&own).expect_status(308).header("location"), format!("{edge}/v1/key"));
    behind.get("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n").expect_status(304);
}

#[test]
fn a_service_does_not_speak_for_the_edge() {
    let behind = behind();
    let headers = [
        "Access-Control-Allow-Origin: https://evil.example",
        "Alt-Svc: h2=\":1\"",
        "Clear-Site-Data: \"*\"",
        "NEL: {}",
        "Proxy-Status: x",
        "RateLimit: \"x\";r=1;t=1",
        "Server: x",
        "Set-Cookie: a=b",
        "Via: 1.1 x",
        "WWW-Authenticate: Basic",
        "X-Powered-By: x",
        "Content-Disposition: attachment",
        "Retry-After: 7",
        "Content-Length: 0",
    ];
    let answer = behind.get(&format!("HTTP/1.1 503 Service Unavailable\r\n{}\r\n\r\n", headers.join("\r\n")));
    answer.expect_status(503);
    for name in [
        "alt-svc",
        "clear-site-data",
        "nel",
        "ratelimit",
        "server",
        "set-cookie",
        "via",
        "www-authenticate",
        "x-powered-by",
    ] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!((answer.header("retry-after"), answer.header("content-disposition")), ("7", "attachment"));
    assert_eq!(answer.header("proxy-status"), "ownchat-edge; received-status=503", "whose status it is");
    let own = behind.deployment.edge().get("/v1/contacts");
    assert_eq!(own.expect_problem(401, "MISSING_KEY").header("proxy-status"), "", "the edge's own");
}

#[test]
fn a_status_that_no_response_has_is_reported() {
    let behind = behind();
    for status in ["999 What", "600 No"] {
        behind.get(&format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).expect_problem(502, "upstream_invalid");
    }
}

#[test]
fn a_websocket_is_refused() {
    let behind = behind();
    let headers =
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n";
    let mut stream = behind.begin("GET", headers, "");
    let mut text = [0; 12];
    stream.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"HTTP/1.1 501");
}

#[test]
fn lengths_and_bytes_of_bodies_are_kept() {
    let behind = behind();
    let answer =
        behind.get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: identity\r\nETag: \"1\"\r\n\r\nhello");
    assert_eq!((answer.text.as_str(), answer.header("content-length"), answer.header("etag")), ("hello", "5", "\"1\""));
    let body = "x".repeat(1_000_000);
    let caller = behind.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").with("Content-Type", "text/plain");
    assert_eq!(caller.send("POST", "/v1/contacts", &body).text, "ok");
    let received = behind.upstream.last();
    assert_eq!((received.header("content-length"), received.body.len()), (Some("1000000"), 1_000_000));
}

#[test]
fn a_request_that_reached_no_service_costs_no_quota() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let (deployment, _) = in_front_of(&format!("http://{nobody}"), &[]);
    let owner = deployment.owner();
    let body = json!({
        "name": "Quota", "environment": "live", "scopes": ["contacts:read"], "quota": {"limit": 3, "period": "day"},
    });
    let made = owner.post("/api/v1/keys", &body);
    let caller = deployment.edge().bearing(&made.expect_status(201).at("/key"));
    for _ in 0..5 {
        caller.get("/v1/contacts").expect_problem(502, "upstream_unavailable");
    }
    let left = |caller: &ApiClient| caller.get("/v1/key").at("/quota/remaining");
    assert_eq!(left(&caller), "3");
    // They count under their own outcome.
    let usage = format!("/api/v1/keys/{}/usage", made.at("/id"));
    let outcomes = || owner.get(&usage).expect_status(200).json()["totals"]["outcomes"].clone();
    wait("counting", || outcomes()["NOT_FORWARDED"] == 5);
    assert_eq!(outcomes()["VALID"], 1, "the look at the key: {}", outcomes());
}
