//! The closed list of answers to "may this call through?".

use crate::{scope::ScopeSet, token::TokenError};

/// Outcome of a check, as it stands in `code` of every answer. Names are stable for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The call may pass.
    Valid,
    /// No key came with the call.
    MissingKey,
    /// What came is not a key of ours: its shape, check or tag is wrong.
    MalformedKey,
    /// It looks like a key of ours, and there is none like it, or it was deleted.
    UnknownKey,
    /// An admin has deactivated the key.
    Inactive,
    /// The key's time is over.
    Expired,
    /// The key lacks a scope that the call needs.
    ScopeMissing,
    /// It could not be found out.
    Unavailable,
}

impl Code {
    /// The code as it is written in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::MissingKey => "MISSING_KEY",
            Self::MalformedKey => "MALFORMED_KEY",
            Self::UnknownKey => "UNKNOWN_KEY",
            Self::Inactive => "INACTIVE",
            Self::Expired => "EXPIRED",
            Self::ScopeMissing => "SCOPE_MISSING",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// Every code but [`Code::Valid`].
    pub const REFUSALS: [Self; 7] = [
        Self::MissingKey,
        Self::MalformedKey,
        Self::UnknownKey,
        Self::Inactive,
        Self::Expired,
        Self::ScopeMissing,
        Self::Unavailable,
    ];
}

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No key came with the call.
    Missing,
    /// The text is not a key.
    Malformed(TokenError),
    /// The locator's tag shows that we never issued it.
    Forged,
    /// There is no such key, it was deleted, or its secret is another.
    Unknown,
    /// An admin has deactivated the key.
    Inactive,
    /// The key's time is over.
    Expired,
    /// The key lacks scopes that the call needs.
    ScopeMissing {
        /// What the call needs.
        required: ScopeSet,
        /// What the key was given.
        granted: ScopeSet,
    },
    /// The truth could not be asked.
    Unavailable,
}

impl Denial {
    /// The code of this refusal.
    pub const fn code(&self) -> Code {
        match self {
            Self::Missing => Code::MissingKey,
            Self::Malformed(_) | Self::Forged => Code::MalformedKey,
            Self::Unknown => Code::UnknownKey,
            Self::Inactive => Code::Inactive,
            Self::Expired => Code::Expired,
            Self::ScopeMissing { .. } => Code::ScopeMissing,
            Self::Unavailable => Code::Unavailable,
        }
    }

    /// What was wrong and how to mend it, for the integrator. Never repeats anything of the credential.
    pub fn detail(&self) -> String {
        match self {
            Self::Missing => "Send the API key as \"Authorization: Bearer KEY\" or \"X-API-Key: KEY\".".into(),
            Self::Malformed(error) => format!("{error} Copy it again, whole and without spaces."),
            Self::Forged => "This key was not issued by Ownchat. Check that it belongs to this deployment.".into(),
            Self::Unknown => {
                "There is no such API key; it may have been deleted. Create one in Settings, API Keys.".into()
            }
            Self::Inactive => {
                "This API key has been deactivated. An admin can activate it in Settings, API Keys.".into()
            }
            Self::Expired => "This API key has expired. An admin can change its expiry or create a new one.".into(),
            Self::ScopeMissing { required, granted } => {
                let missing: Vec<_> = granted.missing(*required).iter().map(crate::scope::Scope::name).collect();
                format!(
                    "This API key lacks the scope {}. An admin can grant it in Settings, API Keys.",
                    missing.join(", ")
                )
            }
            Self::Unavailable => "The key could not be checked just now. Try again in a moment.".into(),
        }
    }
}
