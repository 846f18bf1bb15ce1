//! Responses: status, headers and body of a decision, "rate limited" (429) included. The wording of
//! problems and denials is the domain's, in `problem` and `verdict`.
//!
//! A [`Response`] is a value. The entry makes the platform's response of its encoding.

use crate::key_check::Decision;
use ownchat_domain::{
    credential,
    failure::FieldError,
    json::BodyError,
    meter::{LimitState, Remaining},
    problem::{self, Problem, ProblemKind},
    record::Record,
    scope::ScopeSet,
    time::whole_seconds,
    verdict::{Code, Denial},
};

/// Headers of every response, including those of a service.
pub const COMMON_HEADERS: &[(&str, &str)] = &[
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "*"),
];

/// The kind of a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// No body.
    Empty,
    /// JSON.
    Json,
    /// A problem (RFC 9457).
    Problem,
    /// No response yet: the request is forwarded. The text is that of [`forwarding`].
    Forward,
}

impl BodyKind {
    /// Kinds of body that a caller receives.
    pub const OF_RESPONSES: [Self; 3] = [Self::Empty, Self::Json, Self::Problem];

    /// Returns its letter in [`Response::encode`].
    pub const fn letter(self) -> char {
        match self {
            Self::Empty => '-',
            Self::Json => 'j',
            Self::Problem => 'p',
            Self::Forward => 'o',
        }
    }

    /// Returns its media type, if the caller receives a body.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("application/json"),
            Self::Problem => Some(problem::MEDIA_TYPE),
            Self::Empty | Self::Forward => None,
        }
    }
}

/// Parameter of `RateLimit-Policy`: the requests that pass in every window at least, however many
/// isolates serve the key. The draft leaves vendor-specific names to the vendor.
const GUARANTEED: &str = "ownchat-guaranteed";

/// A header of a response.
pub type Header = (&'static str, String);

/// A response.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// Its status, three digits.
    pub status: u16,
    /// The kind of its body.
    pub kind: BodyKind,
    /// Its headers besides [`COMMON_HEADERS`].
    pub headers: Vec<Header>,
    /// Its body; empty for none.
    pub body: String,
}

impl Response {
    /// Encodes the response for the entry. The first line holds `has_deferred` as one digit, the
    /// letter of the body kind, and the status. Then come a line `name:value` for each header, an
    /// empty line, and the body.
    pub fn encode(&self, has_deferred: bool) -> String {
        let mut text = String::with_capacity(160 + self.body.len());
        text.push(if has_deferred { '1' } else { '0' });
        text.push(self.kind.letter());
        text.push_str(&self.status.to_string());
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

/// Encodes a forwarded request for the entry: URL, signed principal, and the number of the request.
pub fn forwarding(url: &str, principal: &str, number: u32) -> String {
    format!("{url}\n{principal}\n{number}")
}

/// Makes the responses to one request.
#[derive(Clone, Copy, Debug)]
pub struct Responder<'a> {
    /// Origin of the console, whose pages explain the problems.
    pub console: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
}

impl Responder<'_> {
    /// Responds 200 with a body that is JSON.
    pub fn ok(&self, body: String) -> Response {
        Response { status: 200, kind: BodyKind::Json, headers: Vec::new(), body }
    }

    /// Responds to a CORS preflight (`OPTIONS`, Fetch standard).
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

    /// Makes the entry forward the request; the caller has no response yet.
    pub fn forward(&self, to: String) -> Response {
        Response { status: 200, kind: BodyKind::Forward, headers: Vec::new(), body: to }
    }

    /// Responds with a problem.
    pub fn problem(&self, kind: &ProblemKind, detail: &str) -> Response {
        problem_response(&kind.problem(self.console, detail, self.request_id))
    }

    /// Refuses a request with a key in a header.
    pub fn denied(&self, denial: &Denial) -> Response {
        let kind = ProblemKind::of(denial.code());
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

    /// Refuses a caller without a credential, or with an unknown one.
    pub fn unauthenticated(&self, kind: &ProblemKind, detail: &str, code: Code) -> Response {
        let challenge = credential::challenge(code, ScopeSet::EMPTY);
        self.problem(kind, detail).with_headers(challenge.map(|challenge| ("WWW-Authenticate", challenge)))
    }

    /// Refuses a request with more than one key (RFC 6750, section 3.1).
    pub fn ambiguous(&self, detail: &str) -> Response {
        self.problem(&problem::AMBIGUOUS_KEY, detail)
            .with_headers([("WWW-Authenticate", credential::ambiguous_challenge())])
    }

    /// Responds 405 with the allowed methods.
    pub fn method_not_allowed(&self, allowed: &[&str]) -> Response {
        let allowed = allowed.join(", ");
        self.problem(&problem::METHOD_NOT_ALLOWED, &format!("This address takes {allowed}."))
            .with_headers([("Allow", allowed)])
    }

    /// Refuses a body that cannot be parsed.
    pub fn invalid_body(&self, error: BodyError) -> Response {
        match error {
            BodyError::Unreadable(detail) => self.problem(&problem::INVALID_JSON, &detail),
            BodyError::Field(error) => self.invalid_field(error),
        }
    }

    /// Refuses one field of a body.
    pub fn invalid_field(&self, error: FieldError) -> Response {
        let kind = &problem::VALIDATION_FAILED;
        let mut body = kind.problem(self.console, format!("{}: {}", error.field, error.message), self.request_id);
        body.errors.push(error);
        problem_response(&body)
    }
}

/// Returns the rate limit headers of a limited key, whatever the verdict (IETF draft "`RateLimit`
/// header fields for HTTP"). They hold its policies and, where known, the remaining permits.
pub fn limit_headers(decision: &Decision) -> Vec<Header> {
    match &decision.record {
        Some(record) if !record.limits.is_empty() => headers_of_limits(record, decision.standing),
        _ => Vec::new(),
    }
}

fn headers_of_limits(record: &Record, standing: LimitState) -> Vec<Header> {
    let (mut policies, mut states) = (String::new(), String::new());
    let mut add_limit = |name: &str, limit: u32, window: i64, more: String, standing: Option<Remaining>| {
        push_item(&mut policies, &format!("\"{name}\";q={limit};w={window}{more}"));
        if let Some(Remaining { permits, refills_in }) = standing {
            push_item(&mut states, &format!("\"{name}\";r={permits};t={}", whole_seconds(refills_in)));
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

fn problem_response(problem: &Problem) -> Response {
    // Strings, numbers and lists of them always serialize.
    let body = serde_json::to_string(problem).unwrap_or_default();
    Response { status: problem.status, kind: BodyKind::Problem, headers: Vec::new(), body }
}

/// Returns the `WWW-Authenticate` challenge of a denial.
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
    fn response_is_encoded_as_one_text() {
        let id = "0123456789abcdef0123456789abcdef";
        let responder = Responder { console: "https://console", request_id: id };
        let response =
            responder.ok("[\"ä\"]".to_owned()).with_headers([("RateLimit", "\"default\";r=1;t=2".to_owned())]);
        assert_eq!(response.encode(true), "1j200\nRateLimit:\"default\";r=1;t=2\n\n[\"ä\"]");
        assert_eq!(responder.ok("1".to_owned()).encode(false), "0j200\n\n1");
        assert!(responder.preflight().encode(false).starts_with("0-204\n"));
    }
}
