//! Admission of fetches: coalesces concurrent fetches of one key or feed, and bounds the time that
//! a request waits. Throttles clients that send unknown keys.

use super::Authorizer;
use crate::{
    key_check::PresentedKey,
    single_flight::FETCH_TIMEOUT,
    timeouts::{FEED, KV, METER, REGISTRY},
};
use ownchat_domain::time::{SECOND, Timestamp};
use std::net::IpAddr;

/// Milliseconds between two polls for the result of somebody else's fetch. A request that has
/// waited for long polls less often. So do those in the crowd of unknown keys, of which there may
/// be many.
const POLL_EVERY: i64 = 5;
const POLL_CROWDED: i64 = 20;
/// Milliseconds after its arrival in which a request may start a fetch of its key or feed.
const FETCH_DEADLINE: i64 = FETCH_TIMEOUT + FEED as i64;
/// Milliseconds in which every request gets a response, with one lease request at the end.
const RESPONSE_DEADLINE: i64 = 12 * SECOND;
const _: () = assert!(FETCH_DEADLINE + ((KV + REGISTRY + METER) as i64) < RESPONSE_DEADLINE);

/// The next step of a request that needs a fetch.
#[derive(Debug)]
pub enum Admission {
    /// It fetches.
    Fetch,
    /// It polls after so many milliseconds, since the same fetch is in flight.
    Poll(i64),
    /// It continues as if its fetch had failed.
    GoOffline,
    /// It is refused, since there are too many like it. The caller may retry after so many
    /// milliseconds.
    Throttle(i64),
}

impl Authorizer {
    /// Admits a fetch for a request that arrived at `received_at`: of its key, or else of the feed.
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

    /// Returns true if the last fetch of the key failed a moment ago and its secret matches no
    /// cached one. So guessing secrets costs one fetch a second at most while the vault fails.
    fn is_backing_off(&self, presented: &PresentedKey, now: Timestamp) -> bool {
        self.fetches.borrow().has_failed(presented.locator, now)
            && self.key_cache.borrow().get(presented.locator, now).is_some_and(|cached| {
                cached.record.as_ref().is_some_and(|record| self.match_secret(&cached, record, presented).is_none())
            })
    }

    /// Returns true if the last read of the workspace's feed failed a moment ago.
    pub fn is_feed_down(&self, workspace: u32, now: Timestamp) -> bool {
        self.feed.borrow().is_down(workspace, now)
    }

    /// Marks a fetch of a key as in flight; `reads_replica` if it reads KV first. Returns true if
    /// no such key is cached. [`Self::end_fetch`] ends it.
    pub fn begin_fetch(
        &self,
        presented: &PresentedKey,
        reads_replica: bool,
        client_ip: Option<IpAddr>,
        now: Timestamp,
    ) -> bool {
        self.fetches.borrow_mut().begin(presented.locator, now);
        if reads_replica {
            self.key_cache.borrow_mut().note_replica_read(presented.locator, now);
        }
        let is_unknown = !self.knows_key(presented, now);
        if is_unknown {
            self.miss_limiter.borrow_mut().begin(client_ip, now);
        }
        is_unknown
    }

    /// Ends a fetch that began at `requested_at`; `failed_at` is set if it failed.
    pub fn end_fetch(
        &self,
        presented: &PresentedKey,
        is_unknown: bool,
        client_ip: Option<IpAddr>,
        requested_at: Timestamp,
        failed_at: Option<Timestamp>,
    ) {
        let mut fetches = self.fetches.borrow_mut();
        match failed_at {
            Some(now) => fetches.fail(presented.locator, now),
            None => fetches.end(presented.locator),
        }
        if is_unknown {
            self.miss_limiter.borrow_mut().end(client_ip, requested_at);
        }
    }

    /// Returns how long a client must wait that sent too many unknown keys, in milliseconds. Until
    /// then no store is queried for another one.
    pub(super) fn throttled(&self, presented: &PresentedKey, client_ip: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let wait = self.miss_limiter.borrow().wait(client_ip, now)?;
        (!self.knows_key(presented, now)).then_some(wait)
    }

    /// Returns true if so many fetches of unknown keys of this client are in flight that one more
    /// must wait.
    pub(super) fn is_crowded(&self, presented: &PresentedKey, client_ip: Option<IpAddr>, now: Timestamp) -> bool {
        self.miss_limiter.borrow_mut().is_full(client_ip, now) && !self.knows_key(presented, now)
    }

    /// Counts a fetch of an unknown key against its client. A wrong secret of an existing key does
    /// not count: guessing it costs a few fetches a second at most.
    pub fn note_unknown(&self, presented: &PresentedKey, client_ip: Option<IpAddr>, now: Timestamp) {
        if !self.knows_key(presented, now) {
            self.miss_limiter.borrow_mut().record_miss(client_ip, now);
        }
    }

    /// Returns true if an existing key is cached under this locator, whatever its state.
    fn knows_key(&self, presented: &PresentedKey, now: Timestamp) -> bool {
        let cached = self.key_cache.borrow().get(presented.locator, now);
        cached.and_then(|cached| cached.record).is_some_and(|record| !record.deleted)
    }
}
