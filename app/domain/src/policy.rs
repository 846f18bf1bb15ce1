//! The decision: may a call with this key, at this time, do this?
//!
//! Checks run in one order, and the first that fails is the answer, so that the same call always gets
//! the same reason: known · not deleted · active · not expired · scopes.

use crate::{digest::SecretHash, keyring::Keyring, record::Record, scope::ScopeSet, time::Timestamp, verdict::Denial};

/// Decides a call with a key whose record was found.
///
/// A wrong secret is answered like an unknown key, so that nobody learns which locators exist.
pub fn decide(
    record: &Record,
    presented: &SecretHash,
    required: ScopeSet,
    keyring: &Keyring,
    now: Timestamp,
) -> Result<(), Denial> {
    if !record.recognises(presented, keyring) || record.deleted {
        return Err(Denial::Unknown);
    }
    if !record.active {
        return Err(Denial::Inactive);
    }
    if record.expires_at.is_some_and(|end| now >= end) {
        return Err(Denial::Expired);
    }
    if !record.scopes.allows_all(required) {
        return Err(Denial::ScopeMissing { required, granted: record.scopes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{keyring, record, scopes, secret};

    const BEFORE: Timestamp = Timestamp::from_millis(1_799_999_999_999);
    const END: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn ask(record: &Record, required: &[&str], now: Timestamp) -> Result<(), Denial> {
        decide(record, &SecretHash::of(&secret()), scopes(required), &keyring(), now)
    }

    #[test]
    fn a_good_key_passes_until_the_moment_it_expires() {
        assert_eq!(ask(&record(), &["contacts:read"], BEFORE), Ok(()));
        assert_eq!(ask(&record(), &[], BEFORE), Ok(()));
        assert_eq!(ask(&record(), &[], END), Err(Denial::Expired));
    }

    #[test]
    fn a_missing_scope_is_named() {
        assert_eq!(
            ask(&record(), &["contacts:read", "messages:send"], BEFORE),
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
            let record = Record { active, ..record() };
            assert_eq!(decide(&record, &other, ScopeSet::EMPTY, &keyring(), END), Err(Denial::Unknown));
        }
    }

    #[test]
    fn the_first_reason_in_order_is_the_answer() {
        let mut worst = Record { deleted: true, active: false, ..record() };
        assert_eq!(ask(&worst, &["messages:send"], END), Err(Denial::Unknown));
        worst.deleted = false;
        assert_eq!(ask(&worst, &["messages:send"], END), Err(Denial::Inactive));
        worst.active = true;
        assert_eq!(ask(&worst, &["messages:send"], END), Err(Denial::Expired));
    }
}
