//! Preconditions on changes: `If-Match` (RFC 9110, section 13.1.1) names the version that the
//! caller last read.

use crate::texts;
use axum::http::{HeaderMap, header::IF_MATCH};
use ownchat_domain::{
    key::version_of_etag,
    problem::{PRECONDITION_REQUIRED, ProblemKind, STALE},
};

/// An `If-Match` that names no single version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreconditionError {
    /// The header is absent or `*`.
    Missing,
    /// The header names several versions.
    Several,
    /// The header is not an entity tag of this API.
    Foreign,
}

impl PreconditionError {
    /// Returns the kind of problem.
    pub const fn kind(self) -> &'static ProblemKind {
        match self {
            Self::Missing | Self::Several => &PRECONDITION_REQUIRED,
            Self::Foreign => &STALE,
        }
    }

    /// Returns the public text: the error and its remedy.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Missing => PRECONDITION_REQUIRED.meaning,
            Self::Several => texts::SEVERAL_VERSIONS,
            Self::Foreign => texts::FOREIGN_VERSION,
        }
    }
}

/// Returns the version in `If-Match`.
///
/// # Errors
///
/// Fails unless the header names exactly one version. A list or `*` does not tell which one the
/// caller saw.
pub fn expected_version(headers: &HeaderMap) -> Result<u64, PreconditionError> {
    let lines = headers.get_all(IF_MATCH).iter().map(|line| line.to_str().unwrap_or_default());
    // Repeated headers form one list (RFC 9110, section 5.3).
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    match (tags.next(), tags.next()) {
        (None | Some("*" | ""), None) => Err(PreconditionError::Missing),
        (_, Some(_)) => Err(PreconditionError::Several),
        (Some(tag), None) => version_of_etag(tag).ok_or(PreconditionError::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn version_in(tags: &[&'static str]) -> Result<u64, PreconditionError> {
        let tags = tags.iter().map(|tag| (IF_MATCH, HeaderValue::from_static(tag)));
        expected_version(&tags.collect())
    }

    #[test]
    fn one_version_is_named() {
        for tag in ["\"7\"", "W/\"7\"", "7"] {
            assert_eq!(version_in(&[tag]), Ok(7), "{tag}");
        }
        for (tags, error) in [
            (&[][..], PreconditionError::Missing),
            (&["*"], PreconditionError::Missing),
            (&["\"7\", \"8\""], PreconditionError::Several),
            (&["\"7\"", "\"8\""], PreconditionError::Several),
            (&["*", "\"8\""], PreconditionError::Several),
            (&["\"x\""], PreconditionError::Foreign),
            (&["\"07\""], PreconditionError::Foreign),
            (&["\"+7\""], PreconditionError::Foreign),
            (&["+7"], PreconditionError::Foreign),
            (&["07"], PreconditionError::Foreign),
            (&[""], PreconditionError::Missing),
        ] {
            assert_eq!(version_in(tags), Err(error), "{tags:?}");
        }
    }
}
