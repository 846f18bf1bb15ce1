//! The decision: may a call with this key, at this time, from there, do this?
//!
//! Checks run in one order, and the first that fails is the answer, so that the same call always gets
//! the same reason: known · workspace enabled · not deleted · active · not before · not after · secret not
//! ended · caller's address · scopes · channel. Limits come after that: a refused call costs nothing.

use crate::{digest::SecretHash, keyring::Keyring, record::Record, scope::ScopeSet, time::Timestamp, verdict::Denial};
use core::net::IpAddr;

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
    let secret = record.recognise(presented, keyring).ok_or(Denial::Unknown)?;
    if record.workspace.suspended {
        return Err(Denial::Suspended);
    }
    if record.deleted {
        return Err(Denial::Unknown);
    }
    if !record.active {
        return Err(Denial::Inactive);
    }
    if let Some(begin) = record.not_before.filter(|begin| now < *begin) {
        return Err(Denial::NotYetValid { begin });
    }
    if record.expires_at.is_some_and(|end| now >= end) {
        return Err(Denial::Expired);
    }
    if secret.ends_at.is_some_and(|end| now >= end) {
        return Err(Denial::Replaced);
    }
    if !record.networks.permits(call.address) {
        return Err(Denial::AddressForbidden { address: call.address });
    }
    if !record.scopes.allows_all(call.required) {
        return Err(Denial::ScopeMissing { required: call.required, granted: record.scopes });
    }
    if let Some(channel) = call.channel
        && !record.channels.is_empty()
        && !record.channels.iter().any(|allowed| allowed == channel)
    {
        return Err(Denial::ChannelForbidden);
    }
    Ok(secret.number)
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
