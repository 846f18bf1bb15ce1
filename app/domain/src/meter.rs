//! The count of a limited key: permits are handed out in leases, and never more than the limits allow.
//!
//! An isolate of the edge takes a lease of permits, spends them on calls from memory, and gives back what
//! it did not need. So most calls of a busy key ask nobody, and yet no limit is ever exceeded:
//!
//! * **Rate.** A permit of a lease can be spent from the moment it was granted until the lease ends. A
//!   grant is counted until one window after that end, so at every moment the permits that may have been
//!   spent within one window are all counted together, and their sum is held to the limit. This holds for
//!   every stretch of time as long as the window, wherever it begins.
//! * **Quota.** A permit is counted in the calendar period in which it was granted, and a lease ends with
//!   its period at the latest.
//!
//! The price: what a lease holds and its isolate does not need is missing to others until it comes back.
//! With `k` isolates that hold leases of at most `b` permits beyond what they need, at most `k × b` of a
//! limit are wrongly refused at any moment. Nobody gets more beyond the need than an eighth of what is left, so what
//! is held shrinks as a limit is used up, and a quota is used up exactly. A key that is always at its rate limit gets
//! at least `w / (w + l)` of it, where `w` is the window and `l` the length of a lease.

use crate::{
    limit::{Limits, Period, RateLimit},
    time::{SECOND, Timestamp},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Longest time for which a lease may be spent, in milliseconds.
pub const LEASE_MAX: i64 = 2 * SECOND;
/// Shortest time for which a lease may be spent, in milliseconds: a lease that is longer on its way is of no use.
const LEASE_MIN: i64 = 500;
/// Most permits that one lease holds beyond what is needed at once.
pub const SPARE_MAX: u32 = 1_000;
/// Of what is left after the need, one part in this many may be held in reserve.
const SPARE_PART: u32 = 8;
/// In how many parts of a window grants are told apart; within one part the earlier count as long as the latest.
const GRAINS: i64 = 32;
/// How long unused permits may come back, in milliseconds.
const RETURN_LIMIT: i64 = 60 * SECOND;

/// What an isolate asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The limits, as they stand in the key's record.
    pub limits: Limits,
    /// Version of that record; limits of an older one are not believed.
    pub version: u64,
    /// Permits that are needed now: the cost of the call that waits. None to give back only.
    pub need: u32,
    /// Permits that would be welcome beyond that.
    pub spare: u32,
    /// What is left of earlier leases.
    pub unused: Vec<Unused>,
}

/// Permits that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// Number of the lease.
    pub lease: u64,
    /// How many of its permits were not spent, and never will be.
    pub permits: u32,
}

/// What the meter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// These permits may be spent.
    Lease(Lease),
    /// The need is more than is left.
    Refused(Refusal),
}

/// Permits, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its number.
    pub number: u64,
    /// At least the need.
    pub permits: u32,
    /// For how long they may be spent, in milliseconds from the moment at which they were asked for.
    pub lasts: i64,
    /// How things stand after it.
    pub standing: Standing,
}

/// Why there is no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whether it is the quota, not the rate, that refuses.
    pub by_quota: bool,
    /// After so many milliseconds it is worth asking again.
    pub retry_after: i64,
    /// How things stand.
    pub standing: Standing,
}

/// What is left of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Permits left of the rate limit, and milliseconds until all are there again.
    pub rate: Option<(u32, i64)>,
    /// Permits left of the quota, and milliseconds until it is refilled.
    pub quota: Option<(u32, i64)>,
}

/// Writes a question or an answer. They are asked and answered on a call's way, so they are small.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    // Numbers only: there is nothing in a message that cannot be written.
    bytes.extend(postcard::to_allocvec(message).unwrap_or_default());
    bytes
}

/// Reads a question or an answer; nothing if it is not one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (layout, body) = bytes.split_first()?;
    (*layout == LAYOUT).then(|| postcard::from_bytes(body).ok())?
}

/// The version of the layout that is written.
const LAYOUT: u8 = 1;

/// The meter of one key. All that it must remember is in here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    limits: Limits,
    version: u64,
    last_lease: u64,
    grants: Vec<Grant>,
    /// When the period began that `used` counts, and how much of the quota is gone.
    period: Timestamp,
    kind: Option<Period>,
    used: u32,
}

/// A lease that still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Grant {
    lease: u64,
    permits: u32,
    at: Timestamp,
    ends: Timestamp,
    /// Nothing more can come back.
    closed: bool,
}

impl Meter {
    /// Hands out permits, or says why not.
    pub fn take(&mut self, ask: &Take, now: Timestamp) -> Taken {
        if ask.version >= self.version {
            self.limits = ask.limits;
            self.version = ask.version;
        }
        self.turn_the_page(now);
        ask.unused.iter().for_each(|unused| self.give_back(*unused, now));
        self.forget(now);

        let (rate, quota) = (self.rate_left(now), self.quota_left());
        let left = rate.unwrap_or(u32::MAX).min(quota.unwrap_or(u32::MAX));
        if ask.need > left {
            let by_quota = quota.is_some_and(|left| ask.need > left);
            let retry_after = if by_quota { self.until_refill(now) } else { self.until_free(ask.need, now) };
            return Taken::Refused(Refusal { by_quota, retry_after, standing: self.standing(now) });
        }
        let spare = ask.spare.min((left - ask.need) / SPARE_PART).min(SPARE_MAX);
        let permits = ask.need + spare;
        let lasts = self.lease_length(now);
        self.last_lease += 1;
        if permits > 0 {
            self.used = self.used.saturating_add(permits);
            let ends = now.plus(lasts);
            // Without any to spare nothing can come back.
            self.grants.push(Grant { lease: self.last_lease, permits, at: now, ends, closed: spare == 0 });
        }
        Taken::Lease(Lease { number: self.last_lease, permits, lasts, standing: self.standing(now) })
    }

    /// What is left, without taking anything.
    pub fn standing(&self, now: Timestamp) -> Standing {
        Standing {
            rate: self.rate_left(now).map(|left| (left, self.until_free(u32::MAX, now))),
            quota: self.quota_left().map(|left| (left, self.until_refill(now))),
        }
    }

    /// Starts counting anew when a period of the quota is over, or when another kind of period was chosen.
    fn turn_the_page(&mut self, now: Timestamp) {
        let Some(quota) = self.limits.quota else { return };
        let start = quota.period.start(now);
        // A clock that was set back a little turns no page back.
        if start > self.period || self.kind != Some(quota.period) {
            (self.period, self.kind, self.used) = (start, Some(quota.period), 0);
        }
    }

    fn give_back(&mut self, unused: Unused, now: Timestamp) {
        let found = self.grants.iter_mut().find(|grant| grant.lease == unused.lease && !grant.closed);
        if let Some(grant) = found {
            let permits = unused.permits.min(grant.permits);
            grant.permits -= permits;
            grant.closed = true;
            // Nothing of it will be spent any more.
            grant.ends = grant.ends.min(now);
            if grant.at >= self.period {
                self.used = self.used.saturating_sub(permits);
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let window = self.limits.rate.map_or(0, RateLimit::window);
        self.grants.retain(|grant| {
            let counts = now < grant.ends.plus(window);
            let may_come_back = !grant.closed && now < grant.ends.plus(RETURN_LIMIT);
            counts || may_come_back
        });
        self.grants.sort_by_key(|grant| (grant.closed, grant.ends));
        // Those that are only counted are counted together, the earlier until the later ends.
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

    /// Permits of the rate limit that nobody can have spent within one window from now.
    fn rate_left(&self, now: Timestamp) -> Option<u32> {
        let rate = self.limits.rate?;
        let taken = self.counting(rate, now).fold(0, |sum: u32, grant| sum.saturating_add(grant.permits));
        Some(rate.limit.saturating_sub(taken))
    }

    fn counting(&self, rate: RateLimit, now: Timestamp) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| now < grant.ends.plus(rate.window()))
    }

    fn quota_left(&self) -> Option<u32> {
        self.limits.quota.map(|quota| quota.limit.saturating_sub(self.used))
    }

    /// Milliseconds until so many permits of the rate limit are free, or as many as there ever are.
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

    /// A quarter of the window, within bounds, and never into the next period.
    fn lease_length(&self, now: Timestamp) -> i64 {
        let by_rate = self.limits.rate.map_or(LEASE_MAX, |rate| (rate.window() / 4).clamp(LEASE_MIN, LEASE_MAX));
        match self.limits.quota {
            Some(quota) => by_rate.min(quota.period.end(now).since(now)),
            None => by_rate,
        }
    }
}

#[cfg(test)]
#[path = "meter/tests.rs"]
mod tests;
