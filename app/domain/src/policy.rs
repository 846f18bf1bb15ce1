//! The decision: may a call with this key, at this time, from there, do this?
//!
//! Checks run in one order, [`CHECKS`], and the first that fails is the answer, so that the same call always
//! gets the same reason. Before them the secret is recognised, after them come the limits: a refused call costs
//! nothing. [`crate::explain`] shows the same checks one by one.

use crate::{
    digest::SecretHash,
    keyring::Keyring,
    record::{Record, RecordSecret},
    scope::ScopeSet,
    time::Timestamp,
    verdict::Denial,
};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// What a call wants, and where it comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    /// What it needs.
    pub required: ScopeSet,
    /// The channel that it is about, if it says so.
    pub channel: Option<&'a str>,
    /// The caller's address, as the platform saw it.
    pub address: Option<IpAddr>,
}

/// One thing that is checked of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The workspace is not suspended.
    Workspace,
    /// The key was not deleted.
    Deleted,
    /// The key was not deactivated.
    Active,
    /// The key's time has begun.
    NotBefore,
    /// The key's time is not over.
    ExpiresAt,
    /// The time of the secret that came is not over.
    SecretEndsAt,
    /// The caller is where the key may be used.
    Address,
    /// The key was given the scopes that the call needs.
    Scopes,
    /// The key may be used for the channel.
    Channel,
}

/// Every check, in the order in which they are made.
pub const CHECKS: [Check; 9] = [
    Check::Workspace,
    Check::Deleted,
    Check::Active,
    Check::NotBefore,
    Check::ExpiresAt,
    Check::SecretEndsAt,
    Check::Address,
    Check::Scopes,
    Check::Channel,
];

impl Check {
    /// Makes this check: nothing if the call passes it, otherwise why not.
    pub fn refusal(self, record: &Record, secret: &RecordSecret, call: &Call<'_>, now: Timestamp) -> Option<Denial> {
        match self {
            Self::Workspace => record.workspace.suspended.then_some(Denial::Suspended),
            Self::Deleted => record.deleted.then_some(Denial::Unknown),
            Self::Active => (!record.active).then_some(Denial::Inactive),
            Self::NotBefore => {
                record.not_before.filter(|begin| now < *begin).map(|begin| Denial::NotYetValid { begin })
            }
            Self::ExpiresAt => record.expires_at.filter(|end| now >= *end).map(|_| Denial::Expired),
            Self::SecretEndsAt => secret.ends_at.filter(|end| now >= *end).map(|_| Denial::Replaced),
            Self::Address => {
                (!record.networks.permits(call.address)).then_some(Denial::AddressForbidden { address: call.address })
            }
            Self::Scopes => (!record.scopes.allows_all(call.required))
                .then_some(Denial::ScopeMissing { required: call.required, granted: record.scopes }),
            Self::Channel => call
                .channel
                .filter(|channel| !record.channels.is_empty() && !record.channels.iter().any(|may| may == channel))
                .map(|_| Denial::ChannelForbidden),
        }
    }
}

/// Decides a call with a key whose record was found. Returns the number of the secret that came with it.
///
/// A wrong secret is answered like an unknown key, so that nobody learns which locators exist.
pub fn decide(
    record: &Record,
    presented: &SecretHash,
    call: &Call<'_>,
    keyring: &Keyring,
    now: Timestamp,
) -> Result<u32, Denial> {
    judge(record, record.recognise(presented, keyring).ok_or(Denial::Unknown)?, call, now)
}

/// Decides for a secret of the key that is recognised already, and gives its number.
pub fn judge(record: &Record, secret: &RecordSecret, call: &Call<'_>, now: Timestamp) -> Result<u32, Denial> {
    match CHECKS.iter().find_map(|check| check.refusal(record, secret, call, now)) {
        Some(denial) => Err(denial),
        None => Ok(secret.number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        network::Networks,
        record::Workspace,
        testing::{keyring, record, scopes, secret},
    };

    const BEFORE: Timestamp = Timestamp::from_millis(1_799_999_999_999);
    const END: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn ask(record: &Record, call: &Call<'_>, now: Timestamp) -> Result<u32, Denial> {
        decide(record, &SecretHash::of(&secret()), call, &keyring(), now)
    }

    fn needing(names: &[&str]) -> Call<'static> {
        Call { required: scopes(names), ..Call::default() }
    }

    #[test]
    fn a_good_key_passes_until_the_moment_it_expires() {
        assert_eq!(ask(&record(), &needing(&["contacts:read"]), BEFORE), Ok(1));
        assert_eq!(ask(&record(), &Call::default(), BEFORE), Ok(1));
        assert_eq!(ask(&record(), &Call::default(), END), Err(Denial::Expired));
    }

    #[test]
    fn a_key_works_from_the_moment_it_begins() {
        let record = Record { not_before: Some(BEFORE), ..record() };
        assert_eq!(ask(&record, &Call::default(), BEFORE.plus(-1)), Err(Denial::NotYetValid { begin: BEFORE }));
        assert_eq!(ask(&record, &Call::default(), BEFORE), Ok(1));
    }

    #[test]
    fn a_replaced_secret_works_until_its_end() {
        let mut record = record();
        record.secrets[0].ends_at = Some(BEFORE);
        assert_eq!(ask(&record, &Call::default(), BEFORE.plus(-1)), Ok(1));
        assert_eq!(ask(&record, &Call::default(), BEFORE), Err(Denial::Replaced));
    }

    #[test]
    fn the_caller_must_be_where_the_key_may_be_used() {
        let allow = vec!["203.0.113.0/24".parse().unwrap()];
        let record = Record { networks: Networks { allow, deny: Vec::new() }, ..record() };
        let from = |address: Option<&str>| {
            let address = address.map(|text| text.parse().unwrap());
            ask(&record, &Call { address, ..Call::default() }, BEFORE)
        };
        assert_eq!(from(Some("203.0.113.9")), Ok(1));
        assert!(matches!(from(Some("192.0.2.9")), Err(Denial::AddressForbidden { .. })));
        assert_eq!(from(None), Err(Denial::AddressForbidden { address: None }));
    }

    #[test]
    fn channels_restrict_calls_that_name_one() {
        let record = Record { channels: vec!["ch_1".into(), "ch_2".into()], ..record() };
        let about = |channel| ask(&record, &Call { channel, ..Call::default() }, BEFORE);
        assert_eq!(about(Some("ch_2")), Ok(1));
        assert_eq!(about(Some("ch_3")), Err(Denial::ChannelForbidden));
        assert_eq!(about(None), Ok(1));
        let all = ask(&crate::testing::record(), &Call { channel: Some("ch_3"), ..Call::default() }, BEFORE);
        assert_eq!(all, Ok(1));
    }

    #[test]
    fn a_missing_scope_is_named() {
        assert_eq!(
            ask(&record(), &needing(&["contacts:read", "messages:send"]), BEFORE),
            Err(Denial::ScopeMissing {
                required: scopes(&["contacts:read", "messages:send"]),
                granted: scopes(&["contacts:read"])
            })
        );
    }

    #[test]
    fn a_wrong_secret_looks_like_no_key_whatever_else_is_true() {
        let other = SecretHash::from_bytes([9; 32]);
        for active in [true, false] {
            let mut record = Record { active, ..record() };
            record.workspace.suspended = true;
            assert_eq!(decide(&record, &other, &Call::default(), &keyring(), END), Err(Denial::Unknown));
        }
    }

    /// Every reason at once, taken away one by one.
    #[test]
    fn the_first_reason_in_order_is_the_answer() {
        let mut worst = Record {
            deleted: true,
            active: false,
            not_before: Some(END.plus(1)),
            channels: vec!["ch_1".into()],
            networks: Networks { allow: vec!["203.0.113.0/24".parse().unwrap()], deny: Vec::new() },
            workspace: Workspace { suspended: true, ..record().workspace },
            ..record()
        };
        worst.secrets[0].ends_at = Some(BEFORE);
        let call = Call { required: scopes(&["messages:send"]), channel: Some("ch_9"), address: None };
        let code = |record: &Record| ask(record, &call, END).map_err(|denial| denial.code().as_str());
        assert_eq!(code(&worst), Err("WORKSPACE_SUSPENDED"));
        worst.workspace.suspended = false;
        assert_eq!(code(&worst), Err("UNKNOWN_KEY"));
        worst.deleted = false;
        assert_eq!(code(&worst), Err("INACTIVE"));
        worst.active = true;
        assert_eq!(code(&worst), Err("NOT_YET_VALID"));
        worst.not_before = None;
        assert_eq!(code(&worst), Err("EXPIRED"));
        worst.expires_at = None;
        assert_eq!(ask(&worst, &call, END), Err(Denial::Replaced));
        worst.secrets[0].ends_at = None;
        assert_eq!(code(&worst), Err("ADDRESS_FORBIDDEN"));
        worst.networks = Networks::default();
        assert_eq!(code(&worst), Err("SCOPE_MISSING"));
        worst.scopes = scopes(&["messages:send"]);
        assert_eq!(code(&worst), Err("CHANNEL_FORBIDDEN"));
        worst.channels = Vec::new();
        assert_eq!(code(&worst), Ok(1));
    }
}
