//! The text protocol between `entry.mjs` and Rust: one table, and the tests that hold both sides to
//! it. A row lists parts in their order, as `entry.mjs` writes them.
//!
//! | text | parts |
//! | --- | --- |
//! | request, a line each | `id` `method` `target` `authorization` `apiKey` `clientIp` `body` |
//! | empty, or `=` and a text | `authorization` `apiKey` `clientIp` |
//! | body, before its text | `=` |
//! | body that was not read: other media type, not UTF-8, too large | `m` `u` `` |
//! | response: tasks deferred, body kind, status | `text[0]` `text[1]` `text.slice(2, 5)` |
//! | tasks are deferred | `1` |
//! | body kinds that a caller receives: none, JSON, problem | `-` `j` `p` |
//! | body kind of a forwarded request | `o` |
//! | forwarded request, a line each | `target` `principal` `number` |
//! | functions for a request | `decide` `end_forward` `failure_response` `look_up` |
//! | functions for an isolate | `constants` `run_deferred` `timeouts` |
//!
//! `decide` returns no text if a lookup is needed. The first line of a response ends after the
//! status. A line `name:value` for each header, an empty line and the body follow.

use crate::{
    constants,
    request::{Body, Request},
    response::{BodyKind, Responder, forwarding},
};
use ownchat_domain::{log::REQUEST_ID_HEADER, route::EdgeEndpoint};
use std::collections::BTreeSet;

const TABLE: &str = include_str!("protocol.rs");
const ENTRY: &str = include_str!("../entry.mjs");
const STORES: &str = include_str!("../stores.mjs");
const LIB: &str = include_str!("lib.rs");

/// Returns the parts of the row that begins with these words.
fn row(text: &str) -> Vec<&'static str> {
    let begin = format!("//! | {text}");
    let mut rows = TABLE.lines().filter(|line| line.starts_with(&begin));
    let (Some(row), None) = (rows.next(), rows.next()) else { unreachable!("one row begins with {text}") };
    let parts = row.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
    parts.strip_prefix('`').and_then(|parts| parts.strip_suffix('`')).unwrap().split("` `").collect()
}

/// Returns the source of a function in `entry.mjs`, from this line to the brace that closes it.
fn function(begin: &str) -> &'static str {
    let from = ENTRY.find(begin).unwrap_or_else(|| unreachable!("entry.mjs has no {begin}"));
    let rest = ENTRY.get(from..).unwrap();
    rest.get(..rest.find("\n}\n").unwrap()).unwrap()
}

/// Asserts that `entry.mjs` has this code, once.
fn expect_in_entry(code: &str) {
    assert_eq!(ENTRY.matches(code).count(), 1, "entry.mjs: {code}");
}

fn sorted<'a>(parts: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    parts.into_iter().collect()
}

#[test]
fn request_has_its_lines_in_order() {
    let (lines, optional) = (row("request, a line"), row("empty, or"));
    let template: Vec<_> = lines.iter().map(|name| format!("${{{name}}}")).collect();
    expect_in_entry(&format!("= `{}`;", template.join("\\n")));
    let handle = function("function handle(");
    assert_eq!(handle.matches("optional(").count(), optional.len());
    for name in &optional {
        assert!(handle.contains(&format!("const {name} = optional(headers.get(")), "entry.mjs: {name}");
    }
    let value = |name: &str| match name {
        "clientIp" => "192.0.2.1".to_owned(),
        "body" => "a\nb".to_owned(),
        name => format!("/{name}"),
    };
    let is_marked = |name: &str| optional.contains(&name) || name == "body";
    let line = |name: &&str| if is_marked(name) { format!("={}", value(name)) } else { value(name) };
    let text = lines.iter().map(line).collect::<Vec<_>>().join("\n");
    let request = Request::parse(&text);
    assert_eq!([request.id, request.method, request.target], ["/id", "/method", "/target"]);
    assert_eq!((request.authorization, request.api_key), (Some("/authorization"), Some("/apiKey")));
    assert_eq!((request.client_ip, request.body), ("192.0.2.1".parse().ok(), Body::Text("a\nb")));
    let empty = "\n".repeat(lines.len() - 1);
    let request = Request::parse(&empty);
    assert_eq!((request.authorization, request.api_key, request.client_ip), (None, None, None));
}

#[test]
fn body_is_its_text_or_a_letter() {
    let (mark, letters) = (row("body, before"), row("body that was not read"));
    let literals = function("async function withBody(").split('"').skip(1).step_by(2);
    assert_eq!(sorted(literals.filter(|text| text.len() < 2)), sorted(mark.iter().chain(&letters).copied()));
    let begin = "\n".repeat(row("request, a line").len() - 1);
    let texts = letters.iter().map(|letter| format!("{begin}{letter}")).collect::<Vec<_>>();
    let parsed: Vec<_> = texts.iter().map(|text| Request::parse(text).body).collect();
    assert_eq!(parsed, [Body::MediaType, Body::Encoding, Body::TooLarge], "{letters:?}");
    assert_eq!(Request::parse(&format!("{begin}{}x", mark[0])).body, Body::Text("x"));
}

#[test]
fn response_has_its_first_line() {
    let places = row("response: ");
    for code in &places {
        assert!(function("function respond(").contains(code), "entry.mjs: {code}");
    }
    let digit = row("tasks are")[0];
    expect_in_entry(&format!("if ({} === \"{digit}\") runDeferred(", places[0]));
    let responder = Responder { console: "", request_id: "0af" };
    let response = responder.preflight();
    let first_line = |has_deferred| response.encode(has_deferred).lines().next().unwrap().to_owned();
    let (deferred, none) = (first_line(true), first_line(false));
    let read = |line: &str, place: &str| {
        let numbers: Vec<usize> = place.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        let (from, to) = (numbers[0], numbers.get(1).copied().unwrap_or(numbers[0] + 1));
        line.get(from..to).unwrap_or_default().to_owned()
    };
    assert_eq!(read(&deferred, places[0]), digit);
    assert_ne!(read(&none, places[0]), digit);
    assert_eq!(read(&deferred, places[1]), BodyKind::Empty.letter().to_string());
    assert_eq!(read(&deferred, places[2]), "204");
    expect_in_entry(&format!("let at = {};", deferred.len()));
    assert_eq!(response.encode(false).get(deferred.len()..deferred.len() + 1), Some("\n"));
}

#[test]
fn body_kinds_have_their_letters() {
    let letters: Vec<_> = BodyKind::OF_RESPONSES.iter().map(|kind| kind.letter().to_string()).collect();
    assert_eq!(letters, row("body kinds that a caller"));
    let forward = row("body kind of a forwarded");
    assert_eq!(forward, [BodyKind::Forward.letter().to_string()]);
    expect_in_entry(&format!("letter === \"{}\"", forward[0]));
    // The entry refers to one kind by its letter.
    expect_in_entry(&format!("headers: HEADERS.{} }}", BodyKind::Problem.letter()));
}

#[test]
fn forwarded_request_has_its_lines_in_order() {
    let lines = row("forwarded request");
    expect_in_entry(&format!("const [{}] = forwarding.split(\"\\n\");", lines.join(", ")));
    let text = forwarding("target", "principal", 7);
    assert_eq!(text.lines().collect::<Vec<_>>(), ["target", "principal", "7"]);
    assert_eq!(lines, ["target", "principal", "number"]);
}

#[test]
fn both_sides_have_the_same_functions_and_constants() {
    let functions = sorted(["functions for a request", "functions for an isolate"].into_iter().flat_map(row));
    let exported = LIB.split("#[wasm_bindgen]\npub ").skip(1);
    let exported = exported.filter_map(|code| code.split_once("fn ")?.1.split('(').next());
    assert_eq!(sorted(exported), functions, "lib.rs");
    let called = ENTRY.split("edge.").skip(1).filter_map(|code| code.split_once('(').map(|(name, _)| name));
    let of_wasm_bindgen = ["initSync", "__wbg_reset_state"];
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert_eq!(sorted(called.filter(|name| is_name(name) && !of_wasm_bindgen.contains(name))), functions, "entry.mjs");

    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&constants()).unwrap();
    let taken = ENTRY.lines().filter_map(|line| line.strip_prefix("const { ").filter(|_| line.contains(": ")));
    let names = taken.flat_map(|line| line.split(", ").filter_map(|name| name.split_once(": ").map(|(name, _)| name)));
    assert_eq!(sorted(names), sorted(json.keys().map(String::as_str)));
    expect_in_entry(&format!("const VERIFY = \"{}\";", EdgeEndpoint::Verify.path()));
    assert!(STORES.contains(&format!("\"{REQUEST_ID_HEADER}\": ")));
}
