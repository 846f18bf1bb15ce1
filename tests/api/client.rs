//! HTTP client of the tests. It checks the common rules on every response.

use ownchat_domain::time::Timestamp;
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{HeaderMap, Request, Response},
};

/// The owner of the test workspace.
pub const OWNER: Account = Account { email: "ada@example.com", password: "correct horse battery staple" };

/// The credentials of an account.
pub struct Account {
    pub email: &'static str,
    pub password: &'static str,
}

/// Name of the session cookie.
const COOKIE: &str = "__Host-ownchat-session";

/// An HTTP client of one origin.
#[derive(Clone)]
pub struct ApiClient {
    pub origin: String,
    /// Value of the session cookie.
    pub session: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
    /// True for the edge and the console, whose responses all follow common rules.
    pub is_ours: bool,
    agent: Agent,
}

impl ApiClient {
    /// Creates a client that sends the origin's own `Origin`, as its pages do, and nothing else.
    pub fn new(origin: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .build();
        let headers = vec![("Origin", origin.clone())];
        Self { origin, session: None, headers, is_ours: true, agent: config.new_agent() }
    }

    /// Returns this client with a session cookie.
    pub fn in_session(mut self, session: Option<String>) -> Self {
        self.session = session;
        self
    }

    /// Returns a copy of this client with one more header.
    pub fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.into()));
        client
    }

    /// Returns a copy of this client with `Authorization: Bearer`.
    pub fn bearing(&self, key: &str) -> Self {
        self.with("Authorization", format!("Bearer {key}"))
    }

    /// Returns a copy of this client without a header.
    pub fn without(&self, name: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(sent, _)| *sent != name);
        client
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body)
    }

    /// Sends a request with a JSON body.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.with("Content-Type", "application/json").send(method, path, body.to_string())
    }

    /// Submits a form as a browser does.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.with("Content-Type", "application/x-www-form-urlencoded").send("POST", path, &body)
    }

    /// Sends a request with any body.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send_once(method, path, body).unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    /// Sends a request with any body. Returns `None` if the connection ends without a response.
    pub fn send_once(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.origin));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(session) = &self.session {
            request = request.header("Cookie", format!("{COOKIE}={session}"));
        }
        let request = request.body(body.as_ref().to_vec()).unwrap();
        let response = self.agent.run(request).ok()?;
        let answer = Answer::read(format!("{method} {path}"), response);
        if self.is_ours {
            answer.keeps_the_rules();
        }
        Some(answer)
    }
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    call: String,
    pub status: u16,
    headers: HeaderMap,
    pub text: String,
}

impl Answer {
    fn read(call: String, response: Response<Body>) -> Self {
        let (parts, mut body) = response.into_parts();
        let text = body.read_to_string().unwrap();
        Self { call, status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// Asserts the rules for every response of the edge and the console.
    fn keeps_the_rules(&self) {
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{}", self.call);
        // The platform itself serves static files.
        let is_static = |path: &&str| self.call.strip_prefix("GET ").is_some_and(|called| called.starts_with(*path));
        if !["/assets/", "/docs", "/favicon", "/llms.txt"].iter().any(is_static) {
            assert!(!self.header("request-id").is_empty(), "{} has no id", self.call);
            assert_eq!(self.header("cache-control"), "no-store", "{}", self.call);
        }
        if self.header("content-type") == "application/json" && !self.text.is_empty() {
            self.expect_times_of_one_shape(&self.json());
        }
    }

    /// Asserts that all times have milliseconds and `Z`.
    fn expect_times_of_one_shape(&self, value: &Value) {
        match value {
            Value::String(text) if Timestamp::parse(text).is_some() => {
                assert!(text.len() == 24 && text.ends_with('Z'), "{}: {text}", self.call);
            }
            Value::Array(values) => values.iter().for_each(|value| self.expect_times_of_one_shape(value)),
            Value::Object(fields) => fields.values().for_each(|value| self.expect_times_of_one_shape(value)),
            _ => {}
        }
    }

    /// Returns the value of a header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns `Effective-At`: the time from which the change applies everywhere.
    #[track_caller]
    pub fn effective_at(&self) -> Timestamp {
        let text = self.header("effective-at");
        self.expect_times_of_one_shape(&text.into());
        Timestamp::parse(text).unwrap_or_else(|| panic!("{}: no Effective-At", self.call))
    }

    /// Parses the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}: {}", self.call, self.text))
    }

    /// Returns a value of the JSON body as text, by its JSON pointer (RFC 6901).
    pub fn at(&self, pointer: &str) -> String {
        let body = self.json();
        let value = body.pointer(pointer).unwrap_or_else(|| panic!("{}: no {pointer} in {body}", self.call));
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}: {}", self.call, self.text);
        self
    }

    /// Asserts a complete problem (RFC 9457) with this status and code, about this very request.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> &Self {
        self.expect_status(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.call);
        assert_eq!(self.at("/code"), code, "{}: {}", self.call, self.text);
        assert_eq!(self.at("/status"), status.to_string(), "{}", self.call);
        assert_eq!(self.at("/instance"), self.header("request-id"), "{}", self.call);
        assert!(self.at("/type").ends_with(&format!("/docs/errors#{code}")), "{}", self.at("/type"));
        assert!(self.at("/title").len() > 5 && self.at("/detail").len() > 5, "{}", self.text);
        self
    }

    /// Asserts a validation error that names exactly these fields.
    #[track_caller]
    pub fn expect_fields(&self, fields: &[&str]) -> &Self {
        self.expect_problem(422, "validation_failed");
        let body = self.json();
        let errors = body.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
        let named: Vec<_> = errors.iter().filter_map(|error| error.get("field").and_then(Value::as_str)).collect();
        assert_eq!(named, fields, "{}: {body}", self.call);
        self
    }

    /// Returns the session that the response starts; empty if it ends one.
    pub fn session(&self) -> Option<String> {
        self.cookie(COOKIE)
    }

    /// Returns the device token that the response sets.
    pub fn device(&self) -> Option<String> {
        self.cookie("__Host-ownchat-device")
    }

    /// Returns the flash message that the response sets; empty if it clears one.
    pub fn flash(&self) -> Option<String> {
        self.cookie("__Host-ownchat-flash")
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let mut cookies = self.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let value = cookies.find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.split(';').next()?.to_owned())
    }
}
