//! Authorization of a request: may this key, at this time, from this address, do this?
//!
//! The checks run in one order, [`CHECKS`], and the first failure is the verdict. The same request
//! therefore always gets the same reason. The secret is matched before the checks; limits are
//! applied after them, so a refused request consumes no quota. [`crate::explain`] reports the same
//! checks one by one.

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

/// The permissions that a request needs, and its origin.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessRequest<'a> {
    /// Scopes that the request needs.
    pub required: ScopeSet,
    /// Channel id that the request names, if any.
    pub channel: Option<&'a str>,
    /// Client IP address as the platform reports it.
    pub address: Option<IpAddr>,
}

/// One check of the authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The workspace is not suspended.
    Workspace,
    /// The key is not deleted.
    Deleted,
    /// The key is active.
    Active,
    /// The current time is not before the key's `not_before`.
    NotBefore,
    /// The current time is before the key's `expires_at`.
    ExpiresAt,
    /// The presented secret has not ended; a replaced secret ends after its grace period.
    SecretEndsAt,
    /// The key's networks permit the client's address.
    Address,
    /// The key has every scope that the request needs.
    Scopes,
    /// The key may access the channel.
    Channel,
}

/// All checks, in the order in which they run.
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
    /// Runs this check. Returns the reason if the check refuses the request.
    pub fn refusal(
        self,
        record: &Record,
        secret: &RecordSecret,
        call: &AccessRequest<'_>,
        now: Timestamp,
    ) -> Option<Denial> {
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

/// Authorizes a request with a key whose record was found. Returns the number of the presented
/// secret.
///
/// # Errors
///
/// Returns the first failing check's [`Denial`]. A wrong secret gives [`Denial::Unknown`], so
/// responses do not reveal which locators exist.
pub fn decide(
    record: &Record,
    presented: &SecretHash,
    call: &AccessRequest<'_>,
    keyring: &Keyring,
    now: Timestamp,
) -> Result<u32, Denial> {
    judge(record, record.recognise(presented, keyring).ok_or(Denial::Unknown)?, call, now)
}

/// Authorizes a request whose secret is already matched. Returns the secret's number.
///
/// # Errors
///
/// Returns the first failing check's [`Denial`].
pub fn judge(record: &Record, secret: &RecordSecret, call: &AccessRequest<'_>, now: Timestamp) -> Result<u32, Denial> {
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

    fn ask(record: &Record, call: &AccessRequest<'_>, now: Timestamp) -> Result<u32, Denial> {
        decide(record, &SecretHash::of(&secret()), call, &keyring(), now)
    }

    fn needing(names: &[&str]) -> AccessRequest<'static> {
        AccessRequest { required: scopes(names), ..AccessRequest::default() }
    }

    #[test]
    fn a_good_key_passes_until_the_moment_it_expires() {
        assert_eq!(ask(&record(), &needing(&["contacts:read"]), BEFORE), Ok(1));
        assert_eq!(ask(&record(), &AccessRequest::default(), BEFORE), Ok(1));
        assert_eq!(ask(&record(), &AccessRequest::default(), END), Err(Denial::Expired));
    }

    #[test]
    fn a_key_works_from_the_moment_it_begins() {
        let record = Record { not_before: Some(BEFORE), ..record() };
        assert_eq!(
            ask(&record, &AccessRequest::default(), BEFORE.plus(-1)),
            Err(Denial::NotYetValid { begin: BEFORE })
        );
        assert_eq!(ask(&record, &AccessRequest::default(), BEFORE), Ok(1));
    }

    #[test]
    fn a_replaced_secret_works_until_its_end() {
        let mut record = record();
        record.secrets[0].ends_at = Some(BEFORE);
        assert_eq!(ask(&record, &AccessRequest::default(), BEFORE.plus(-1)), Ok(1));
        assert_eq!(ask(&record, &AccessRequest::default(), BEFORE), Err(Denial::Replaced));
    }

    #[test]
    fn the_caller_must_be_where_the_key_may_be_used() {
        let allow = vec!["203.0.113.0/24".parse().unwrap()];
        let record = Record { networks: Networks { allow, deny: Vec::new() }, ..record() };
        let from = |address: Option<&str>| {
            let address = address.map(|text| text.parse().unwrap());
            ask(&record, &AccessRequest { address, ..AccessRequest::default() }, BEFORE)
        };
        assert_eq!(from(Some("203.0.113.9")), Ok(1));
        assert!(matches!(from(Some("192.0.2.9")), Err(Denial::AddressForbidden { .. })));
        assert_eq!(from(None), Err(Denial::AddressForbidden { address: None }));
    }

    #[test]
    fn channels_restrict_calls_that_name_one() {
        let record = Record { channels: vec!["ch_1".into(), "ch_2".into()], ..record() };
        let about = |channel| ask(&record, &AccessRequest { channel, ..AccessRequest::default() }, BEFORE);
        assert_eq!(about(Some("ch_2")), Ok(1));
        assert_eq!(about(Some("ch_3")), Err(Denial::ChannelForbidden));
        assert_eq!(about(None), Ok(1));
        let all = ask(
            &crate::testing::record(),
            &AccessRequest { channel: Some("ch_3"), ..AccessRequest::default() },
            BEFORE,
        );
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
            assert_eq!(decide(&record, &other, &AccessRequest::default(), &keyring(), END), Err(Denial::Unknown));
        }
    }

    /// Starts with every reason at once and removes them one by one.
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
        let call = AccessRequest { required: scopes(&["messages:send"]), channel: Some("ch_9"), address: None };
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
