//! Why a command was not carried out, as the Workers tell each other.

use crate::{
    scope::ScopeSet,
    verdict::{Code, Denial},
};
use serde::{Deserialize, Serialize};

/// One thing wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name in the request, such as `expires_at`.
    pub field: String,
    /// What is wrong and what would be right; a whole sentence for people.
    pub message: String,
}

impl FieldError {
    /// Pairs a field with what is wrong with it.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// Why a command was not carried out. Nothing has changed when one of these is returned, but
/// for [`Failure::NotEffectiveYet`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "failure")]
pub enum Failure {
    /// Fields of the request are not acceptable.
    #[error("the request holds values that cannot be accepted")]
    Invalid {
        /// At least one.
        errors: Vec<FieldError>,
    },
    /// The caller is nobody we know: no session, or one that has ended.
    #[error("no valid session")]
    NotSignedIn,
    /// Email and password do not match.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// The caller is known and may not do this.
    #[error("not allowed")]
    Forbidden,
    /// The caller would give away scopes that they do not hold.
    #[error("scopes would be given that you do not hold: {}", .held.missing(*.required).joined(", "))]
    NotHeld {
        /// What would be given.
        required: ScopeSet,
        /// What the caller holds.
        held: ScopeSet,
    },
    /// A key would give another one more freedom than it has itself.
    #[error("more freedom would be given than the key has that asks")]
    Beyond {
        /// In what; at least one.
        errors: Vec<FieldError>,
    },
    /// The key that asks is no good, as the edge would say it.
    #[error("the key is refused: {}", .code.as_str())]
    KeyRefused {
        /// As in the answers of the edge.
        code: Code,
        /// What was wrong and how to mend it.
        detail: String,
    },
    /// The key that asks lacks scopes that the command needs.
    #[error("the key lacks scopes: {}", .granted.missing(*.required).joined(", "))]
    ScopeMissing {
        /// What the command needs.
        required: ScopeSet,
        /// What the key was given.
        granted: ScopeSet,
    },
    /// There is no such thing, or it is not the caller's.
    #[error("not found")]
    NotFound,
    /// Somebody changed the thing since the caller read it.
    #[error("changed meanwhile")]
    Stale,
    /// A request of the same name was sent before, with another body.
    #[error("this was sent before with other content")]
    Reused,
    /// A request of the same name is being worked on.
    #[error("the same request is still being worked on")]
    Running,
    /// Too many attempts.
    #[error("too many attempts")]
    TooMany {
        /// Seconds until another attempt can succeed, at least 1.
        retry_after: u32,
    },
    /// Too many requests of this kind wait for each other; nothing was done.
    #[error("busy")]
    Busy {
        /// Seconds until there may be room, at least 1.
        retry_after: u32,
    },
    /// The change is made, and it is not known yet whether everybody has been told; that goes on by itself.
    #[error("made, and not effective everywhere yet")]
    NotEffectiveYet,
    /// A store or service did not answer; trying again may help.
    #[error("unavailable")]
    Unavailable,
}

impl Failure {
    /// A failure for one field.
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

/// Collects what is wrong with a request, so that the caller hears of everything at once.
#[derive(Debug, Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    /// Passes a good value on; notes a bad one under `field` and returns nothing.
    pub fn take<T>(&mut self, field: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.0.push(FieldError::new(field, message))).ok()
    }

    /// The value, if nothing was found wrong. `None` stands for a part that [`Findings::take`] refused.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Failure> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Failure::Invalid { errors: self.0 }),
        }
    }
}
