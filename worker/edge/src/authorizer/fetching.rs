//! Who asks the stores for what, and who must not.

use super::Authorizer;
use crate::{
    check::PresentedKey,
    single_flight::FETCH_TIMEOUT,
    timeout::{FEED, KV, METER, REGISTRY},
};
use ownchat_domain::time::{SECOND, Timestamp};
use std::net::IpAddr;

/// Milliseconds between two looks at whether somebody else has brought what is lacking. Whoever has waited for long looks
/// less often, and of those who wait for others' keys there may be many.
const POLL_EVERY: i64 = 5;
const POLL_CROWDED: i64 = 20;
/// A call asks neither for its key nor for the feed so long after it came, in milliseconds.
const FETCH_DEADLINE: i64 = FETCH_TIMEOUT + FEED as i64;
/// An answer comes within so many milliseconds, with one question to a meter at its end.
const RESPONSE_DEADLINE: i64 = 12 * SECOND;
const _: () = assert!(FETCH_DEADLINE + ((KV + REGISTRY + METER) as i64) < RESPONSE_DEADLINE);

/// What a call does that lacks something.
#[derive(Debug)]
pub enum Admission {
    /// It asks.
    Fetch,
    /// It looks again after so many milliseconds, since somebody else asks.
    Poll(i64),
    /// It goes on as if it had asked in vain.
    GoOffline,
    /// It is refused, since there are too many like it: let the caller try again after so many milliseconds.
    Throttle(i64),
}

impl Authorizer {
    /// What a call does that came at `begun` and lacks something: what a store knows of its key, or else the feed.
    pub fn admit_fetch(
        &self,
        presented: &PresentedKey,
        client_ip: Option<IpAddr>,
        fetches_key: bool,
        received_at: Timestamp,
        now: Timestamp,
    ) -> Admission {
        let waited = now.since(received_at);
        let (waits, crowded) = if fetches_key {
            if self.is_backing_off(presented, now) {
                return Admission::GoOffline;
            }
            if let Some(wait) = self.throttled(presented, client_ip, now) {
                return Admission::Throttle(wait);
            }
            let waits = self.fetches.borrow().is_in_flight(presented.locator, now);
            (waits, !waits && self.is_crowded(presented, client_ip, now))
        } else {
            (self.feed.borrow().is_reading(presented.key_number.workspace, now), false)
        };
        match (waits || crowded, waited < FETCH_TIMEOUT) {
            (false, _) if waited < FETCH_DEADLINE => Admission::Fetch,
            (true, true) => Admission::Poll((waited / 32).max(if waits { POLL_EVERY } else { POLL_CROWDED })),
            _ if crowded => Admission::Throttle(SECOND),
            _ => Admission::GoOffline,
        }
    }

    /// Whether the last question about a key failed a moment ago, and this secret does not fit what is remembered. So
    /// guessing costs three questions a second at most, also while nobody answers.
    fn is_backing_off(&self, presented: &PresentedKey, now: Timestamp) -> bool {
        self.fetches.borrow().has_failed(presented.locator, now)
            && self.key_cache.borrow().get(presented.locator, now).is_some_and(|cached| {
                cached.record.as_ref().is_some_and(|record| self.match_secret(&cached, record, presented).is_none())
            })
    }

    /// Whether the feed of a workspace was asked lately and did not answer.
    pub fn is_feed_down(&self, workspace: u32, now: Timestamp) -> bool {
        self.feed.borrow().is_down(workspace, now)
    }

    /// Notes that a store is asked for a key, and first for its copy if `copy` says so. [`Self::answered`] ends it. Says
    /// whether nothing is known of the key.
    pub fn begin_fetch(&self, presented: &PresentedKey, copy: bool, client_ip: Option<IpAddr>, now: Timestamp) -> bool {
        self.fetches.borrow_mut().begin(presented.locator, now);
        if copy {
            self.key_cache.borrow_mut().note_replica_read(presented.locator, now);
        }
        let is_unknown = !self.knows_key(presented, now);
        if is_unknown {
            self.miss_limiter.borrow_mut().begin(client_ip, now);
        }
        is_unknown
    }

    /// A store that was asked then for a key has answered, or failed to, at `failed_at`.
    pub fn end_fetch(
        &self,
        presented: &PresentedKey,
        is_unknown: bool,
        client_ip: Option<IpAddr>,
        asked_at: Timestamp,
        failed_at: Option<Timestamp>,
    ) {
        let mut fetches = self.fetches.borrow_mut();
        match failed_at {
            Some(now) => fetches.fail(presented.locator, now),
            None => fetches.end(presented.locator),
        }
        if is_unknown {
            self.miss_limiter.borrow_mut().end(client_ip, asked_at);
        }
    }

    /// How long a caller must wait who sent so many unknown keys that no store is asked for more of them yet.
    pub(super) fn throttled(&self, presented: &PresentedKey, client_ip: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let wait = self.miss_limiter.borrow().holds(client_ip, now)?;
        (!self.knows_key(presented, now)).then_some(wait)
    }

    /// Whether a store is asked for so many keys of this caller, of which nothing is known, that one more must wait.
    pub(super) fn is_crowded(&self, presented: &PresentedKey, client_ip: Option<IpAddr>, now: Timestamp) -> bool {
        self.miss_limiter.borrow_mut().is_full(client_ip, now) && !self.knows_key(presented, now)
    }

    /// Notes that a store was asked for a key of this caller, if it is unknown. A wrong secret of a key that exists is
    /// none: whoever guesses has the vault asked a few times a second at most.
    pub fn note_unknown(&self, presented: &PresentedKey, client_ip: Option<IpAddr>, now: Timestamp) {
        if !self.knows_key(presented, now) {
            self.miss_limiter.borrow_mut().note(client_ip, now);
        }
    }

    /// Whether a key is remembered under this locator that exists, be it good or not.
    fn knows_key(&self, presented: &PresentedKey, now: Timestamp) -> bool {
        let cached = self.key_cache.borrow().get(presented.locator, now);
        cached.and_then(|cached| cached.record).is_some_and(|record| !record.deleted)
    }
}
