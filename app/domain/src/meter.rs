//! Rate limit and quota of one key: grants leases on permits, and never exceeds the limits.
//!
//! An isolate of the edge leases permits, spends them from memory, and returns the unused ones. So
//! most requests of a busy key need no round trip, and yet no limit is ever exceeded:
//!
//! * **Rate.** A permit can be spent from its grant until the lease ends. A grant counts until one
//!   window after that end. So all permits that may have been spent within one window always count
//!   together. Their sum never exceeds the limit. This holds for every window, wherever it begins.
//!   With its next lease request, the isolate reports the time since it spent a lease's last
//!   permit. The lease then counts until one window after that time. The request arrives later than
//!   it was written, so no permit is freed too early.
//! * **Quota.** A permit counts in the calendar period of its grant. A lease ends with its period
//!   at the latest.
//!
//! The price: spare permits of a lease are unavailable to other isolates until they are returned.
//! Suppose `k` isolates hold leases with at most `b` spare permits each. Then at most `k × b` of a
//! limit are wrongly refused at any time. The spare permits of a lease are at most an eighth of the
//! permits left. So the reserves shrink as a limit is used up, and a quota is used up exactly. A
//! key that is always at its rate limit gets at least `w / (w + l)` of it
//! ([`RateLimit::guaranteed`]). Here, `w` is the window and `l` the length of a lease. A key that a
//! single isolate serves gets all permits except those counted while a lease request is in flight.
//!
//! # Returned permits
//!
//! Time does not refill a quota within its period, so no permit may get lost in transit. In the
//! end, the isolate reports the unspent permits of every lease. It reports none if the lease is
//! used up, and all if the lease arrived too late. It also reports all if no response arrived.
//! Therefore an isolate names its leases itself. A lease that is returned before its request
//! arrives is void from then on. An isolate has [`RETURN_LIMIT`] from the end of a lease to return
//! permits. Permits known only to a lost isolate stay counted until the period ends.
//!
//! # Changed limits
//!
//! Permits used in the current period stay used. Every permit counts towards its day and its month,
//! regardless of the current quota. So a quota with a new limit or period starts with the correct
//! remainder. Requests from a time without any limit were never counted. A lease that is spent past
//! midnight counts towards the day of its grant.
//!
//! The meter ignores the limits of a record older than the newest one of the same day. On the next
//! day it accepts them. It accepts them at once after an import of an older file
//! ([`MeterState::believe_anew`]). In that file, the key has a smaller version than before. A
//! request that only returns permits never changes the limits.

mod message;
mod stored;
mod used;

pub use message::{
    ALL, Lease, LeaseRequest, LeaseResponse, LimitState, NAMED, Outlook, Refusal, Remaining, ReturnedPermits, decode,
    encode,
};

use self::used::Used;
use crate::{
    limit::{Limits, RateLimit},
    time::{SECOND, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Maximum length of a lease, in milliseconds.
pub const LEASE_MAX: i64 = 2 * SECOND;
/// Time after the end of a lease in which unused permits can be returned, in milliseconds.
pub const RETURN_LIMIT: i64 = 60 * SECOND;
/// Minimum length of a lease under a rate limit, in milliseconds.
///
/// A lease that takes longer to arrive is useless.
const LEASE_MIN: i64 = 500;
/// Maximum spare permits of one lease, beyond the immediate need.
pub const SPARE_MAX: u32 = 1_000;
/// Divisor for the spare permits of a lease, applied to the permits left after the need.
const SPARE_PART: u32 = 8;
/// Threshold of a long window, in lease lengths.
///
/// A longer window loses less than a hundredth to permits that are not reported back.
const LONG: i64 = 100;
/// Parts of a window into which grants are grouped.
///
/// Within one part, earlier grants count as long as the latest one.
const GRAINS: i64 = 100;
/// Maximum leases that accept returns. Beyond it, the leases that end first count as spent.
const OPEN_MAX: usize = 1_000;
/// Maximum void leases whose requests have not arrived.
const VOID_MAX: usize = 100;

/// The meter of one key: its whole persistent state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterState {
    limits: Limits,
    version: u64,
    last_lease: u64,
    grants: Vec<LeaseGrant>,
    used: Used,
    /// Leases that were returned before their request, with the time of the return.
    void: Vec<(u64, Timestamp)>,
    /// True after a change that time alone does not reproduce.
    #[serde(skip)]
    changed: bool,
}

/// A lease that still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LeaseGrant {
    lease: u64,
    permits: u32,
    at: Timestamp,
    ends: Timestamp,
    /// True if no more permits can be returned.
    closed: bool,
}

impl MeterState {
    /// Grants a lease, or refuses with the reason.
    pub fn take(&mut self, ask: &LeaseRequest, now: Timestamp) -> LeaseResponse {
        self.bound(now);
        self.turn_the_page(now);
        if ask.need > 0 || ask.spare > 0 {
            self.believe(ask.limits, ask.version);
        }
        for (place, unused) in ask.unused.iter().enumerate() {
            let idle = ask.idle.get(place).copied().unwrap_or(0);
            self.give_back(*unused, now.plus(-i64::from(idle)), now);
        }
        self.forget(now);
        if self.was_given_back(ask.name) {
            // No isolate waits for this response.
            return LeaseResponse::Refused(Refusal { by_quota: false, retry_after: 0, standing: self.standing(now) });
        }

        let (rate, quota) = (self.rate_left(now), self.quota_left());
        let left = rate.unwrap_or(u32::MAX).min(quota.unwrap_or(u32::MAX));
        if ask.need > left {
            // The first limit that refuses is reported, and the rate limit comes first.
            let by_quota = rate.is_none_or(|left| ask.need <= left);
            let retry_after = match self.limits.rate {
                _ if by_quota => self.until_refill(now),
                // The request never fits. The wait prevents an immediate retry.
                Some(rate) if ask.need > rate.limit => rate.window(),
                _ => self.until_free(ask.need, now),
            };
            return LeaseResponse::Refused(Refusal { by_quota, retry_after, standing: self.standing(now) });
        }
        let spare = ask.spare.min((left - ask.need) / SPARE_PART).min(SPARE_MAX);
        let permits = ask.need + spare;
        let lasts = self.lease_length(now);
        let number = self.number(ask.name);
        if permits > 0 {
            self.changed = true;
            self.used.add(permits);
            let ends = now.plus(lasts);
            // In a long window, the permits needed at once free up soon enough without a return.
            let closed =
                spare == 0 && quota.is_none() && self.limits.rate.is_none_or(|rate| rate.window() > lasts * LONG);
            self.grants.push(LeaseGrant { lease: number, permits, at: now, ends, closed });
        }
        LeaseResponse::Lease(Lease { number, permits, lasts, standing: self.standing_of(ask, now) })
    }

    /// Returns the remaining permits to report. A request for no permits sees its own record's
    /// limits.
    fn standing_of(&self, ask: &LeaseRequest, now: Timestamp) -> LimitState {
        if ask.need > 0 || ask.spare > 0 {
            return self.standing(now);
        }
        let mut meter = self.clone();
        meter.believe(ask.limits, ask.version);
        meter.standing(now)
    }

    /// Predicts the outcome of a request that costs `need` permits. Spends nothing.
    pub fn look(&self, limits: Limits, version: u64, need: u32, now: Timestamp) -> Outlook {
        let mut meter = self.clone();
        meter.bound(now);
        meter.turn_the_page(now);
        meter.believe(limits, version);
        let standing = meter.standing(now);
        let ask = LeaseRequest { limits, version, need, spare: 0, ..LeaseRequest::default() };
        let refusal = match meter.take(&ask, now) {
            LeaseResponse::Lease(_) => None,
            LeaseResponse::Refused(refusal) => Some(refusal),
        };
        Outlook { standing, refusal }
    }

    /// Returns true if the state must be stored before the response is sent.
    ///
    /// Effects of time alone can be recomputed.
    pub const fn has_changed(&self) -> bool {
        self.changed
    }

    /// Returns the remaining permits, without taking any.
    pub fn standing(&self, now: Timestamp) -> LimitState {
        LimitState {
            rate: self.rate_left(now).map(|permits| Remaining { permits, refills_in: self.until_free(u32::MAX, now) }),
            quota: self.quota_left().map(|permits| Remaining { permits, refills_in: self.until_refill(now) }),
        }
    }

    /// Bounds times that are too far in the future because the clock was set back.
    ///
    /// Otherwise callers would wait for the whole difference.
    fn bound(&mut self, now: Timestamp) {
        let latest = now.plus(LEASE_MAX);
        for grant in self.grants.iter_mut().filter(|grant| grant.ends > latest) {
            (grant.ends, self.changed) = (latest, true);
        }
        for (_, at) in self.void.iter_mut().filter(|(_, at)| *at > now) {
            (*at, self.changed) = (now, true);
        }
        self.changed |= self.used.bound(now);
    }

    /// Resets the counts of periods that have ended. On a new day, any record version is accepted.
    fn turn_the_page(&mut self, now: Timestamp) {
        if self.used.turn_the_page(now) {
            self.version = 0;
        }
    }

    /// Accepts a record of any version from now on, until a newer one is accepted.
    pub const fn believe_anew(&mut self) {
        self.changed |= self.version > 0;
        self.version = 0;
    }

    /// Applies the limits of a record, unless the record is older.
    fn believe(&mut self, limits: Limits, version: u64) {
        if version >= self.version && (version, limits) != (self.version, self.limits) {
            (self.version, self.limits, self.changed) = (version, limits, true);
        }
    }

    /// Takes back a lease. None of its permits was spent after `spent_at`, and none will be.
    fn give_back(&mut self, unused: ReturnedPermits, spent_at: Timestamp, now: Timestamp) {
        let Some(grant) = self.grants.iter_mut().find(|grant| grant.lease == unused.lease) else {
            // The lease request may still be in flight.
            if unused.permits == ALL && unused.lease >= NAMED && self.void.iter().all(|(name, _)| *name != unused.lease)
            {
                self.void.push((unused.lease, now));
                self.changed = true;
            }
            return;
        };
        if !grant.closed {
            let permits = unused.permits.min(grant.permits);
            grant.permits -= permits;
            grant.closed = true;
            grant.ends = grant.ends.min(spent_at).max(grant.at);
            self.used.give_back(permits, grant.at);
            self.changed = true;
        }
    }

    /// Returns true if the named lease was returned before its request arrived.
    fn was_given_back(&mut self, name: u64) -> bool {
        let before = self.void.len();
        self.void.retain(|(void, _)| *void != name);
        let was = self.void.len() < before;
        self.changed |= was;
        was
    }

    /// Returns the number of a new lease: its name, or the next free number.
    fn number(&mut self, name: u64) -> u64 {
        if name >= NAMED && self.grants.iter().all(|grant| grant.lease != name) {
            return name;
        }
        self.last_lease += 1;
        self.last_lease
    }

    fn forget(&mut self, now: Timestamp) {
        let window = self.limits.rate.map_or(0, RateLimit::window);
        self.grants.retain(|grant| {
            let counts = now < grant.ends.plus(window);
            let may_come_back = !grant.closed && now < grant.ends.plus(RETURN_LIMIT);
            counts || may_come_back
        });
        self.void.retain(|(_, at)| now < at.plus(RETURN_LIMIT));
        self.void.drain(..self.void.len().saturating_sub(VOID_MAX));
        self.grants.sort_by_key(|grant| (grant.closed, grant.ends));
        let open = self.grants.partition_point(|grant| !grant.closed);
        if let Some(over) = open.checked_sub(OPEN_MAX) {
            self.grants.iter_mut().take(over).for_each(|grant| grant.closed = true);
            self.grants.sort_by_key(|grant| (grant.closed, grant.ends));
        }
        // Merges closed grants of one part of a window. The earlier counts as long as the later.
        let grain = (window / GRAINS).max(1);
        self.grants.dedup_by(|later, earlier| {
            let together = earlier.closed
                && later.closed
                && later.ends.millis().div_euclid(grain) == earlier.ends.millis().div_euclid(grain);
            if together {
                earlier.permits = earlier.permits.saturating_add(later.permits);
                (earlier.at, earlier.ends) = (earlier.at.max(later.at), earlier.ends.max(later.ends));
            }
            together
        });
    }

    /// Returns the permits of the rate limit that are certainly unspent in the current window.
    fn rate_left(&self, now: Timestamp) -> Option<u32> {
        let rate = self.limits.rate?;
        let taken = self.counting(rate, now).fold(0, |sum: u32, grant| sum.saturating_add(grant.permits));
        Some(rate.limit.saturating_sub(taken))
    }

    fn counting(&self, rate: RateLimit, now: Timestamp) -> impl Iterator<Item = &LeaseGrant> {
        self.grants.iter().filter(move |grant| now < grant.ends.plus(rate.window()))
    }

    fn quota_left(&self) -> Option<u32> {
        self.limits.quota.map(|quota| quota.limit.saturating_sub(self.used.within(quota.period)))
    }

    /// Returns the milliseconds until `need` permits of the rate limit are free, or else all of
    /// them.
    fn until_free(&self, need: u32, now: Timestamp) -> i64 {
        let Some(rate) = self.limits.rate else { return 0 };
        let mut frees: Vec<(Timestamp, u32)> =
            self.counting(rate, now).map(|grant| (grant.ends.plus(rate.window()), grant.permits)).collect();
        frees.sort_unstable();
        let mut left = self.rate_left(now).unwrap_or(0);
        let mut when = now;
        for (moment, permits) in frees {
            if left >= need {
                break;
            }
            left = left.saturating_add(permits);
            when = moment;
        }
        when.since(now)
    }

    fn until_refill(&self, now: Timestamp) -> i64 {
        self.limits.quota.map_or(0, |quota| quota.period.end(now).since(now))
    }

    /// Returns the rate limit's lease length, in milliseconds, without crossing the quota's period.
    fn lease_length(&self, now: Timestamp) -> i64 {
        let by_rate = self.limits.rate.map_or(LEASE_MAX, RateLimit::lease_length);
        match self.limits.quota {
            Some(quota) => by_rate.min(quota.period.end(now).since(now)),
            None => by_rate,
        }
    }
}

impl RateLimit {
    /// Returns the length of a lease, in milliseconds: a quarter of the window, within bounds.
    fn lease_length(self) -> i64 {
        (self.window() / 4).clamp(LEASE_MIN, LEASE_MAX)
    }

    /// Returns the permits guaranteed in every window, for any number of isolates.
    pub fn guaranteed(self) -> u32 {
        let share = i64::from(self.limit) * self.window() / (self.window() + self.lease_length());
        u32::try_from(share).unwrap_or(self.limit)
    }
}

#[cfg(test)]
mod tests;
