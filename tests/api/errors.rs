//! Rejections of requests with a single fault, for every endpoint of the console and the edge.
//! Checks the status, the code, the field and the wording.

mod fields;

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, shared},
    keys::{list, make},
};
use fields::{Field, FieldType, Parameter, wrong};
use ownchat_domain::problem::CATALOGUE;
use serde_json::{Value, json};

/// Terms of parsers, of the code and of its types, which mean nothing to users.
const FORBIDDEN: [&str; 28] = [
    "serde",
    "u8",
    "u16",
    "u32",
    "u64",
    "i32",
    "i64",
    "usize",
    "f64",
    "variant",
    "sequence",
    "struct",
    "enum",
    "boolean",
    "expected",
    "invalid type",
    "invalid value",
    "invalid digit",
    "found in string",
    "at line",
    "floating",
    "EOF",
    "trailing",
    "parse",
    "deserialize",
    ".rs",
    "::",
    "`",
];

/// Asserts a problem with a code of the catalogue, in the product's own words.
#[track_caller]
fn expect_plain(answer: &Answer, call: &str) {
    let body = answer.json();
    let code = body["code"].as_str().unwrap_or_default();
    let kind = CATALOGUE.iter().find(|kind| kind.code == code).unwrap_or_else(|| panic!("{call}: {body}"));
    answer.expect_problem(kind.status, code);
    assert!((400..500).contains(&answer.status), "{call}: {body}");
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let messages = errors.iter().map(|error| &error["message"]);
    for text in messages.chain([&body["title"], &body["detail"]]) {
        let text = text.as_str().unwrap_or_default();
        assert!(text.len() > 5 && text.ends_with(['.', '?']) || text == body["title"], "{call}: {text}");
        let words: Vec<_> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for forbidden in FORBIDDEN {
            let is_there = if forbidden.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                words.contains(&forbidden)
            } else {
                text.contains(forbidden)
            };
            assert!(!is_there, "{call}: \"{forbidden}\" in {text}");
        }
    }
}

/// Asserts a validation error that names this field alone, or a place in it.
#[track_caller]
fn expect_field(answer: &Answer, call: &str, field: &str) {
    expect_plain(answer, call);
    answer.expect_problem(422, "validation_failed");
    let body = answer.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let named = errors.iter().map(|error| error["field"].as_str().unwrap_or_default());
    for name in named.clone() {
        let place = name.strip_prefix(field).unwrap_or("not there");
        assert!(place.is_empty() || place.starts_with(['.', '[']), "{call}: {name} instead of {field}");
    }
    assert!(named.count() > 0, "{call}: {body}");
}

/// An endpoint that takes a body: a client, a valid request, and its fields.
struct Endpoint<'a> {
    caller: &'a ApiClient,
    method: &'a str,
    path: &'a str,
    good: Value,
    fields: &'a [Field],
    required: &'a [&'a str],
}

impl Endpoint<'_> {
    fn send(&self, body: &str) -> Answer {
        self.caller.with("Content-Type", "application/json").send(self.method, self.path, body)
    }

    fn call(&self, body: &str) -> String {
        format!("{} {} {}", self.method, self.path, &body[..body.len().min(300)])
    }

    fn refuses(&self, body: &Value, field: &str) {
        let body = body.to_string();
        expect_field(&self.send(&body), &self.call(&body), field);
    }

    /// Sends the request with one invalid value at a time.
    fn refuses_values(&self, place: &str, fields: &[Field]) {
        for field in fields {
            let pointer = format!("{place}/{}", field.0);
            let name = pointer[1..].replace('/', ".");
            for value in wrong(field) {
                let mut body = self.good.clone();
                *body.pointer_mut(&pointer).unwrap() = value;
                self.refuses(&body, &name);
            }
            if let Field(_, FieldType::Object(fields), _) = field {
                self.refuses_values(&pointer, fields);
            }
        }
    }

    fn walk(&self) {
        self.refuses_values("", self.fields);
        let mut body = self.good.clone();
        body["colour"] = json!("red");
        self.refuses(&body, "colour");
        for field in self.required {
            let mut body = self.good.clone();
            body.as_object_mut().unwrap().remove(*field);
            self.refuses(&body, field);
        }
        let good = self.good.to_string();
        let name = self.fields[0].0;
        let twice = format!("{},\"{name}\":{}}}", &good[..good.len() - 1], self.good[name]);
        expect_field(&self.send(&twice), &self.call(&twice), name);
        let deep = "[".repeat(2_000);
        for broken in ["", " ", "{", "[]", "7", "null", "\"x\"", "{\"", "{'a':1}", "\u{feff}", &deep] {
            let answer = self.send(broken);
            expect_plain(&answer, &self.call(broken));
            answer.expect_problem(400, "invalid_json");
        }
        let answer = self.send(&format!("\"{}\"", "x".repeat(70_000)));
        expect_plain(&answer, self.path);
        answer.expect_problem(413, "body_too_large");
    }

    /// Sends the body with headers that declare another media type or a compression.
    fn walk_media(&self) {
        let good = self.good.to_string();
        for media in ["", "text/plain", "application/x-www-form-urlencoded", "application/problem+json", "\u{e9}"] {
            let answer = self.caller.with("Content-Type", media).send(self.method, self.path, &good);
            expect_plain(&answer, &format!("{} {} as {media}", self.method, self.path));
            answer.expect_problem(415, "unsupported_media_type");
        }
        let zipped = self.caller.with("Content-Type", "application/json").with("Content-Encoding", "gzip");
        let answer = zipped.send(self.method, self.path, &good);
        expect_plain(&answer, self.path);
        assert_eq!(answer.expect_problem(415, "unsupported_media_type").header("accept-encoding"), "identity");
    }
}

/// Returns a request for a key with a value in every field.
fn whole_key() -> Value {
    json!({
        "name": "Never made", "description": "x", "integration": "x", "environment": "live",
        "scopes": ["contacts:read"], "not_before": "2027-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:00Z",
        "restrictions": {"allow": ["192.0.2.0/24"], "deny": ["192.0.2.1"], "channels": ["ch_1"]},
        "rate_limit": {"limit": 5, "window_seconds": 60}, "quota": {"limit": 9, "period": "day"},
        "metadata": {"team": "till"}, "reason": "x", "secret_sha256": hash(),
    })
}

/// Returns the hash of a secret that the caller keeps.
fn hash() -> Value {
    json!("A".repeat(43))
}

#[test]
fn a_fault_in_a_body_is_named_by_its_field_in_plain_words() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Never changed", &["contacts:read"]);
    let key = format!("/api/v1/keys/{}", made.id);
    let [duplicate, rotate] = ["duplicate", "rotate"].map(|word| format!("{key}/{word}"));
    let seen = owner.with("If-Match", "\"1\"");
    let workspace = owner.with("If-Match", owner.get("/api/v1/workspace").header("etag"));
    let mut patch = whole_key();
    for (field, value) in [("environment", None), ("secret_sha256", None), ("status", Some("active"))] {
        patch.as_object_mut().unwrap().remove(field);
        if let Some(value) = value {
            patch[field] = json!(value);
        }
    }
    let endpoint =
        |caller, method, path, good, fields, required| Endpoint { caller, method, path, good, fields, required };
    let case = json!({
        "key_id": made.id, "scopes": ["contacts:read"], "channel": "ch_1", "address": "192.0.2.1",
        "environment": "live", "at": "2027-01-01T00:00:00Z", "cost": 1,
    });
    let route = json!({"key_id": made.id, "method": "GET", "path": "/v1/contacts"});
    let copy = json!({"name": "x", "expires_at": "2030-01-01T00:00:00Z", "reason": "x", "secret_sha256": hash()});
    let rotation = json!({"overlap_seconds": 60, "secret_sha256": hash()});
    let settings = json!({"suspended": false, "outage_seconds": 60, "reason": "x"});
    for endpoint in [
        endpoint(&owner, "POST", "/api/v1/keys", whole_key(), fields::NEW_KEY, &["name", "environment", "scopes"]),
        endpoint(&seen, "PATCH", &key, patch, fields::PATCH, &[]),
        endpoint(&owner, "POST", &duplicate, copy, fields::COPY, &[]),
        endpoint(&owner, "POST", &rotate, rotation, fields::ROTATION, &["overlap_seconds"]),
        endpoint(&owner, "POST", "/api/v1/explain", case, fields::EXPLAIN, &["key_id"]),
        endpoint(&owner, "POST", "/api/v1/explain", route, fields::EXPLAIN_ROUTE, &["method", "path"]),
        endpoint(&workspace, "PATCH", "/api/v1/workspace", settings, fields::SETTINGS, &[]),
    ] {
        endpoint.walk();
        endpoint.walk_media();
    }
    assert_eq!(owner.get(&key).at("/version"), "1", "something was changed");
    assert!(list(&owner).iter().all(|key| key["name"] != "Never made"), "something was made");
}

#[test]
fn a_fault_in_a_set_up_or_a_sign_in_is_named_by_its_field() {
    let deployment = shared();
    let stranger = deployment.console();
    let setup = json!({"token": "x", "name": "x", "email": "x", "password": "x", "workspace": "x"});
    let sign_in = json!({"email": "nobody@example.com", "password": "x", "device": "x"});
    for (path, good, fields, required) in [
        ("/api/v1/setup", setup, fields::SETUP, &["token", "name", "email", "password", "workspace"][..]),
        ("/api/v1/session", sign_in, fields::SIGN_IN, &["email", "password"]),
    ] {
        let endpoint = Endpoint { caller: &stranger, method: "POST", path, good, fields, required };
        endpoint.walk();
        endpoint.walk_media();
    }
}

/// Returns a client of the edge that may verify keys.
fn service(deployment: &Deployment) -> ApiClient {
    deployment.service()
}

#[test]
fn a_fault_in_a_question_about_a_key_is_named_by_its_field() {
    let deployment = shared();
    let caller = service(deployment);
    let good = json!({"key": "x", "scopes": ["contacts:read"], "channel": "x", "address": "192.0.2.1", "cost": 1});
    let path = "/v1/verify";
    Endpoint { caller: &caller, method: "POST", path, good, fields: fields::VERIFY, required: &["key"] }.walk();
}

#[test]
fn a_fault_in_a_query_is_named_by_its_parameter_in_plain_words() {
    let deployment = shared();
    let owner = deployment.owner();
    let usage = format!("/api/v1/keys/{}/usage", make(&owner, "Asked wrongly", &["contacts:read"]).id);
    let endpoints: [(&str, &[Parameter]); 4] = [
        ("/api/v1/keys", fields::LIST),
        ("/api/v1/usage", fields::USAGE),
        (&usage, fields::USAGE),
        ("/api/v1/audit", fields::TRAIL),
    ];
    for (path, parameters) in endpoints {
        let refuses = |query: &str, field: &str| {
            let call = format!("{path}?{query}");
            expect_field(&owner.get(&call), &call, field);
        };
        for (name, values) in parameters {
            for value in *values {
                refuses(&format!("{name}={value}"), name);
            }
            refuses(&format!("{name}={0}&{name}={0}", values[0]), name);
        }
        refuses("colour=red", "colour");
        refuses("Limit=1", "Limit");
    }
}

#[test]
fn a_parameter_of_a_route_without_any_is_refused_by_name() {
    let deployment = shared();
    let owner = deployment.owner();
    let stranger = deployment.console();
    let made = make(&owner, "Asked with more", &["contacts:read"]);
    let key = format!("/api/v1/keys/{}", made.id);
    for (method, path) in [
        ("GET", "/api/v1/workspace"),
        ("GET", "/api/v1/master-secrets"),
        ("GET", "/api/v1/export"),
        ("GET", &key),
        ("PATCH", &key),
        ("DELETE", &key),
        ("POST", "/api/v1/keys"),
        ("POST", "/api/v1/explain"),
        ("POST", "/api/v1/import"),
    ] {
        let call = format!("{path}?dry_run=true");
        expect_field(&owner.json(method, &call, &json!({})), &call, "dry_run");
        stranger.json(method, &call, &json!({})).expect_problem(401, "not_signed_in");
    }
    for (method, path) in [("GET", "/api/v1/scopes"), ("POST", "/api/v1/session"), ("POST", "/api/v1/setup")] {
        let call = format!("{path}?colour=red");
        expect_field(&stranger.json(method, &call, &json!({})), &call, "colour");
    }
    assert_eq!(owner.get(&key).status, 200, "nothing was deleted");
    owner.get(&format!("{key}?")).expect_status(200);
}

#[test]
fn an_unknown_path_or_method_is_a_problem() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Asked in odd ways", &["contacts:read"]);
    for path in [
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/keys/",
        "/api/v1/keys/%FF",
        "/api/v1/keys/x",
        "/api/v1/keys/%00",
    ] {
        let answer = owner.get(path);
        expect_plain(&answer, path);
        answer.expect_problem(404, "not_found");
    }
    for (below, body) in [
        ("duplicate", json!({})),
        ("restore", json!({})),
        ("rotate", json!({"overlap_seconds": 0})),
        ("end-old-secrets", json!({})),
    ] {
        let path = format!("/api/v1/keys/%FF/{below}");
        let answer = owner.post(&path, &body);
        expect_plain(&answer, &path);
        answer.expect_problem(404, "not_found");
    }
    let key = format!("/api/v1/keys/{}", made.id);
    for path in [
        "setup",
        "session",
        "keys",
        "usage",
        "explain",
        "workspace",
        "master-secrets",
        "audit",
        "export",
        "import",
        "scopes",
    ] {
        let path = format!("/api/v1/{path}");
        let answer = owner.send("PUT", &path, "");
        expect_plain(&answer, &path);
        assert!(!answer.expect_problem(405, "method_not_allowed").header("allow").is_empty(), "{path}");
    }
    for tag in ["", "x", "\"x\"", "\"01\"", "\"+1\"", "\"1\", \"2\"", "*"] {
        for answer in [
            owner.with("If-Match", tag).json("PATCH", &key, &json!({"name": "x"})),
            owner.with("If-Match", tag).json("PATCH", "/api/v1/workspace", &json!({"outage_seconds": 0})),
        ] {
            expect_plain(&answer, tag);
            assert!([412, 428].contains(&answer.status), "{tag}: {}", answer.text);
        }
    }
    // A deletion ignores the version, so it is refused only where none or several are named.
    for tag in ["", "\"1\", \"2\"", "*"] {
        let answer = owner.with("If-Match", tag).send("DELETE", &key, "");
        expect_plain(&answer, tag);
        assert_eq!(answer.status, 428, "{tag}: {}", answer.text);
    }
    let copy = format!("{key}/duplicate");
    for name in ["", " ", "\u{e9}", &"x".repeat(300)] {
        let answer = owner.with("Idempotency-Key", name).post(&copy, &json!({}));
        expect_plain(&answer, name);
        answer.expect_problem(400, "invalid_idempotency_key");
    }
    for path in ["/v1", "/v1/nothing", "/v1/%FF", "/v1/contacts/%2F"] {
        expect_plain(&deployment.edge().get(path), path);
    }
}
