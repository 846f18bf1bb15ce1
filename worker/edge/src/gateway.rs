//! The gateway: forwards an authorized request to an Ownchat service, without its key and with a
//! signed principal. Its rules stand here: blocked headers, timeouts of a forwarded request,
//! failures. The scripts in `gateway/` carry bodies and headers.

use crate::response::{Responder, Response};
use ownchat_domain::{
    credential,
    log::REQUEST_ID_HEADER,
    principal::{self, Principal},
    problem::{self, ProblemKind},
    record::Record,
    time::{HOUR, SECOND, Timestamp},
};
use serde::Serialize;

/// Hop-by-hop headers (RFC 9110, section 7.6.1). They pass in neither direction.
const HOP_BY_HOP: &[&str] = &[
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

/// Headers that tell a service the client's identity, its IP address or the host. Only the platform
/// and the edge may set them.
const IDENTITY: &[&str] = &[
    "client-ip",
    "cookie",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "host",
    "proxy-client-ip",
    "remote-addr",
    "remote-user",
    REQUEST_ID_HEADER,
    "true-client-ip",
    "wl-proxy-client-ip",
    "x-azure-clientip",
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
    "x-webauth-user",
    principal::HEADER,
];

/// Headers that make some servers see another method or URL than the one that was checked.
const REQUEST_OVERRIDES: &[&str] = &[
    "x-http-host-override",
    "x-method",
    "x-method-override",
    "x-override-url",
    "x-request-uri",
    "x-script-name",
    "x-url-scheme",
];

/// Prefixes of headers that pass from no caller.
const BLOCKED_CALLER_PREFIXES: &[&str] =
    &["cf-", "ownchat-", "x-envoy-", "x-forwarded", "x-http-method", "x-original-", "x-rewrite-", "x-ssl-client-"];

/// Headers of a service that would speak for the edge, or reveal the software behind it.
const BLOCKED_SERVICE_HEADERS: &[&str] = &[
    "alt-svc",
    "clear-site-data",
    "nel",
    "proxy-status",
    "report-to",
    "reporting-endpoints",
    REQUEST_ID_HEADER,
    "server",
    "set-cookie",
    "set-cookie2",
    "via",
    "www-authenticate",
    "x-powered-by",
    principal::HEADER,
];

/// Prefixes of headers that pass from no service.
const BLOCKED_SERVICE_PREFIXES: &[&str] =
    &["access-control-", "cf-", "ownchat-", "ratelimit", "x-aspnet", "x-envoy-", "x-forwarded", "x-ratelimit"];

/// Blocked headers: names in lower case, with `-` for all but letters and digits, and prefixes.
#[derive(Debug, Serialize)]
pub struct BlockedHeaders {
    names: Vec<&'static str>,
    prefixes: &'static [&'static str],
}

impl BlockedHeaders {
    /// Headers that no caller can send to a service.
    pub fn from_caller() -> Self {
        let names = [&credential::HEADERS, HOP_BY_HOP, IDENTITY, REQUEST_OVERRIDES].concat();
        Self { names, prefixes: BLOCKED_CALLER_PREFIXES }
    }

    /// Headers that no service can send to a caller.
    pub fn from_service() -> Self {
        let names = [&credential::HEADERS, HOP_BY_HOP, BLOCKED_SERVICE_HEADERS].concat();
        Self { names, prefixes: BLOCKED_SERVICE_PREFIXES }
    }
}

/// Timeouts of a forwarded request, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeouts {
    /// Until a connection to the service is open.
    pub connect: i64,
    /// From the last byte of the request to the first byte of the response.
    pub first_byte: i64,
    /// Between two chunks of a body, to and from the service.
    pub idle: i64,
    /// Between two chunks of the body from the caller.
    pub caller: i64,
}

impl Timeouts {
    /// The defaults.
    pub const DEFAULT: Self =
        Self { connect: 5 * SECOND, first_byte: 30 * SECOND, idle: 60 * SECOND, caller: 30 * SECOND };

    /// Reads the timeouts that the deployment sets, each from 1 millisecond to one hour.
    ///
    /// # Errors
    ///
    /// Fails with the name of a variable that holds no such number.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
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

/// A failure to forward a request, or to pass its response on.
#[derive(Debug)]
struct ProxyError {
    kind: &'static ProblemKind,
    /// Error of `Proxy-Status` (RFC 9209, section 2.3).
    error: &'static str,
    /// True if a retry may succeed in a moment.
    retry: bool,
    /// True if the service may have seen the request.
    reached: bool,
}

const FAILURES: &[ProxyError] = &[
    ProxyError { kind: &problem::UPSTREAM_UNAVAILABLE, error: "destination_unavailable", retry: true, reached: false },
    ProxyError { kind: &problem::UPSTREAM_CONNECT_TIMEOUT, error: "connection_timeout", retry: true, reached: false },
    ProxyError { kind: &problem::UPSTREAM_TIMEOUT, error: "http_response_timeout", retry: true, reached: true },
    ProxyError { kind: &problem::UPSTREAM_IDLE_TIMEOUT, error: "connection_write_timeout", retry: true, reached: true },
    ProxyError { kind: &problem::UPSTREAM_INVALID, error: "http_protocol_error", retry: false, reached: true },
    ProxyError { kind: &problem::UPSTREAM_REDIRECT, error: "http_protocol_error", retry: false, reached: true },
    ProxyError { kind: &problem::REQUEST_TIMEOUT, error: "http_request_error", retry: false, reached: true },
    ProxyError { kind: &problem::UPGRADE_UNSUPPORTED, error: "http_upgrade_failed", retry: false, reached: false },
];

/// Returns true if the service may have seen a request whose forwarding failed with this code.
pub fn reached_service(code: &str) -> bool {
    FAILURES.iter().find(|failure| failure.kind.code == code).is_none_or(|failure| failure.reached)
}

/// Seconds until a retry is worthwhile.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Name of the edge in `Proxy-Status` (RFC 9209, section 2).
const PROXY_NAME: &str = "ownchat-edge";

/// Makes the response to a request whose forwarding failed with this code.
pub fn failure_response(responder: &Responder<'_>, code: &str) -> Response {
    let failure = FAILURES.iter().find(|failure| failure.kind.code == code);
    let Some(ProxyError { kind, error, retry, .. }) = failure else {
        return responder.problem(&problem::INTERNAL, problem::INTERNAL.meaning);
    };
    responder
        .problem(kind, kind.meaning)
        .with_headers([("Proxy-Status", format!("{PROXY_NAME}; error={error}"))])
        .with_headers(retry.then(|| ("Retry-After", RETRY_AFTER_SECONDS.to_string())))
}

/// Returns `Proxy-Status` of a response from the service, without its status. By it a caller can
/// tell the service's own 401, 429 or 503 from the edge's.
pub fn proxy_status_prefix() -> String {
    format!("{PROXY_NAME}; received-status=")
}

/// Signs the principal that tells a service which key makes the request.
pub fn sign_principal(
    record: &Record,
    method: &str,
    path: &str,
    request_id: &str,
    key: &[u8],
    now: Timestamp,
) -> String {
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

    fn passes(blocked: &BlockedHeaders, name: &str) -> bool {
        !blocked.names.contains(&name) && !blocked.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    #[test]
    fn credentials_and_identity_headers_reach_no_service() {
        let blocked = BlockedHeaders::from_caller();
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
            assert!(!passes(&blocked, name), "{name}");
        }
        for name in ["accept", "content-type", "content-length", "idempotency-key", "if-match", "range", "traceparent"]
        {
            assert!(passes(&blocked, name), "{name}");
        }
    }

    #[test]
    fn service_cannot_speak_for_the_edge() {
        let blocked = BlockedHeaders::from_service();
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
            assert!(!passes(&blocked, name), "{name}");
        }
        for name in ["content-range", "content-disposition", "etag", "link", "location", "retry-after"] {
            assert!(passes(&blocked, name), "{name}");
        }
    }

    #[test]
    fn blocked_names_are_in_normal_form() {
        for BlockedHeaders { names, prefixes } in [BlockedHeaders::from_caller(), BlockedHeaders::from_service()] {
            let is_plain = |name: &&str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            assert!(names.iter().chain(prefixes).all(is_plain));
        }
    }

    #[test]
    fn timeouts_are_milliseconds() {
        let of = |value: &'static str| {
            Timeouts::from_variables(move |name| (name == "UPSTREAM_IDLE_MS").then(|| value.into()))
        };
        assert_eq!(Timeouts::from_variables(|_| None), Ok(Timeouts::DEFAULT));
        assert_eq!(of("500"), Ok(Timeouts { idle: 500, ..Timeouts::DEFAULT }));
        for value in ["", "0", "-1", "3600001", "0.5", "1s"] {
            assert_eq!(of(value), Err("UPSTREAM_IDLE_MS is not a number of milliseconds from 1 to 3600000".into()));
        }
    }

    #[test]
    fn each_failure_has_its_own_response() {
        let responder = Responder { console: "https://console", request_id: "r1" };
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
            let response = failure_response(&responder, code);
            let has = |name: &str| response.headers.iter().any(|(header, _)| *header == name);
            assert_eq!((response.status, has("Retry-After")), (status, retries), "{code}");
            assert!(has("Proxy-Status") || status == 500, "{code}");
        }
    }

    #[test]
    fn failures_before_the_service_are_known() {
        let kinds = FAILURES.iter().map(|failure| failure.kind.code).chain(["caller_left", ""]);
        let without: Vec<_> = kinds.filter(|code| !reached_service(code)).collect();
        assert_eq!(without, ["upstream_unavailable", "upstream_connect_timeout", "upgrade_unsupported"]);
    }
}
