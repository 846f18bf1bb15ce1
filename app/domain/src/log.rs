//! Log lines of the Workers: one JSON object per line, so that a log store can search its fields.
//!
//! A line of a request has its id, which the caller sees as `Request-Id` and as `instance` of a
//! problem. The Workers pass the id on to the vault in the header [`REQUEST_ID_HEADER`].

use crate::token::redact;
use core::fmt;
use serde::Serialize;

/// Header with the id of a request, in responses and in requests to the vault.
pub const REQUEST_ID_HEADER: &str = "request-id";

/// Severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A record of an event, not a failure.
    Info,
    /// A failure that recovers by itself.
    Warning,
    /// A failure that an operator should look into.
    Error,
}

/// One line of a log. Its `Display` is JSON without line breaks.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LogLine<'a> {
    level: Level,
    worker: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

impl<'a> LogLine<'a> {
    /// Creates a line of `worker`: `edge`, `vault` or `console`.
    pub const fn new(level: Level, worker: &'a str, message: &'a str) -> Self {
        Self { level, worker, message, request_id: None, code: None }
    }

    /// Adds the id of the request.
    #[must_use]
    pub const fn with_request_id(self, request_id: Option<&'a str>) -> Self {
        Self { request_id, ..self }
    }

    /// Adds the code of the problem that the caller gets.
    #[must_use]
    pub const fn with_code(self, code: &'a str) -> Self {
        Self { code: Some(code), ..self }
    }
}

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, worker, request_id, code, .. } = *self;
        let message: &str = &redact(self.message);
        let line = LogLine { level, worker, message, request_id, code };
        f.write_str(&serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object() {
        let line = LogLine::new(Level::Warning, "edge", "KV: \"no\"\nresponse");
        assert_eq!(line.to_string(), r#"{"level":"warning","worker":"edge","message":"KV: \"no\"\nresponse"}"#);
        let line = LogLine::new(Level::Error, "vault", "disk").with_request_id(Some("0af")).with_code("UNAVAILABLE");
        assert_eq!(
            line.to_string(),
            r#"{"level":"error","worker":"vault","message":"disk","request_id":"0af","code":"UNAVAILABLE"}"#
        );
    }

    #[test]
    fn a_line_holds_no_key() {
        let key = "oc_live_R68Bm6x2Wq9ZtY7R_HIwSabcdefghijklmnopqrstuvwxyz";
        let line = LogLine::new(Level::Error, "console", key).to_string();
        assert!(line.contains("oc_live_R68Bm6x2Wq9ZtY7R…") && !line.contains("HIwS"), "{line}");
    }
}
