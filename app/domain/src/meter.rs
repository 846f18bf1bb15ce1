//! The count of a limited key: permits are handed out in leases, and never more than the limits allow.
//!
//! An isolate of the edge takes a lease of permits, spends them on calls from memory, and gives back what
//! it did not need. So most calls of a busy key ask nobody, and yet no limit is ever exceeded:
//!
//! * **Rate.** A permit of a lease can be spent from the moment it was granted until the lease
//!   ends. A grant is counted until one window after that end, so at every moment the permits that
//!   may have been spent within one window are all counted together, and their sum is held to the
//!   limit. This holds for every stretch of time as long as the window, wherever it begins. With
//!   its next question the isolate says how long ago it spent the last permit of a lease, which is
//!   then counted until one window after that: the question arrives later than it was written, so
//!   it never says too much.
//! * **Quota.** A permit is counted in the calendar period in which it was granted, and a lease ends with
//!   its period at the latest.
//!
//! The price: what a lease holds and its isolate does not need is missing to others until it comes
//! back. With `k` isolates that hold leases of at most `b` permits beyond what they need, at most
//! `k × b` of a limit are wrongly refused at any moment. Nobody gets more beyond the need than an
//! eighth of what is left, so what is held shrinks as a limit is used up, and a quota is used up
//! exactly. A key that is always at its rate limit gets at least `w / (w + l)` of it, where `w` is
//! the window and `l` the length of a lease ([`RateLimit::guaranteed`]); one that a single isolate
//! serves gets all but what is counted while a question is on its way.
//!
//! # What comes back
//!
//! A quota is not refilled by time, so nothing of it may get lost on the way. Of every lease the isolate says in the end what was
//! not spent: nothing if it is used up, all of it if it came too late to be spent, and all of it, too, if its answer never came,
//! which is why an isolate names its leases itself. A lease that is given back before its question has arrived is void when
//! it does. An isolate has [`RETURN_LIMIT`] from the end of a lease to say so; what only an isolate knew that is gone by then
//! stays counted until the period ends.
//!
//! # When the limits change
//!
//! What was used in the present period stays used. Every permit is counted towards its day and its month, whatever the quota
//! is at that time, so with another number or another period what is left is what the new quota has left. Calls from a
//! time without any limit were never counted. What a lease has carried past midnight counts to the day in which it was handed out.
//!
//! Limits of an older record than the newest that was seen on the same day are not believed. On the next day they are, and at once when
//! its key was read in from an older file, in which it has a smaller version than before ([`Meter::believe_anew`]). An isolate that
//! gives back what it was granted before does not tell the meter its limits.

mod message;
mod stored;
mod used;

pub use message::{ALL, Lease, NAMED, Outlook, Refusal, Standing, Take, Taken, Unused, decode, encode};

use self::used::Used;
use crate::{
    limit::{Limits, RateLimit},
    time::{SECOND, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Longest time for which a lease may be spent, in milliseconds.
pub const LEASE_MAX: i64 = 2 * SECOND;
/// How long unused permits may come back after the end of their lease, in milliseconds.
pub const RETURN_LIMIT: i64 = 60 * SECOND;
/// Shortest time for which a lease may be spent, in milliseconds: a lease that is longer on its way is of no use.
const LEASE_MIN: i64 = 500;
/// Most permits that one lease holds beyond what is needed at once.
pub const SPARE_MAX: u32 = 1_000;
/// Of what is left after the need, one part in this many may be held in reserve.
const SPARE_PART: u32 = 8;
/// A window of more than so many lengths of a lease loses less than a hundredth to what is not
/// reported back.
const LONG: i64 = 100;
/// In how many parts of a window grants are told apart; within one part the earlier count as long as the latest.
const GRAINS: i64 = 100;
/// Most leases of which something may come back. Of more, those that end first count as spent.
const OPEN_MAX: usize = 1_000;
/// Most leases that are void and whose questions have not arrived.
const VOID_MAX: usize = 100;

/// The meter of one key. All that it must remember is in here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    limits: Limits,
    version: u64,
    last_lease: u64,
    grants: Vec<Grant>,
    used: Used,
    /// Leases that were given back before they were asked for, and when.
    void: Vec<(u64, Timestamp)>,
    /// Something has changed that is not a matter of time.
    #[serde(skip)]
    changed: bool,
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
            // Nobody waits for this answer.
            return Taken::Refused(Refusal { by_quota: false, retry_after: 0, standing: self.standing(now) });
        }

        let (rate, quota) = (self.rate_left(now), self.quota_left());
        let left = rate.unwrap_or(u32::MAX).min(quota.unwrap_or(u32::MAX));
        if ask.need > left {
            // The first that refuses is named, and the rate is the first.
            let by_quota = rate.is_none_or(|left| ask.need <= left);
            let retry_after = match self.limits.rate {
                _ if by_quota => self.until_refill(now),
                // It never passes. Nobody shall try at once.
                Some(rate) if ask.need > rate.limit => rate.window(),
                _ => self.until_free(ask.need, now),
            };
            return Taken::Refused(Refusal { by_quota, retry_after, standing: self.standing(now) });
        }
        let spare = ask.spare.min((left - ask.need) / SPARE_PART).min(SPARE_MAX);
        let permits = ask.need + spare;
        let lasts = self.lease_length(now);
        let number = self.number(ask.name);
        if permits > 0 {
            self.changed = true;
            self.used.add(permits);
            let ends = now.plus(lasts);
            // Of a long window, what was needed at once comes back by itself soon enough.
            let closed =
                spare == 0 && quota.is_none() && self.limits.rate.is_none_or(|rate| rate.window() > lasts * LONG);
            self.grants.push(Grant { lease: number, permits, at: now, ends, closed });
        }
        Taken::Lease(Lease { number, permits, lasts, standing: self.standing_of(ask, now) })
    }

    /// How things stand for whom has asked. Whoever takes nothing is told how they would stand with the limits of their record.
    fn standing_of(&self, ask: &Take, now: Timestamp) -> Standing {
        if ask.need > 0 || ask.spare > 0 {
            return self.standing(now);
        }
        let mut meter = self.clone();
        meter.believe(ask.limits, ask.version);
        meter.standing(now)
    }

    /// How a call that needs so many permits would fare. Nothing is spent.
    pub fn look(&self, limits: Limits, version: u64, need: u32, now: Timestamp) -> Outlook {
        let mut meter = self.clone();
        meter.bound(now);
        meter.turn_the_page(now);
        meter.believe(limits, version);
        let standing = meter.standing(now);
        let ask = Take { limits, version, need, spare: 0, ..Take::default() };
        let refusal = match meter.take(&ask, now) {
            Taken::Lease(_) => None,
            Taken::Refused(refusal) => Some(refusal),
        };
        Outlook { standing, refusal }
    }

    /// Whether it must be stored before the answer is told. What time alone has changed can be found out again.
    pub const fn has_changed(&self) -> bool {
        self.changed
    }

    /// What is left, without taking anything.
    pub fn standing(&self, now: Timestamp) -> Standing {
        Standing {
            rate: self.rate_left(now).map(|left| (left, self.until_free(u32::MAX, now))),
            quota: self.quota_left().map(|left| (left, self.until_refill(now))),
        }
    }

    /// Bounds what lies farther in the future than it can: the clock was set back, and nobody waits
    /// for the length of that.
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

    /// Counts anew what has begun anew. On another day a record of any version is believed.
    fn turn_the_page(&mut self, now: Timestamp) {
        if self.used.turn_the_page(now) {
            self.version = 0;
        }
    }

    /// From now on a record of any version is believed, until a newer one is.
    pub const fn believe_anew(&mut self) {
        self.changed |= self.version > 0;
        self.version = 0;
    }

    /// Takes in the limits of a record, unless they are those of an older one.
    fn believe(&mut self, limits: Limits, version: u64) {
        if version >= self.version && (version, limits) != (self.version, self.limits) {
            (self.version, self.limits, self.changed) = (version, limits, true);
        }
    }

    /// Takes back a lease of which nothing was spent after `spent_at`, and nothing will be.
    fn give_back(&mut self, unused: Unused, spent_at: Timestamp, now: Timestamp) {
        let Some(grant) = self.grants.iter_mut().find(|grant| grant.lease == unused.lease) else {
            // It may still be on its way.
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

    /// Whether the lease of this name was given back before it was asked for.
    fn was_given_back(&mut self, name: u64) -> bool {
        let before = self.void.len();
        self.void.retain(|(void, _)| *void != name);
        let was = self.void.len() < before;
        self.changed |= was;
        was
    }

    /// The number of a new lease: its name, or the next that no other has.
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
        self.limits.quota.map(|quota| quota.limit.saturating_sub(self.used.within(quota.period)))
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

    /// That of the rate, and never into the next period.
    fn lease_length(&self, now: Timestamp) -> i64 {
        let by_rate = self.limits.rate.map_or(LEASE_MAX, RateLimit::lease_length);
        match self.limits.quota {
            Some(quota) => by_rate.min(quota.period.end(now).since(now)),
            None => by_rate,
        }
    }
}

impl RateLimit {
    /// How long a lease may be spent, in milliseconds: a quarter of the window, within bounds.
    fn lease_length(self) -> i64 {
        (self.window() / 4).clamp(LEASE_MIN, LEASE_MAX)
    }

    /// How many calls pass in every window at least, however many isolates serve the key.
    pub fn guaranteed(self) -> u32 {
        let share = i64::from(self.limit) * self.window() / (self.window() + self.lease_length());
        u32::try_from(share).unwrap_or(self.limit)
    }
}

#[cfg(test)]
mod tests;
