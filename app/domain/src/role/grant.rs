//! Rights that a command gives to a key, and the check that its principal may give them.

use super::{Actor, reach};
use crate::{
    failure::{Failure, FieldErrors},
    key::{Details, widens_only},
    scope::{Risk, ScopeSet},
    time::{DAY, Timestamp},
};

/// Maximum lifetime of a key with full access, in milliseconds from the moment of the grant.
pub const FULL_ACCESS_MAX: i64 = 30 * DAY;

/// The rights that a command gives to a key.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Details of the key that becomes usable, or usable in more ways than before.
    given: &'a Details,
    /// Expiry and reason, for commands that may give full access.
    bounds: Option<(Option<Timestamp>, Option<&'a str>)>,
}

impl<'a> Grant<'a> {
    /// Creates the grant for a new key.
    pub const fn of_new(details: &'a Details, reason: Option<&'a str>) -> Self {
        Self { given: details, bounds: Some((details.expires_at, reason)) }
    }

    /// Creates the grant for an existing key that gets a new secret or is restored.
    pub const fn again(details: &'a Details) -> Self {
        Self { given: details, bounds: None }
    }

    /// Creates the grant for a change. Returns `None` for changes of texts and changes that only
    /// narrow the key.
    pub fn of_change(
        before: &Details,
        after: &'a Details,
        is_activated: bool,
        reason: Option<&'a str>,
    ) -> Option<Self> {
        if !is_activated && widens_only(after, before) {
            return None;
        }
        let prolonged = after.expires_at.is_none_or(|end| before.expires_at.is_some_and(|was| end > was))
            && after.expires_at != before.expires_at;
        let bounded = prolonged || !is_full(before.scopes);
        Some(Self { given: after, bounds: bounded.then_some((after.expires_at, reason)) })
    }

    /// Checks that `principal` may give this grant.
    ///
    /// # Errors
    ///
    /// Fails if the principal lacks a scope, or if a key exceeds its own restrictions. Full access
    /// also fails without a reason, or with an expiry later than [`FULL_ACCESS_MAX`].
    pub fn check(&self, principal: &Actor, now: Timestamp) -> Result<(), Failure> {
        let mut held = principal.scopes();
        if matches!(principal, Actor::Key(..)) {
            // A key may pass on implied scopes, but never `keys:write`, the right to create keys.
            held = held.with_given().without(&["keys:write"]);
        }
        let scopes = self.given.scopes;
        if !held.allows_all(scopes) {
            return Err(Failure::NotHeld { required: scopes, held });
        }
        if let Actor::Key(_, own) = principal {
            reach::check(own, self.given)?;
        }
        match self.bounds {
            Some((expires_at, reason)) if is_full(scopes) => full_access(expires_at, reason, now),
            _ => Ok(()),
        }
    }
}

/// Maximum number of high-risk scopes below full access; about half of all high-risk scopes.
pub const HIGH_RISK_MAX: usize = 8;

/// Returns true if the scopes count as full access, so its rules apply.
fn is_full(scopes: ScopeSet) -> bool {
    scopes.iter().filter(|scope| scope.info().risk == Risk::High).count() > HIGH_RISK_MAX
}

fn full_access(expires_at: Option<Timestamp>, reason: Option<&str>, now: Timestamp) -> Result<(), Failure> {
    let mut errors = FieldErrors::default();
    let ends = expires_at.is_some_and(|end| end.since(now) <= FULL_ACCESS_MAX);
    let days = FULL_ACCESS_MAX / DAY;
    let full = format!("A key with more than {HIGH_RISK_MAX} high-risk permissions counts as full access");
    let end = if ends { Ok(()) } else { Err(format!("{full}: it ends after {days} days at the latest.")) };
    errors.take("expires_at", end);
    let reason = reason.filter(|reason| !reason.is_empty()).ok_or_else(|| format!("{full}: say why it needs them."));
    errors.take("reason", reason);
    errors.finish(Some(()))
}
