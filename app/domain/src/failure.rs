//! Failures of a command, in the form that the Workers exchange.

use crate::{
    scope::ScopeSet,
    verdict::{Code, Denial},
};
use serde::{Deserialize, Serialize};

/// One invalid field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Field name in the request, such as `expires_at`.
    pub field: String,
    /// Fault and correct form, as a whole sentence for people.
    pub message: String,
}

impl FieldError {
    /// Creates an error for one field.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// Reason that a command failed. Nothing has changed, except for [`Failure::NotEffectiveYet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "failure")]
pub enum Failure {
    /// Fields of the request are invalid.
    #[error("the request holds values that cannot be accepted")]
    Invalid {
        /// Invalid fields, at least one.
        errors: Vec<FieldError>,
    },
    /// The caller has no session, or one that has ended.
    #[error("no valid session")]
    NotSignedIn,
    /// Email and password do not match.
    #[error("wrong email or password")]
    WrongCredentials,
    /// The caller is authenticated but lacks permission.
    #[error("not allowed")]
    Forbidden,
    /// The caller would grant scopes that they do not hold.
    #[error("scopes would be given that you do not hold: {}", .held.missing(*.required).joined(", "))]
    NotHeld {
        /// Scopes to be granted.
        required: ScopeSet,
        /// Scopes that the caller holds.
        held: ScopeSet,
    },
    /// A key would grant another key more access than it has itself.
    #[error("more freedom would be given than the key has that asks")]
    Beyond {
        /// Fields that exceed its own access, at least one.
        errors: Vec<FieldError>,
    },
    /// The calling key is refused, as the edge would refuse it.
    #[error("the key is refused: {}", .code.as_str())]
    KeyRefused {
        /// Code, as in responses of the edge.
        code: Code,
        /// Fault and how to fix it.
        detail: String,
    },
    /// The calling key lacks scopes that the command needs.
    #[error("the key lacks scopes: {}", .granted.missing(*.required).joined(", "))]
    ScopeMissing {
        /// Scopes that the command needs.
        required: ScopeSet,
        /// Scopes that the key has.
        granted: ScopeSet,
    },
    /// The resource does not exist, or the caller does not own it.
    #[error("not found")]
    NotFound,
    /// The resource changed after the caller read it.
    #[error("changed meanwhile")]
    Stale,
    /// The idempotency key was used before with another request body.
    #[error("this was sent before with other content")]
    Reused,
    /// A request with the same idempotency key is still in flight.
    #[error("the same request is still being worked on")]
    Running,
    /// The caller exceeded an attempt limit.
    #[error("too many attempts")]
    TooMany {
        /// Seconds until another attempt can succeed, at least 1.
        retry_after: u32,
    },
    /// Too many requests of this kind are queued. Nothing was done.
    #[error("busy")]
    Busy {
        /// Seconds until there may be capacity, at least 1.
        retry_after: u32,
    },
    /// The change is committed, but its publication in the revocation feed is not confirmed yet.
    ///
    /// Publication continues in the background.
    #[error("made, and not effective everywhere yet")]
    NotEffectiveYet,
    /// A store or service did not respond. A retry may succeed.
    #[error("unavailable")]
    Unavailable,
}

impl Failure {
    /// Creates a failure for one field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { errors: vec![FieldError::new(field, message)] }
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::ScopeMissing { required, granted } => Self::ScopeMissing { required, granted },
            Denial::Unavailable => Self::Unavailable,
            Denial::TooManyUnknown { .. } => {
                let seconds = denial.retry_after().and_then(|seconds| u32::try_from(seconds).ok());
                Self::TooMany { retry_after: seconds.unwrap_or(1) }
            }
            _ => Self::KeyRefused { code: denial.code(), detail: denial.detail() },
        }
    }
}

/// Collects the invalid fields of a request, so that the caller receives all errors at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Returns a valid value. Records an invalid one under `field` and returns `None`.
    pub fn take<T>(&mut self, field: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.0.push(FieldError::new(field, message))).ok()
    }

    /// Returns the value if no error was recorded.
    ///
    /// `None` stands for a part that [`FieldErrors::take`] refused.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with every recorded error.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Failure> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Failure::Invalid { errors: self.0 }),
        }
    }
}
