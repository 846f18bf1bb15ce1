//! The closed list of answers to "may this call through?".

use crate::{limit::Limits, scope::ScopeSet, time::Timestamp, token::TokenError};
use core::net::IpAddr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Writes the codes: name, number in stores, text in answers. Numbers are append-only.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        /// Outcome of a check, as it stands in `code` of every answer. Names and numbers are stable for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name),*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as it is written in answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The number that stands for it in stores.
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number),* }
            }
        }
    };
}

codes! {
    /// The call may pass.
    Valid = 0 "VALID";
    /// No key came with the call.
    MissingKey = 1 "MISSING_KEY";
    /// What came is not a key of ours: its shape, check or tag is wrong.
    MalformedKey = 2 "MALFORMED_KEY";
    /// It looks like a key of ours, and there is none like it, or it was deleted.
    UnknownKey = 3 "UNKNOWN_KEY";
    /// An admin has deactivated the key.
    Inactive = 4 "INACTIVE";
    /// The key's time has not begun.
    NotYetValid = 5 "NOT_YET_VALID";
    /// The key's time is over, or that of its old secret.
    Expired = 6 "EXPIRED";
    /// The key may not be used from the caller's address.
    AddressForbidden = 7 "ADDRESS_FORBIDDEN";
    /// The key lacks a scope that the call needs.
    ScopeMissing = 8 "SCOPE_MISSING";
    /// The key may not be used for the channel.
    ChannelForbidden = 9 "CHANNEL_FORBIDDEN";
    /// The key was used too often.
    RateLimited = 10 "RATE_LIMITED";
    /// The key's quota is used up.
    QuotaExceeded = 11 "QUOTA_EXCEEDED";
    /// The whole workspace is suspended.
    WorkspaceSuspended = 12 "WORKSPACE_SUSPENDED";
    /// It could not be found out.
    Unavailable = 13 "UNAVAILABLE";
    /// The key was good, and the request did not reach the service behind the edge. Stands in usage
    /// alone.
    NotForwarded = 14 "NOT_FORWARDED";
}

impl Code {
    /// Every code of a refused key.
    pub fn refusals() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|code| !matches!(code, Self::Valid | Self::NotForwarded))
    }

    /// The code of this number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

/// As it is written in answers.
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

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No key came with the call.
    Missing,
    /// `Authorization` has another scheme than `Bearer`, or none.
    OtherScheme,
    /// A key stands in the URL and in no header.
    InUrl,
    /// The text is not a key.
    Malformed(TokenError),
    /// The locator's tag shows that we never issued it.
    Forged,
    /// There is no such key, it was deleted, or its secret is another.
    Unknown,
    /// An admin has deactivated the key.
    Inactive,
    /// The key's time has not begun.
    NotYetValid {
        /// When it begins.
        begin: Timestamp,
    },
    /// The key's time is over.
    Expired,
    /// The key has a newer secret, and the time of this one is over.
    Replaced,
    /// The key may not be used from there.
    AddressForbidden {
        /// The caller's address, if it is known.
        address: Option<IpAddr>,
    },
    /// The key lacks scopes that the call needs.
    ScopeMissing {
        /// What the call needs.
        required: ScopeSet,
        /// What the key was given.
        granted: ScopeSet,
    },
    /// The key may not be used for that channel.
    ChannelForbidden,
    /// The key was used too often.
    RateLimited {
        /// Milliseconds after which it is worth trying again.
        retry_after: i64,
    },
    /// The key's quota is used up.
    QuotaExceeded {
        /// Milliseconds until it is refilled.
        retry_after: i64,
    },
    /// The call costs more than a limit of the key ever has.
    TooCostly {
        /// Whether it is the quota, not the rate.
        by_quota: bool,
        /// Milliseconds until a whole limit has passed: only a changed one lets the call pass.
        retry_after: i64,
    },
    /// So many unknown keys came from the caller's address that no more of them are looked up for a while.
    TooManyUnknown {
        /// Milliseconds after which one more is.
        retry_after: i64,
    },
    /// The whole workspace is suspended.
    Suspended,
    /// The truth could not be asked.
    Unavailable,
}

impl Denial {
    /// The refusal of a call of this cost by one of a key's limits.
    pub fn by_limit(limits: &Limits, by_quota: bool, cost: u32, retry_after: i64) -> Self {
        let whole = if by_quota { limits.quota.map(|quota| quota.limit) } else { limits.rate.map(|rate| rate.limit) };
        match by_quota {
            _ if whole.is_some_and(|whole| cost > whole) => Self::TooCostly { by_quota, retry_after },
            true => Self::QuotaExceeded { retry_after },
            false => Self::RateLimited { retry_after },
        }
    }

    /// The code of this refusal.
    pub const fn code(&self) -> Code {
        match self {
            Self::Missing | Self::OtherScheme | Self::InUrl => Code::MissingKey,
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

    /// Returns true for a refusal that concerns no key and says the same to everybody.
    pub const fn is_of_no_key(&self) -> bool {
        match self {
            // It says how long the text was.
            Self::Malformed(TokenError::Length { .. }) => false,
            Self::Missing | Self::OtherScheme | Self::InUrl | Self::Malformed(_) | Self::Forged | Self::Unknown => true,
            _ => false,
        }
    }

    /// Seconds after which it is worth trying again, for refusals that pass by themselves; at least 1.
    pub fn retry_after(&self) -> Option<i64> {
        let millis = match self {
            Self::RateLimited { retry_after }
            | Self::QuotaExceeded { retry_after }
            | Self::TooCostly { retry_after, .. }
            | Self::TooManyUnknown { retry_after } => *retry_after,
            Self::Unavailable => 1_000,
            _ => return None,
        };
        Some(millis.saturating_add(999).div_euclid(1_000).max(1))
    }

    /// What was wrong and how to mend it, for the integrator. Never repeats anything of the credential.
    pub fn detail(&self) -> String {
        match self {
            Self::Missing => "Send the API key as \"Authorization: Bearer KEY\" or \"X-API-Key: KEY\".".into(),
            Self::OtherScheme => {
                "Authorization does not begin with the word Bearer. Send it as \"Authorization: Bearer KEY\".".into()
            }
            Self::InUrl => {
                "The API key stands in the URL, where it is never read and logs keep it. Rotate it, and send the \
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
                format!("This call costs more than the whole {limit} of this API key, so it never passes.")
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

    /// Names are in customers' code and numbers in stores: they never change. New codes are added here.
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
    fn what_costs_more_than_a_whole_limit_is_told_so() {
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
