//! Error answers: RFC 9457 `application/problem+json`.

mod catalogue;

pub use catalogue::*;

use crate::failure::FieldError;
use serde::{Deserialize, Serialize};

/// Media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Path of the page that explains every code; a problem's `type` points into it.
pub const PAGE: &str = "/docs/errors";

/// What went wrong, for people and programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Address of the page that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words; the same for every problem of this code.
    pub title: String,
    /// HTTP status, repeated for those who see the body alone.
    pub status: u16,
    /// What was wrong this time and how to mend it.
    pub detail: String,
    /// Id of the request, for questions to support.
    pub instance: String,
    /// The code; stable, for programs.
    pub code: String,
    /// Scopes that the call needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// Scopes that the caller has, when some are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Vec<String>>,
    /// Scopes that the caller lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Limits that the call would exceed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violated: Vec<String>,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem of one code. `console` is the origin of the console, or empty for a relative address.
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
