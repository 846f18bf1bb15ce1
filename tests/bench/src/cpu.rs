//! CPU time of a verification: rows E1, E2 and E6.

use crate::{
    keys::{VerifyCase, forged},
    measure::{ExpectedBody, MeasuredRequest, Plan, compare},
    row::{Goal, Row},
    testbed::{Server, Testbed},
};
use ownchat_runtime::{HttpClient, JSON, SERVICE};

/// One call at a time: the cost of a call that has the isolate for itself.
const ALONE: Plan = Plan { requests: 2_000, turns: 5, warm_up: 3_000, rounds: 5, callers: 1 };
/// Always a call waiting: the runtime's cost per batch of calls hardly counts, for any server.
const BUSY: Plan = Plan { requests: 4_000, turns: 5, warm_up: 3_000, rounds: 5, callers: 16 };

/// All servers of the comparison.
#[derive(Debug)]
pub struct Everybody {
    /// The edge.
    pub ours: Server,
    /// The same check in JavaScript.
    pub verify: Server,
    /// The same check in JavaScript, without verifying the tag of a cached locator.
    pub lean: Server,
    /// The minimal Worker.
    pub hello: Server,
    /// The minimal Worker that reads the body.
    pub hello_body: Server,
}

impl Everybody {
    /// Starts all servers.
    pub fn start(testbed: &Testbed) -> Self {
        Self {
            ours: testbed.edge(),
            verify: testbed.verify("always"),
            lean: testbed.verify("once"),
            hello: testbed.plain("hello"),
            hello_body: testbed.plain("hello-body"),
        }
    }
}

/// Measures all rows, with a key in every cache.
pub fn rows(everybody: &Everybody, good: &VerifyCase) -> Vec<Row> {
    let mut rows = of(everybody, good, ALONE, ("", ""), true);
    rows.extend(of(everybody, good, BUSY, (" busy", ", 16 in flight"), false));
    rows
}

fn of(everybody: &Everybody, good: &VerifyCase, plan: Plan, label: (&str, &str), goals: bool) -> Vec<Row> {
    let Everybody { ours, verify, lean, hello, hello_body } = everybody;
    let post = |key: &str| {
        let mut question = good.question.clone();
        question["key"] = key.into();
        let headers = [JSON, SERVICE];
        HttpClient::request("POST", "/v1/verify", &headers, question.to_string().as_bytes())
    };
    let get = |key: &str| HttpClient::request("GET", "/v1/key", &[("Authorization", &format!("Bearer {key}"))], b"");
    let (key, forged) = (good.key(), forged(good.key()));
    let subjects = [
        greeting("hello-world", hello, post(key)),
        greeting("hello-world that reads", hello_body, post(key)),
        good_key("verify.mjs", verify, post(key)),
        good_key("verify.mjs without tags", lean, post(key)),
        good_key("ours", ours, post(key)),
        forged_key("ours, forged", ours, post(&forged), 200),
        greeting("hello-world, header", hello, get(key)),
        good_key("verify.mjs, header", verify, get(key)),
        good_key("verify.mjs without tags, header", lean, get(key)),
        good_key("ours, header", ours, get(key)),
        forged_key("ours, forged, header", ours, get(&forged), 401),
    ];
    let figures = compare(&subjects, plan);
    let [
        hello,
        hello_body,
        verify,
        lean,
        ours,
        ours_forged,
        hello_header,
        verify_header,
        lean_header,
        ours_header,
        forged_header,
    ] = figures;
    let goal = |most| goals.then_some(Goal::Ratio(most));
    let row = |id: &str, what: &str, ours, peer, goal| {
        let (id, what) = (format!("{id}{}", label.0), format!("{what}{}", label.1));
        Row::compared(&id, what, ours, peer, goal)
    };
    vec![
        row("E1", "POST /v1/verify, cached key : hello-world", ours, hello, goal(1.15)),
        row("E1 body", "POST /v1/verify, cached key : hello-world that reads the body", ours, hello_body, None),
        row("E1 header", "GET /v1/key, cached key : hello-world", ours_header, hello_header, None),
        row("E2", "POST /v1/verify, cached key : verify.mjs", ours, verify, goal(0.80)),
        row("E2 lean", "POST /v1/verify, cached key : verify.mjs without tags", ours, lean, None),
        row("E2 header", "GET /v1/key, cached key : verify.mjs", ours_header, verify_header, None),
        row("E2 header lean", "GET /v1/key, cached key : verify.mjs without tags", ours_header, lean_header, None),
        row("E6", "POST /v1/verify, forged key : hello-world", ours_forged, hello, goal(1.10)),
        row("E6 body", "POST /v1/verify, forged key : hello-world that reads the body", ours_forged, hello_body, None),
        row("E6 header", "GET /v1/key, forged key : hello-world", forged_header, hello_header, None),
    ]
}

/// A server that returns the greeting.
fn greeting<'a>(name: &'static str, server: &'a Server, request: Vec<u8>) -> MeasuredRequest<'a> {
    subject(name, server, request, 200, ExpectedBody::Is(b"{\"hello\":\"world\"}".to_vec()))
}

/// A server that accepts the key. Its response now is the right one, if the code is `VALID`.
fn good_key<'a>(name: &'static str, server: &'a Server, request: Vec<u8>) -> MeasuredRequest<'a> {
    let answer = HttpClient::new(server.address).send(&request).unwrap();
    let json = answer.json();
    assert_eq!((&json["valid"], &json["code"]), (&true.into(), &"VALID".into()), "{name}: {}", answer.text());
    subject(name, server, request, 200, ExpectedBody::Is(answer.body))
}

/// A server that refuses the key as forged.
fn forged_key<'a>(name: &'static str, server: &'a Server, request: Vec<u8>, status: u16) -> MeasuredRequest<'a> {
    subject(name, server, request, status, ExpectedBody::Says("MALFORMED_KEY"))
}

fn subject<'a>(
    name: &'static str,
    server: &'a Server,
    request: Vec<u8>,
    status: u16,
    body: ExpectedBody,
) -> MeasuredRequest<'a> {
    MeasuredRequest { name, process: &server.process, address: server.address, request, status, body }
}
