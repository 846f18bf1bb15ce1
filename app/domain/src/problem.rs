//! Error responses: RFC 9457 `application/problem+json`.

mod catalogue;

pub use catalogue::*;

use crate::failure::FieldError;
use serde::{Deserialize, Serialize};

/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Path of the error reference; a problem's `type` links to a code on that page.
pub const PAGE: &str = "/docs/errors";

/// An RFC 9457 problem: the body of an error response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// URL of the code's entry in the error reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// Title of the code; the same for every problem with this code.
    pub title: String,
    /// HTTP status, repeated for readers who see only the body.
    pub status: u16,
    /// The cause of this occurrence and the remedy.
    pub detail: String,
    /// Request id, for support.
    pub instance: String,
    /// Stable error code, for programs.
    pub code: String,
    /// Scopes that the request needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// Scopes that the caller has, if it lacks some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Vec<String>>,
    /// Scopes that the caller lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Limits that the request would exceed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<String>,
    /// Validation errors by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// Creates a problem. `console` is the console's origin, or empty for a relative `type` URL.
    pub fn new(console: &str, code: &str, status: u16, title: &str, detail: String, request_id: &str) -> Self {
        Self {
            kind: format!("{console}{PAGE}#{code}"),
            title: title.to_owned(),
            status,
            detail,
            instance: request_id.to_owned(),
            code: code.to_owned(),
            ..Self::default()
        }
    }
}
