//! The closed list of authorization outcomes: public codes and reasons of refusal.

use crate::{
    limit::Limits,
    scope::ScopeSet,
    time::{Timestamp, whole_seconds},
    token::TokenError,
};
use core::net::IpAddr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Generates the codes: name, number in stores, text in responses. Numbers are append-only.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        /// Outcome of a check, as in the `code` field of responses. Names and numbers never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name),*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Code as text in responses.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Number of the code in stores.
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number),* }
            }
        }
    };
}

codes! {
    /// The request may pass.
    Valid = 0 "VALID";
    /// The request carried no key.
    MissingKey = 1 "MISSING_KEY";
    /// The credential is not one of our keys: shape, check or tag is wrong.
    MalformedKey = 2 "MALFORMED_KEY";
    /// The key looks valid but does not exist or was deleted.
    UnknownKey = 3 "UNKNOWN_KEY";
    /// An admin has deactivated the key.
    Inactive = 4 "INACTIVE";
    /// The key's validity has not begun.
    NotYetValid = 5 "NOT_YET_VALID";
    /// The key or its old secret has expired.
    Expired = 6 "EXPIRED";
    /// The key may not be used from the client's address.
    AddressForbidden = 7 "ADDRESS_FORBIDDEN";
    /// The key lacks a scope that the request needs.
    ScopeMissing = 8 "SCOPE_MISSING";
    /// The key may not access the channel.
    ChannelForbidden = 9 "CHANNEL_FORBIDDEN";
    /// The key has reached its rate limit.
    RateLimited = 10 "RATE_LIMITED";
    /// The key's quota is exhausted.
    QuotaExceeded = 11 "QUOTA_EXCEEDED";
    /// The whole workspace is suspended.
    WorkspaceSuspended = 12 "WORKSPACE_SUSPENDED";
    /// The check could not be made.
    Unavailable = 13 "UNAVAILABLE";
    /// The key was valid, but the request did not reach the upstream. Appears in usage only.
    NotForwarded = 14 "NOT_FORWARDED";
}

impl Code {
    /// Returns all codes of refused keys.
    pub fn refusals() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|code| !matches!(code, Self::Valid | Self::NotForwarded))
    }

    /// Returns the code with this number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

/// Serialises the text of the code.
impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        known.ok_or_else(|| {
            D::Error::custom("There is no such outcome. Send a code of the edge, such as VALID or EXPIRED.")
        })
    }
}

/// The reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The request carried no key.
    Missing,
    /// `Authorization` has a scheme other than `Bearer`, or none.
    OtherScheme,
    /// In `Authorization`, no space follows the scheme `Bearer`.
    NoSpace,
    /// The URL contains a key, and no header does.
    InUrl,
    /// The text is not a key.
    Malformed(TokenError),
    /// The locator's tag shows that we never issued the key.
    Forged,
    /// The key does not exist, was deleted, or has another secret.
    Unknown,
    /// An admin has deactivated the key.
    Inactive,
    /// The key's validity has not begun.
    NotYetValid {
        /// Start of validity.
        begin: Timestamp,
    },
    /// The key has expired.
    Expired,
    /// The key was rotated, and this old secret has ended.
    Replaced,
    /// The key may not be used from the client's address.
    AddressForbidden {
        /// Client IP address, if known.
        address: Option<IpAddr>,
    },
    /// The key lacks scopes that the request needs.
    ScopeMissing {
        /// Scopes that the request needs.
        required: ScopeSet,
        /// Scopes of the key.
        granted: ScopeSet,
    },
    /// The key may not access the channel.
    ChannelForbidden,
    /// The key has reached its rate limit.
    RateLimited {
        /// Milliseconds until a retry may succeed.
        retry_after: i64,
    },
    /// The key's quota is exhausted.
    QuotaExceeded {
        /// Milliseconds until the quota resets.
        retry_after: i64,
    },
    /// The request costs more than a whole limit of the key.
    TooCostly {
        /// True for the quota, false for the rate limit.
        by_quota: bool,
        /// Milliseconds until a whole limit has passed. Only a changed limit lets the request pass.
        retry_after: i64,
    },
    /// Too many unknown keys came from the client's address, so it gets no lookups for a while.
    TooManyUnknown {
        /// Milliseconds until the next lookup is allowed.
        retry_after: i64,
    },
    /// The whole workspace is suspended.
    Suspended,
    /// The vault could not be reached.
    Unavailable,
}

impl Denial {
    /// Creates the refusal of a request with this cost by one of the key's limits.
    pub fn by_limit(limits: &Limits, by_quota: bool, cost: u32, retry_after: i64) -> Self {
        let whole = if by_quota { limits.quota.map(|quota| quota.limit) } else { limits.rate.map(|rate| rate.limit) };
        match by_quota {
            _ if whole.is_some_and(|whole| cost > whole) => Self::TooCostly { by_quota, retry_after },
            true => Self::QuotaExceeded { retry_after },
            false => Self::RateLimited { retry_after },
        }
    }

    /// Returns the public code of the refusal.
    pub const fn code(&self) -> Code {
        match self {
            Self::Missing | Self::OtherScheme | Self::NoSpace | Self::InUrl => Code::MissingKey,
            Self::Malformed(_) | Self::Forged => Code::MalformedKey,
            Self::Unknown => Code::UnknownKey,
            Self::Inactive => Code::Inactive,
            Self::NotYetValid { .. } => Code::NotYetValid,
            Self::Expired | Self::Replaced => Code::Expired,
            Self::AddressForbidden { .. } => Code::AddressForbidden,
            Self::ScopeMissing { .. } => Code::ScopeMissing,
            Self::ChannelForbidden => Code::ChannelForbidden,
            Self::QuotaExceeded { .. } | Self::TooCostly { by_quota: true, .. } => Code::QuotaExceeded,
            Self::RateLimited { .. } | Self::TooCostly { .. } | Self::TooManyUnknown { .. } => Code::RateLimited,
            Self::Suspended => Code::WorkspaceSuspended,
            Self::Unavailable => Code::Unavailable,
        }
    }

    /// Seconds until a retry may succeed, at least 1; `None` if the refusal does not pass by
    /// itself.
    pub fn retry_after(&self) -> Option<i64> {
        let millis = match self {
            Self::RateLimited { retry_after }
            | Self::QuotaExceeded { retry_after }
            | Self::TooCostly { retry_after, .. }
            | Self::TooManyUnknown { retry_after } => *retry_after,
            Self::Unavailable => 1_000,
            _ => return None,
        };
        Some(whole_seconds(millis).max(1))
    }

    /// Returns cause and remedy for the integrator. Never repeats any part of the credential.
    pub fn detail(&self) -> String {
        match self {
            Self::Missing => "Send the API key as \"Authorization: Bearer KEY\" or \"X-API-Key: KEY\".".into(),
            Self::OtherScheme => {
                "Authorization does not begin with the word Bearer. Send it as \"Authorization: Bearer KEY\".".into()
            }
            Self::NoSpace => {
                "No space follows the word Bearer. Send \"Authorization: Bearer KEY\", with a space and no tab.".into()
            }
            Self::InUrl => {
                "An API key is in the URL, where it is never read and logs keep it. Rotate it, and send the \
                            new one as \"Authorization: Bearer KEY\"."
                    .into()
            }
            Self::Malformed(error) => format!("{error} Copy it again, whole and without spaces."),
            Self::Forged => "This key was not issued by Ownchat. Check that it belongs to this deployment.".into(),
            Self::Unknown => {
                "There is no such API key; it may have been deleted. Create one in Settings, API Keys.".into()
            }
            Self::Inactive => {
                "This API key has been deactivated. An admin can activate it in Settings, API Keys.".into()
            }
            Self::NotYetValid { begin } => format!("This API key works from {} on.", begin.rfc3339()),
            Self::Expired => "This API key has expired. An admin can change its expiry or create a new one.".into(),
            Self::Replaced => "This API key was rotated and its old secret has ended. Use the new one.".into(),
            Self::AddressForbidden { address: Some(address) } => {
                format!("This API key may not be used from {address}. An admin can change its networks.")
            }
            Self::AddressForbidden { address: None } => {
                "This API key may only be used from certain networks, and the caller's address is not known.".into()
            }
            Self::ScopeMissing { required, granted } => {
                let missing = granted.missing(*required).joined(", ");
                format!("This API key lacks {missing}. An admin can grant that in Settings, API Keys.")
            }
            Self::ChannelForbidden => {
                "This API key may not be used for this channel. An admin can change its channels.".into()
            }
            Self::RateLimited { .. } => "This API key was used more often than its rate limit allows.".into(),
            Self::QuotaExceeded { .. } => "The quota of this API key is used up.".into(),
            Self::TooCostly { by_quota, .. } => {
                let limit = if *by_quota { "quota" } else { "rate limit" };
                format!("This request costs more than the whole {limit} of this API key, so it never passes.")
            }
            Self::TooManyUnknown { .. } => {
                "Too many unknown API keys came from this address. Keys that are known here go on working.".into()
            }
            Self::Suspended => "The workspace is suspended, and all its API keys with it. Ask its owner.".into(),
            Self::Unavailable => "The key could not be checked just now. Try again in a moment.".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Period, Quota, RateLimit};

    /// Pinned: customers' code relies on names and stores on numbers. New codes go here.
    #[test]
    fn names_and_numbers_never_change() {
        let all: Vec<_> = Code::ALL.iter().map(|code| (code.number(), code.as_str())).collect();
        assert_eq!(
            all,
            [
                (0, "VALID"),
                (1, "MISSING_KEY"),
                (2, "MALFORMED_KEY"),
                (3, "UNKNOWN_KEY"),
                (4, "INACTIVE"),
                (5, "NOT_YET_VALID"),
                (6, "EXPIRED"),
                (7, "ADDRESS_FORBIDDEN"),
                (8, "SCOPE_MISSING"),
                (9, "CHANNEL_FORBIDDEN"),
                (10, "RATE_LIMITED"),
                (11, "QUOTA_EXCEEDED"),
                (12, "WORKSPACE_SUSPENDED"),
                (13, "UNAVAILABLE"),
                (14, "NOT_FORWARDED"),
            ]
        );
        for code in Code::ALL {
            assert_eq!(Code::of_number(code.number()), Some(*code));
        }
    }

    #[test]
    fn waiting_is_told_in_whole_seconds() {
        for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (61_000, 61)] {
            assert_eq!(Denial::RateLimited { retry_after: millis }.retry_after(), Some(seconds));
        }
        assert_eq!(Denial::Expired.retry_after(), None);
    }

    #[test]
    fn a_cost_above_the_whole_limit_is_reported_as_such() {
        let (rate, quota) = (RateLimit { limit: 5, window_seconds: 60 }, Quota { limit: 9, period: Period::Day });
        let limits = Limits { rate: Some(rate), quota: Some(quota) };
        let of = |by_quota, cost| Denial::by_limit(&limits, by_quota, cost, 60_000);
        for (by_quota, cost, code, never) in [
            (false, 5, Code::RateLimited, false),
            (false, 6, Code::RateLimited, true),
            (true, 9, Code::QuotaExceeded, false),
            (true, 10, Code::QuotaExceeded, true),
        ] {
            let denial = of(by_quota, cost);
            assert_eq!((denial.code(), denial.retry_after()), (code, Some(60)));
            assert_eq!(denial.detail().contains("never"), never, "{denial:?}");
        }
    }
}
