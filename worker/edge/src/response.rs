//! Answers: the one place where statuses, headers and public texts are chosen.
//!
//! An [`Answer`] is a value. The entry makes the platform's response of its text.

use crate::{check::Decision, describe::whole_seconds};
use ownchat_domain::{
    credential,
    failure::FieldError,
    json::BodyError,
    meter::Standing,
    problem::{self, Kind, Problem},
    record::Record,
    scope::ScopeSet,
    verdict::{Code, Denial},
};
use serde::Serialize;

/// What every answer carries, also one that came from a service.
pub const COMMON_HEADERS: &[(&str, &str)] = &[
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "*"),
];

/// What kind of body an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// None.
    Empty,
    /// JSON.
    Json,
    /// A problem (RFC 9457).
    Problem,
    /// Not the caller's: where the call goes on to, and on the next line who is calling.
    Forward,
}

impl BodyKind {
    /// Those of answers.
    pub const OF_RESPONSES: [Self; 3] = [Self::Empty, Self::Json, Self::Problem];

    /// Its letter in [`Answer::text`].
    pub const fn letter(self) -> char {
        match self {
            Self::Empty => '-',
            Self::Json => 'j',
            Self::Problem => 'p',
            Self::Forward => 'o',
        }
    }

    /// Its media type, if it has a body for the caller.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("application/json"),
            Self::Problem => Some(problem::MEDIA_TYPE),
            Self::Empty | Self::Forward => None,
        }
    }
}

/// The parameter of `RateLimit-Policy` with the calls that pass in every window at least, however
/// many places serve the key. The draft leaves names of a vendor to the vendor.
const GUARANTEED: &str = "ownchat-guaranteed";

/// The header that names the call.
pub const REQUEST_ID_HEADER: &str = "Request-Id";

/// A header of an answer.
pub type Header = (&'static str, String);

/// What a call is answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, three digits.
    pub status: u16,
    /// What its body is.
    pub kind: BodyKind,
    /// Headers besides those that every answer carries.
    pub headers: Vec<Header>,
    /// The body; empty for none.
    pub body: String,
}

impl Response {
    /// Its text for the entry: `chores` as one digit, the letter of the media type, the status, the number under which the
    /// answer is to be kept, if it is; then a line for each header, `name:value`, and an empty one; then the body. `chores`
    /// says whether work is left for later.
    pub fn encode(&self, has_deferred: bool, slot: Option<u32>) -> String {
        let mut text = String::with_capacity(160 + self.body.len());
        text.push(if has_deferred { '1' } else { '0' });
        text.push(self.kind.letter());
        text.push_str(&self.status.to_string());
        text.extend(slot.map(|number| number.to_string()));
        text.push('\n');
        for (name, value) in &self.headers {
            text.push_str(name);
            text.push(':');
            text.push_str(value);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.body);
        text
    }

    /// Adds headers.
    #[must_use]
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = Header>) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// What every answer of one call needs.
#[derive(Clone, Copy, Debug)]
pub struct Responder<'a> {
    /// Origin of the console, whose pages explain the problems.
    pub console: &'a str,
    /// Id of the call.
    pub request_id: &'a str,
}

impl Responder<'_> {
    /// 200 with a JSON body.
    pub fn ok(&self, body: &impl Serialize) -> Response {
        json_response(200, BodyKind::Json, body)
    }

    /// What `OPTIONS` gets, for browsers that ask before they call (Fetch standard, CORS preflight).
    pub fn preflight(&self) -> Response {
        let headers = [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
            // The wildcard covers every name but this one (Fetch standard, section 4.9).
            ("Access-Control-Allow-Headers", "*, Authorization"),
            ("Access-Control-Max-Age", "86400"),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Response { status: 204, kind: BodyKind::Empty, headers, body: String::new() }
    }

    /// Not an answer yet: the call goes on.
    pub fn forward(&self, to: String) -> Response {
        Response { status: 200, kind: BodyKind::Forward, headers: Vec::new(), body: to }
    }

    /// A problem of a kind.
    pub fn problem(&self, kind: &Kind, detail: &str) -> Response {
        problem_response(&kind.problem(self.console, detail, self.request_id))
    }

    /// The refusal of a call that carried a key in a header.
    pub fn denied(&self, denial: &Denial) -> Response {
        let kind = Kind::of(denial.code());
        let mut body = kind.problem(self.console, denial.detail(), self.request_id);
        if let Denial::ScopeMissing { required, granted } = denial {
            body.required = required.names();
            body.granted = Some(granted.names());
            body.missing = granted.missing(*required).names();
        }
        body.violated = match denial {
            Denial::RateLimited { .. } | Denial::TooCostly { by_quota: false, .. } => vec!["rate_limit".to_owned()],
            Denial::QuotaExceeded { .. } | Denial::TooCostly { .. } => vec!["quota".to_owned()],
            _ => Vec::new(),
        };
        problem_response(&body)
            .with_headers(challenge(denial).map(|challenge| ("WWW-Authenticate", challenge)))
            .with_headers(denial.retry_after().map(|seconds| ("Retry-After", seconds.to_string())))
    }

    /// The refusal of a caller that does not say who it is, or whom nobody knows.
    pub fn unauthenticated(&self, kind: &Kind, code: Code) -> Response {
        let challenge = credential::challenge(code, ScopeSet::EMPTY);
        self.problem(kind, kind.meaning).with_headers(challenge.map(|challenge| ("WWW-Authenticate", challenge)))
    }

    /// The refusal of a call with more than one key (RFC 6750, section 3.1).
    pub fn ambiguous(&self) -> Response {
        let kind = &problem::AMBIGUOUS_KEY;
        self.problem(kind, kind.meaning).with_headers([("WWW-Authenticate", credential::ambiguous_challenge())])
    }

    /// 405, with the methods that are possible.
    pub fn method_not_allowed(&self, allowed: &[&str]) -> Response {
        let allowed = allowed.join(", ");
        self.problem(&problem::METHOD_NOT_ALLOWED, &format!("This address takes {allowed}."))
            .with_headers([("Allow", allowed)])
    }

    /// What is wrong with a body.
    pub fn invalid_body(&self, error: BodyError) -> Response {
        match error {
            BodyError::Unreadable(detail) => self.problem(&problem::INVALID_JSON, &detail),
            BodyError::Field(error) => self.invalid_field(error),
        }
    }

    /// One field that cannot be accepted.
    pub fn invalid_field(&self, error: FieldError) -> Response {
        let kind = &problem::VALIDATION_FAILED;
        let mut body = kind.problem(self.console, format!("{}: {}", error.field, error.message), self.request_id);
        body.errors.push(error);
        problem_response(&body)
    }
}

/// Tells a limited key what is allowed and, where that is known, what is left, whatever the verdict (IETF draft "`RateLimit` header fields for HTTP").
pub fn limit_headers(decision: &Decision) -> Vec<Header> {
    match &decision.record {
        Some(record) if !record.limits.is_empty() => headers_of_limits(record, decision.standing),
        _ => Vec::new(),
    }
}

fn headers_of_limits(record: &Record, standing: Standing) -> Vec<Header> {
    let (mut policies, mut states) = (String::new(), String::new());
    let mut add_limit = |name: &str, limit: u32, window: i64, more: String, standing: Option<(u32, i64)>| {
        push_item(&mut policies, &format!("\"{name}\";q={limit};w={window}{more}"));
        if let Some((left, wait)) = standing {
            push_item(&mut states, &format!("\"{name}\";r={left};t={}", whole_seconds(wait)));
        }
    };
    if let Some(rate) = record.limits.rate {
        let least = format!(";{GUARANTEED}={}", rate.guaranteed());
        add_limit("default", rate.limit, i64::from(rate.window_seconds), least, standing.rate);
    }
    if let Some(quota) = record.limits.quota {
        add_limit("quota", quota.limit, quota.period.seconds(), String::new(), standing.quota);
    }
    let headers = [("RateLimit-Policy", policies), ("RateLimit", states)];
    headers.into_iter().filter(|(_, items)| !items.is_empty()).collect()
}

/// Adds an item to a list of structured fields (RFC 9651, section 3.1).
fn push_item(items: &mut String, item: &str) {
    if !items.is_empty() {
        items.push_str(", ");
    }
    items.push_str(item);
}

fn problem_response(body: &Problem) -> Response {
    json_response(body.status, BodyKind::Problem, body)
}

fn json_response(status: u16, kind: BodyKind, body: &impl Serialize) -> Response {
    // Texts, numbers and lists of them: there is nothing in a body that cannot be written.
    let body = serde_json::to_string(body).unwrap_or_default();
    Response { status, kind, headers: Vec::new(), body }
}

/// What a refusal says of the key in its header.
fn challenge(denial: &Denial) -> Option<String> {
    let required = match denial {
        Denial::ScopeMissing { required, .. } => *required,
        _ => ScopeSet::EMPTY,
    };
    credential::challenge(denial.code(), required)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_gets_one_text() {
        let id = "0123456789abcdef0123456789abcdef";
        let responder = Responder { console: "https://console", request_id: id };
        let response = responder.ok(&["ä"]).with_headers([("RateLimit", "\"default\";r=1;t=2".to_owned())]);
        assert_eq!(response.encode(true, None), "1j200\nRateLimit:\"default\";r=1;t=2\n\n[\"ä\"]");
        assert_eq!(responder.ok(&1).encode(false, Some(12)), "0j20012\n\n1");
        assert!(responder.preflight().encode(false, None).starts_with("0-204\n"));
    }
}
