//! The gateway: forwards an authorized request to the Ownchat services, without its key and with a
//! signed principal. The scripts in `gateway/` carry bodies and headers; the rules stand here.

use crate::response::{Answer, Answers};
use ownchat_domain::{
    credential,
    principal::{self, Principal},
    problem::{self, Kind},
    record::Record,
    time::{HOUR, SECOND, Timestamp},
};
use serde::Serialize;

/// Headers of one connection (RFC 9110, section 7.6.1). They pass in neither direction.
const OF_ONE_CONNECTION: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that tell a service who calls, from where, and for which host. Only the platform and the
/// edge may.
const IDENTITY: &[&str] = &[
    "client-ip",
    "cookie",
    "fastly-client-ip",
    "forwarded",
    "host",
    "proxy-client-ip",
    "remote-addr",
    "remote-user",
    "request-id",
    "true-client-ip",
    "wl-proxy-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-original-forwarded-for",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-remote-user",
    principal::HEADER,
];

/// Headers that make some servers see another method or URL than the one that was checked.
const OTHER_REQUEST: &[&str] =
    &["x-method-override", "x-override-url", "x-request-uri", "x-script-name", "x-url-scheme"];

/// Beginnings of the names of headers that pass from no caller.
const FROM_NO_CALLER: &[&str] =
    &["cf-", "ownchat-", "x-envoy-", "x-forwarded", "x-http-method", "x-original-", "x-rewrite-"];

/// Headers of a service that would speak for the edge, or tell what stands behind it.
const OF_THE_SERVICE: &[&str] = &[
    "alt-svc",
    "clear-site-data",
    "nel",
    "proxy-status",
    "report-to",
    "reporting-endpoints",
    "request-id",
    "server",
    "set-cookie",
    "set-cookie2",
    "via",
    "www-authenticate",
    "x-powered-by",
    principal::HEADER,
];

/// Beginnings of the names of headers that pass from no service.
const FROM_NO_SERVICE: &[&str] =
    &["access-control-", "cf-", "ownchat-", "ratelimit", "x-aspnet", "x-envoy-", "x-forwarded", "x-ratelimit"];

/// Headers by their names in lower case, with `-` for all but letters and digits, and by beginnings
/// of names.
#[derive(Debug, Serialize)]
pub struct Hidden {
    names: Vec<&'static str>,
    beginnings: &'static [&'static str],
}

impl Hidden {
    /// Those that no caller can send to a service.
    pub fn from_caller() -> Self {
        let names = [&credential::HEADERS, OF_ONE_CONNECTION, IDENTITY, OTHER_REQUEST].concat();
        Self { names, beginnings: FROM_NO_CALLER }
    }

    /// Those that no service can send to a caller.
    pub fn from_service() -> Self {
        let names = [&credential::HEADERS, OF_ONE_CONNECTION, OF_THE_SERVICE].concat();
        Self { names, beginnings: FROM_NO_SERVICE }
    }
}

/// How long each step of a forwarded request may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Until a connection to the service is open.
    pub connect: i64,
    /// From the last byte of the request to the first of the response.
    pub first_byte: i64,
    /// Between two pieces of a body, to and from the service.
    pub idle: i64,
    /// Between two pieces of the body that the caller sends.
    pub caller: i64,
}

impl Limits {
    /// Unless the deployment says otherwise.
    pub const DEFAULT: Self =
        Self { connect: 5 * SECOND, first_byte: 30 * SECOND, idle: 60 * SECOND, caller: 30 * SECOND };

    /// Reads those that the deployment sets, each a number of milliseconds up to an hour.
    ///
    /// # Errors
    ///
    /// Fails with the name of a variable that is no such number.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let millis = |name: &str, default: i64| match variable(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(millis @ 1..=HOUR) => Ok(millis),
                _ => Err(format!("{name} is not a number of milliseconds from 1 to {HOUR}")),
            },
        };
        let Self { connect, first_byte, idle, caller } = Self::DEFAULT;
        Ok(Self {
            connect: millis("UPSTREAM_CONNECT_MS", connect)?,
            first_byte: millis("UPSTREAM_FIRST_BYTE_MS", first_byte)?,
            idle: millis("UPSTREAM_IDLE_MS", idle)?,
            caller: millis("REQUEST_IDLE_MS", caller)?,
        })
    }
}

/// Why a request was not forwarded or its response not passed on.
#[derive(Debug)]
struct Failure {
    kind: &'static Kind,
    /// The error of `Proxy-Status` (RFC 9209, section 2.3).
    error: &'static str,
    /// True if the same request may succeed in a moment.
    passes: bool,
    /// True if the service may have seen the request.
    reached: bool,
}

const FAILURES: &[Failure] = &[
    Failure { kind: &problem::UPSTREAM_UNAVAILABLE, error: "destination_unavailable", passes: true, reached: false },
    Failure { kind: &problem::UPSTREAM_CONNECT_TIMEOUT, error: "connection_timeout", passes: true, reached: false },
    Failure { kind: &problem::UPSTREAM_TIMEOUT, error: "http_response_timeout", passes: true, reached: true },
    Failure { kind: &problem::UPSTREAM_IDLE_TIMEOUT, error: "connection_write_timeout", passes: true, reached: true },
    Failure { kind: &problem::UPSTREAM_INVALID, error: "http_protocol_error", passes: false, reached: true },
    Failure { kind: &problem::UPSTREAM_REDIRECT, error: "http_protocol_error", passes: false, reached: true },
    Failure { kind: &problem::REQUEST_TIMEOUT, error: "http_request_error", passes: false, reached: true },
    Failure { kind: &problem::UPGRADE_UNSUPPORTED, error: "http_upgrade_failed", passes: false, reached: false },
];

/// Returns true if the service may have seen a request whose forwarding failed with this code.
pub fn reached(code: &str) -> bool {
    FAILURES.iter().find(|failure| failure.kind.code == code).is_none_or(|failure| failure.reached)
}

/// Seconds after which it is worth trying again.
const RETRY_AFTER: u32 = 5;

/// The name of the edge in `Proxy-Status` (RFC 9209, section 2).
const PROXY: &str = "ownchat-edge";

/// The answer to a request whose forwarding failed with this code.
pub fn failed(answers: &Answers<'_>, code: &str) -> Answer {
    let failure = FAILURES.iter().find(|failure| failure.kind.code == code);
    let Some(Failure { kind, error, passes, .. }) = failure else {
        return answers.problem(&problem::INTERNAL, problem::INTERNAL.meaning);
    };
    answers
        .problem(kind, kind.meaning)
        .with([("Proxy-Status", format!("{PROXY}; error={error}"))])
        .with(passes.then(|| ("Retry-After", RETRY_AFTER.to_string())))
}

/// `Proxy-Status` of a response that came from the service, without its status: so a caller can
/// tell the service's own 401, 429 or 503 from the edge's.
pub fn received() -> String {
    format!("{PROXY}; received-status=")
}

/// Signs for the services which key makes the request.
pub fn sign(record: &Record, method: &str, path: &str, request_id: &str, key: &[u8], now: Timestamp) -> String {
    Principal {
        key_id: record.locator.to_string(),
        workspace: record.workspace.number,
        environment: record.environment,
        scopes: record.scopes,
        channels: record.channels.clone(),
        method: method.to_owned(),
        path: path.to_owned(),
        request_id: request_id.to_owned(),
        expires_at: now.plus(principal::LIFETIME),
    }
    .sign(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(hidden: &Hidden, name: &str) -> bool {
        !hidden.names.contains(&name) && !hidden.beginnings.iter().any(|beginning| name.starts_with(beginning))
    }

    #[test]
    fn no_credential_and_no_header_that_claims_something_reaches_a_service() {
        let hidden = Hidden::from_caller();
        for name in [
            "authorization",
            "cf-connecting-ip",
            "cookie",
            "ownchat-principal",
            "transfer-encoding",
            "x-api-key",
            "x-forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-http-method",
            "x-http-method-override",
            "x-method-override",
            "x-original-url",
            "x-original-method",
            "x-real-ip",
            "x-rewrite-url",
        ] {
            assert!(!passes(&hidden, name), "{name}");
        }
        for name in ["accept", "content-type", "content-length", "idempotency-key", "if-match", "range", "traceparent"]
        {
            assert!(passes(&hidden, name), "{name}");
        }
    }

    #[test]
    fn a_service_does_not_speak_for_the_edge() {
        let hidden = Hidden::from_service();
        for name in [
            "access-control-allow-origin",
            "alt-svc",
            "clear-site-data",
            "proxy-status",
            "ratelimit-policy",
            "server",
            "set-cookie",
            "www-authenticate",
            "x-powered-by",
            "x-ratelimit-remaining",
        ] {
            assert!(!passes(&hidden, name), "{name}");
        }
        for name in ["content-range", "content-disposition", "etag", "link", "location", "retry-after"] {
            assert!(passes(&hidden, name), "{name}");
        }
    }

    #[test]
    fn names_are_written_as_they_are_compared() {
        for Hidden { names, beginnings } in [Hidden::from_caller(), Hidden::from_service()] {
            let is_plain = |name: &&str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            assert!(names.iter().chain(beginnings).all(is_plain));
        }
    }

    #[test]
    fn limits_are_milliseconds() {
        let of = |value: &'static str| Limits::read(move |name| (name == "UPSTREAM_IDLE_MS").then(|| value.into()));
        assert_eq!(Limits::read(|_| None), Ok(Limits::DEFAULT));
        assert_eq!(of("500"), Ok(Limits { idle: 500, ..Limits::DEFAULT }));
        for value in ["", "0", "-1", "3600001", "0.5", "1s"] {
            assert_eq!(of(value), Err("UPSTREAM_IDLE_MS is not a number of milliseconds from 1 to 3600000".into()));
        }
    }

    #[test]
    fn each_failure_has_an_answer_of_its_own() {
        let answers = Answers { console: "https://console", request_id: "r1" };
        for (code, status, retries) in [
            ("upstream_unavailable", 502, true),
            ("upstream_connect_timeout", 504, true),
            ("upstream_timeout", 504, true),
            ("upstream_idle_timeout", 504, true),
            ("upstream_invalid", 502, false),
            ("upstream_redirect", 502, false),
            ("request_timeout", 408, false),
            ("upgrade_unsupported", 501, false),
            ("anything else", 500, false),
        ] {
            let answer = failed(&answers, code);
            let has = |name: &str| answer.headers.iter().any(|(header, _)| *header == name);
            assert_eq!((answer.status, has("Retry-After")), (status, retries), "{code}");
            assert!(has("Proxy-Status") || status == 500, "{code}");
        }
    }

    #[test]
    fn what_never_reached_the_service_is_known() {
        let kinds = FAILURES.iter().map(|failure| failure.kind.code).chain(["caller_left", ""]);
        let without: Vec<_> = kinds.filter(|code| !reached(code)).collect();
        assert_eq!(without, ["upstream_unavailable", "upstream_connect_timeout", "upgrade_unsupported"]);
    }
}
