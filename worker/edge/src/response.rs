//! Answers: the one place where statuses, headers and public texts are chosen.
//!
//! An [`Answer`] is a value. The entry makes the platform's response of its text.

use crate::{check::Decision, describe::seconds};
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
pub const COMMON: &[(&str, &str)] = &[
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
pub enum Media {
    /// None.
    None,
    /// JSON.
    Json,
    /// A problem (RFC 9457).
    Problem,
    /// Not the caller's: where the call goes on to, and on the next line who is calling.
    Onward,
}

impl Media {
    /// Those of answers.
    pub const OF_ANSWERS: [Self; 3] = [Self::None, Self::Json, Self::Problem];

    /// Its letter in [`Answer::text`].
    pub const fn letter(self) -> char {
        match self {
            Self::None => '-',
            Self::Json => 'j',
            Self::Problem => 'p',
            Self::Onward => 'o',
        }
    }

    /// Its media type, if it has a body for the caller.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("application/json"),
            Self::Problem => Some(problem::MEDIA_TYPE),
            Self::None | Self::Onward => None,
        }
    }
}

/// The parameter of `RateLimit-Policy` with the calls that pass in every window at least, however
/// many places serve the key. The draft leaves names of a vendor to the vendor.
const GUARANTEED: &str = "ownchat-guaranteed";

/// The header that names the call.
pub const REQUEST_ID: &str = "Request-Id";

/// A header of an answer.
pub type Header = (&'static str, String);

/// What a call is answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, three digits.
    pub status: u16,
    /// What its body is.
    pub media: Media,
    /// Headers besides those that every answer carries.
    pub headers: Vec<Header>,
    /// The body; empty for none.
    pub body: String,
}

impl Answer {
    /// Its text for the entry: `chores` as one digit, the letter of the media type, the status, the number under which the
    /// answer is to be kept, if it is; then a line for each header, `name:value`, and an empty one; then the body. `chores`
    /// says whether work is left for later.
    pub fn text(&self, tasks: bool, keep: Option<u32>) -> String {
        let mut text = String::with_capacity(160 + self.body.len());
        text.push(if tasks { '1' } else { '0' });
        text.push(self.media.letter());
        text.push_str(&self.status.to_string());
        text.extend(keep.map(|number| number.to_string()));
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
    pub fn with(mut self, headers: impl IntoIterator<Item = Header>) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// What every answer of one call needs.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// Origin of the console, whose pages explain the problems.
    pub console: &'a str,
    /// Id of the call.
    pub request_id: &'a str,
}

impl Answers<'_> {
    /// 200 with a JSON body.
    pub fn ok(&self, body: &impl Serialize) -> Answer {
        json(200, Media::Json, body)
    }

    /// What `OPTIONS` gets, for browsers that ask before they call (Fetch standard, CORS preflight).
    pub fn preflight(&self) -> Answer {
        let headers = [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
            // The wildcard covers every name but this one (Fetch standard, section 4.9).
            ("Access-Control-Allow-Headers", "*, Authorization"),
            ("Access-Control-Max-Age", "86400"),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Answer { status: 204, media: Media::None, headers, body: String::new() }
    }

    /// Not an answer yet: the call goes on.
    pub fn onward(&self, to: String) -> Answer {
        Answer { status: 200, media: Media::Onward, headers: Vec::new(), body: to }
    }

    /// A problem of a kind.
    pub fn problem(&self, kind: &Kind, detail: &str) -> Answer {
        write(&kind.problem(self.console, detail, self.request_id))
    }

    /// The refusal of a call that carried a key in a header.
    pub fn denied(&self, denial: &Denial) -> Answer {
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
        write(&body)
            .with(challenge(denial).map(|challenge| ("WWW-Authenticate", challenge)))
            .with(denial.retry_after().map(|seconds| ("Retry-After", seconds.to_string())))
    }

    /// The refusal of a caller that does not say who it is, or whom nobody knows.
    pub fn unknown_caller(&self, kind: &Kind, code: Code) -> Answer {
        let challenge = credential::challenge(code, ScopeSet::EMPTY);
        self.problem(kind, kind.meaning).with(challenge.map(|challenge| ("WWW-Authenticate", challenge)))
    }

    /// The refusal of a call with more than one key (RFC 6750, section 3.1).
    pub fn ambiguous(&self) -> Answer {
        let kind = &problem::AMBIGUOUS_KEY;
        self.problem(kind, kind.meaning).with([("WWW-Authenticate", credential::ambiguous_challenge())])
    }

    /// 405, with the methods that are possible.
    pub fn method_not_allowed(&self, allowed: &[&str]) -> Answer {
        let allowed = allowed.join(", ");
        self.problem(&problem::METHOD_NOT_ALLOWED, &format!("This address takes {allowed}.")).with([("Allow", allowed)])
    }

    /// What is wrong with a body.
    pub fn bad_body(&self, error: BodyError) -> Answer {
        match error {
            BodyError::Unreadable(detail) => self.problem(&problem::INVALID_JSON, &detail),
            BodyError::Field(error) => self.bad_field(error),
        }
    }

    /// One field that cannot be accepted.
    pub fn bad_field(&self, error: FieldError) -> Answer {
        let kind = &problem::VALIDATION_FAILED;
        let mut body = kind.problem(self.console, format!("{}: {}", error.field, error.message), self.request_id);
        body.errors.push(error);
        write(&body)
    }
}

/// Tells a limited key what is allowed and, where that is known, what is left, whatever the verdict (IETF draft "`RateLimit` header fields for HTTP").
pub fn limits(decision: &Decision) -> Vec<Header> {
    match &decision.record {
        Some(record) if !record.limits.is_empty() => limits_of(record, decision.standing),
        _ => Vec::new(),
    }
}

fn limits_of(record: &Record, standing: Standing) -> Vec<Header> {
    let (mut policies, mut states) = (String::new(), String::new());
    let mut tell = |name: &str, limit: u32, window: i64, more: String, standing: Option<(u32, i64)>| {
        add(&mut policies, &format!("\"{name}\";q={limit};w={window}{more}"));
        if let Some((left, wait)) = standing {
            add(&mut states, &format!("\"{name}\";r={left};t={}", seconds(wait)));
        }
    };
    if let Some(rate) = record.limits.rate {
        let least = format!(";{GUARANTEED}={}", rate.guaranteed());
        tell("default", rate.limit, i64::from(rate.window_seconds), least, standing.rate);
    }
    if let Some(quota) = record.limits.quota {
        tell("quota", quota.limit, quota.period.seconds(), String::new(), standing.quota);
    }
    let headers = [("RateLimit-Policy", policies), ("RateLimit", states)];
    headers.into_iter().filter(|(_, items)| !items.is_empty()).collect()
}

/// Adds an item to a list of structured fields (RFC 9651, section 3.1).
fn add(items: &mut String, item: &str) {
    if !items.is_empty() {
        items.push_str(", ");
    }
    items.push_str(item);
}

fn write(body: &Problem) -> Answer {
    json(body.status, Media::Problem, body)
}

fn json(status: u16, media: Media, body: &impl Serialize) -> Answer {
    // Texts, numbers and lists of them: there is nothing in a body that cannot be written.
    let body = serde_json::to_string(body).unwrap_or_default();
    Answer { status, media, headers: Vec::new(), body }
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
        let answers = Answers { console: "https://console", request_id: id };
        let answer = answers.ok(&["ä"]).with([("RateLimit", "\"default\";r=1;t=2".to_owned())]);
        assert_eq!(answer.text(true, None), "1j200\nRateLimit:\"default\";r=1;t=2\n\n[\"ä\"]");
        assert_eq!(answers.ok(&1).text(false, Some(12)), "0j20012\n\n1");
        assert!(answers.preflight().text(false, None).starts_with("0-204\n"));
    }
}
