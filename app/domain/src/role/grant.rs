//! What a command gives to a key, and whether its principal may give that.

use super::{Principal, reach};
use crate::{
    failure::{Failure, Findings},
    key::{Details, widens_only},
    scope::{Risk, ScopeSet},
    time::{DAY, Timestamp},
};

/// Longest life of a key with full access, in milliseconds from the moment at which it is given.
pub const FULL_ACCESS_MAX: i64 = 30 * DAY;

/// What is given to a key.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// What is said of the key that somebody may use, or may use more freely than before.
    given: &'a Details,
    /// When it ends and why it is given, where full access may be given.
    bounds: Option<(Option<Timestamp>, Option<&'a str>)>,
}

impl<'a> Grant<'a> {
    /// What a new key is given.
    pub const fn of_new(details: &'a Details, reason: Option<&'a str>) -> Self {
        Self { given: details, bounds: Some((details.expires_at, reason)) }
    }

    /// What a key of which this is said gets back: a new secret, or its life.
    pub const fn again(details: &'a Details) -> Self {
        Self { given: details, bounds: None }
    }

    /// What a change gives. Words, and what only takes something, give nothing.
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

    /// Whether `principal` may give it.
    pub fn check(&self, principal: &Principal, now: Timestamp) -> Result<(), Failure> {
        let mut held = principal.scopes();
        if matches!(principal, Principal::Key(..)) {
            // A key never hands on the power to make keys, but what that gives to it as well.
            held = held.with_given().without(&["keys:write"]);
        }
        let scopes = self.given.scopes;
        if !held.allows_all(scopes) {
            return Err(Failure::NotHeld { required: scopes, held });
        }
        if let Principal::Key(_, own) = principal {
            reach::check(own, self.given)?;
        }
        match self.bounds {
            Some((expires_at, reason)) if is_full(scopes) => full_access(expires_at, reason, now),
            _ => Ok(()),
        }
    }
}

/// Most high-risk scopes of a key that does not count as one with full access; about half of them.
pub const HIGH_RISK_MAX: usize = 8;

/// Tells if the scopes open so much that the rules of full access hold.
fn is_full(scopes: ScopeSet) -> bool {
    scopes.iter().filter(|scope| scope.info().risk == Risk::High).count() > HIGH_RISK_MAX
}

fn full_access(expires_at: Option<Timestamp>, reason: Option<&str>, now: Timestamp) -> Result<(), Failure> {
    let mut found = Findings::default();
    let ends = expires_at.is_some_and(|end| end.since(now) <= FULL_ACCESS_MAX);
    let days = FULL_ACCESS_MAX / DAY;
    let full = format!("A key with more than {HIGH_RISK_MAX} high-risk permissions counts as full access");
    let end = if ends { Ok(()) } else { Err(format!("{full}: it ends after {days} days at the latest.")) };
    found.take("expires_at", end);
    let reason = reason.filter(|reason| !reason.is_empty()).ok_or_else(|| format!("{full}: say why it needs them."));
    found.take("reason", reason);
    found.finish(Some(()))
}
