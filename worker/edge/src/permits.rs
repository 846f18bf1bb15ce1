//! Permits: leases on the rate limit and quota of keys, which this isolate spends from memory.
//!
//! A lease belongs to the version of the record under which it was requested. Once another version
//! decides, its permits are returned, so lowering a limit need not wait for them.
//!
//! A forwarded request that never reached its service gets its permit of a quota back. Until that
//! is known, its lease is kept and not reported as expired.

use ownchat_domain::{
    limit::Limits,
    locator::Locator,
    meter::{ALL, LEASE_MAX, Lease, LeaseRequest, LimitState, NAMED, Refusal, Remaining, ReturnedPermits, SPARE_MAX},
    record::Record,
    time::Timestamp,
};
use std::collections::HashMap;

/// Maximum number of keys with leases.
const CAPACITY: usize = 10_000;
/// Maximum leases of one key that wait to be returned; beyond it the oldest are dropped. Only a
/// meter that fails for long lets so many wait.
const UNUSED_MAX: usize = 500;
/// Time to live of a cached refusal, in milliseconds. Permits that others return meanwhile are not
/// missed for longer.
const REFUSAL_TTL: i64 = 250;

/// The lease pools of all keys.
#[derive(Debug, Default)]
pub struct Permits(HashMap<Locator, LeasePool>);

/// The leases of one key.
#[derive(Debug, Default)]
struct LeasePool {
    /// Version of the record that decided last. All leases and replies of the meter in the pool
    /// belong to it.
    version: u64,
    held: Vec<HeldLease>,
    /// Last standing that the meter returned, and when it was requested.
    last_standing: Option<(LimitState, Timestamp)>,
    /// Last refusal: its cost, and when it was requested.
    last_refusal: Option<(u32, Refusal, Timestamp)>,
    /// When a task returns the unspent permits.
    return_due: Option<Timestamp>,
    /// Expired leases whose unspent permits must be returned; also those without any. With each the
    /// time of its last spending, if known.
    unused: Vec<(ReturnedPermits, Option<Timestamp>)>,
    /// True if a request was refused for which the meter has enough permits together with those
    /// held here.
    uses_held: bool,
    /// Permits spent since the last lease request, the time of that request, and the requests
    /// without a response.
    spent_since_request: u32,
    requested_at: Option<Timestamp>,
    open_requests: u32,
}

/// The result of spending permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Standing of the limits afterwards.
    pub standing: LimitState,
    /// Lease of the last permit.
    pub lease: u64,
}

/// An active lease.
#[derive(Debug)]
struct HeldLease {
    lease: u64,
    permits: u32,
    /// Permits spent on forwarded requests in flight.
    in_flight: u32,
    spent_at: Option<Timestamp>,
    from: Timestamp,
    until: Timestamp,
}

impl Permits {
    /// Spends permits of active leases, if there are enough. Returns the standing afterwards.
    /// Without enough permits it repeats the meter's last refusal while that is cached. Returns
    /// none if the meter must be queried.
    pub fn spend(&mut self, record: &Record, cost: u32, now: Timestamp) -> Option<Result<Spent, Refusal>> {
        let pool = self.0.get_mut(&record.locator)?;
        pool.switch_version(record.version);
        if !pool.has_permits(cost, now) {
            return pool.cached_refusal(cost, now).map(Err);
        }
        let (mut owed, mut lease) = (cost, 0);
        for held in pool.held.iter_mut().filter(|held| held.is_valid(now)) {
            let part = held.permits.min(owed);
            held.permits -= part;
            owed -= part;
            if part > 0 {
                lease = held.lease;
                held.spent_at = Some(now);
            }
        }
        pool.spent_since_request = pool.spent_since_request.saturating_add(cost);
        Some(Ok(Spent { standing: pool.standing(now), lease }))
    }

    /// Marks a permit of this lease as spent on a request in flight. [`Self::settle`] ends that.
    pub fn mark_in_flight(&mut self, key: Locator, lease: u64) {
        if let Some(held) = self.find_lease(key, lease) {
            held.in_flight = held.in_flight.saturating_add(1);
        }
    }

    /// Settles a request in flight. Its permit comes back if the request did not reach its service.
    pub fn settle(&mut self, key: Locator, lease: u64, reached: bool) {
        if let Some(held) = self.find_lease(key, lease).filter(|held| held.in_flight > 0) {
            held.in_flight -= 1;
            held.permits = held.permits.saturating_add(u32::from(!reached));
        }
    }

    fn find_lease(&mut self, key: Locator, lease: u64) -> Option<&mut HeldLease> {
        self.0.get_mut(&key)?.held.iter_mut().find(|held| held.lease == lease)
    }

    /// Returns the standing that the meter last reported for these limits. After the maximum
    /// duration of a lease it is unknown: others may have spent or returned anything.
    pub fn standing(&self, record: &Record, now: Timestamp) -> Option<LimitState> {
        let pool = self.0.get(&record.locator).filter(|pool| pool.version == record.version)?;
        let (_, at) = pool.last_standing?;
        (0..LEASE_MAX).contains(&now.since(at)).then(|| pool.standing(now))
    }

    /// Caches the standing that the meter returned to a request without a lease.
    pub fn set_standing(&mut self, record: &Record, standing: LimitState, now: Timestamp) {
        self.make_room(record.locator);
        let pool = self.pool(record);
        pool.switch_version(record.version);
        pool.last_standing = Some((standing, now));
    }

    /// Applies a refusal of a request with this cost. Returns true if the refusal is final. It is
    /// not if another request has brought enough permits meanwhile. Nor is it if the meter has
    /// enough together with those held here. Nor if the record has another version by now.
    pub fn apply_refusal(
        &mut self,
        record: &Record,
        cost: u32,
        refusal: Refusal,
        requested_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(pool) = self.0.get_mut(&record.locator) else { return true };
        pool.open_requests = pool.open_requests.saturating_sub(1);
        if pool.version != record.version {
            return false;
        }
        pool.last_standing = Some((refusal.standing, requested_at));
        if pool.has_permits(cost, now) {
            return false;
        }
        let LimitState { rate, quota } = refusal.standing;
        let left = rate.into_iter().chain(quota).map(|rest| rest.permits).min().unwrap_or(0);
        let held = pool.available(now);
        if held > 0 && left.saturating_add(held) >= cost {
            pool.uses_held = true;
            return false;
        }
        pool.last_refusal = Some((cost, refusal, requested_at));
        true
    }

    /// Builds a lease request for a request with this cost; `random` becomes the name of the lease,
    /// 0 for none.
    pub fn lease_request(&mut self, record: &Record, cost: u32, random: u64, now: Timestamp) -> LeaseRequest {
        self.make_room(record.locator);
        let pool = self.pool(record);
        pool.switch_version(record.version);
        pool.expire_leases(now);
        let elapsed = pool.requested_at.map_or(i64::MAX, |requested_at| now.since(requested_at)).max(1);
        // Leases as many permits as are likely to be spent during the lease. While another lease
        // request is in flight, it leases only the needed ones. Spare permits of each would starve
        // the others.
        if elapsed >= LEASE_MAX {
            // A request without a response by now has timed out.
            pool.open_requests = 0;
        }
        let likely = i64::from(pool.spent_since_request).saturating_mul(LEASE_MAX) / elapsed.max(LEASE_MAX / 4);
        let spare = if pool.open_requests == 0 { u32::try_from(likely).unwrap_or(SPARE_MAX).min(SPARE_MAX) } else { 0 };
        pool.spent_since_request = 0;
        pool.requested_at = Some(now);
        pool.open_requests = pool.open_requests.saturating_add(1);
        let held = if std::mem::take(&mut pool.uses_held) { pool.available(now) } else { 0 };
        let need = cost.saturating_sub(held).max(1);
        let (unused, idle) = pool.take_unused(now);
        let name = if random == 0 { 0 } else { NAMED | random };
        LeaseRequest { limits: record.limits, version: record.version, need, spare, unused, name, idle }
    }

    fn pool(&mut self, record: &Record) -> &mut LeasePool {
        let new = || LeasePool { version: record.version, ..LeasePool::default() };
        self.0.entry(record.locator).or_insert_with(new)
    }

    /// Evicts keys without active permits if too many other keys are held. If that does not
    /// suffice, it evicts all: their permits of a quota are then lost until its period ends.
    fn make_room(&mut self, key: Locator) {
        if self.0.len() < CAPACITY || self.0.contains_key(&key) {
            return;
        }
        self.0.retain(|_, pool| {
            pool.has_unspent() || pool.held.iter().any(|held| held.permits > 0 || held.in_flight > 0)
        });
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
    }

    /// Adds a lease.
    ///
    /// It starts at `requested_at`, so one that arrives too late has already expired. The meter may
    /// have granted its permits of the rate window to somebody else. A permit of a quota may be
    /// spent at any time of its period. A lease for another version of the record than the current
    /// one is not kept.
    pub fn add_lease(&mut self, record: &Record, lease: Lease, requested_at: Timestamp, now: Timestamp) {
        let pool = self.pool(record);
        pool.open_requests = pool.open_requests.saturating_sub(1);
        if pool.version != record.version {
            return pool.unused.push((ReturnedPermits { lease: lease.number, permits: lease.permits }, None));
        }
        pool.last_refusal = None;
        let until = match record.limits {
            Limits { rate: None, quota: Some(quota) } => now.plus(lease.lasts).min(quota.period.end(requested_at)),
            _ => requested_at.plus(lease.lasts),
        };
        // The lease that expires first is spent first.
        let place = pool.held.partition_point(|held| held.until <= until);
        let held = HeldLease {
            lease: lease.number,
            permits: lease.permits,
            in_flight: 0,
            spent_at: None,
            from: requested_at,
            until,
        };
        pool.held.insert(place, held);
        pool.last_standing = Some((lease.standing, requested_at));
    }

    /// Handles a lease request without a response. The permits that it was to return must still be
    /// returned. So must the lease that the meter may have granted.
    pub fn request_failed(&mut self, key: Locator, request: LeaseRequest) {
        let pool = self.0.entry(key).or_default();
        // The idle times were relative to the request that was lost.
        pool.unused.extend(request.unused.into_iter().map(|unused| (unused, None)));
        if request.name >= NAMED {
            pool.unused.push((ReturnedPermits { lease: request.name, permits: ALL }, None));
            pool.open_requests = pool.open_requests.saturating_sub(1);
        }
        pool.unused.drain(..pool.unused.len().saturating_sub(UNUSED_MAX));
    }

    /// Takes the unspent permits of expired leases, as a lease request that needs nothing.
    pub fn take_unspent(&mut self, key: Locator, limits: Limits, version: u64, now: Timestamp) -> Option<LeaseRequest> {
        let pool = self.0.get_mut(&key)?;
        pool.expire_leases(now);
        if !pool.has_unspent() {
            return None;
        }
        let (unused, idle) = pool.take_unused(now);
        Some(LeaseRequest { limits, version, unused, idle, ..LeaseRequest::default() })
    }

    /// Returns when permits of this key must be returned, unless a task is scheduled for it. The
    /// caller must schedule it then.
    pub fn schedule_return(&mut self, key: Locator, now: Timestamp) -> Option<Timestamp> {
        let pool = self.0.get_mut(&key)?;
        let last = pool.held.iter().filter(|held| held.permits > 0).map(|held| held.until).max();
        let due = last.or_else(|| pool.has_unspent().then_some(now))?.max(now);
        if pool.return_due.is_some_and(|scheduled| scheduled > now && scheduled >= due) {
            return None;
        }
        pool.return_due = Some(due);
        Some(due)
    }
}

impl LeasePool {
    /// Switches to the version of the record that decides. Leases and replies of another version no
    /// longer count.
    fn switch_version(&mut self, version: u64) {
        if self.version != version {
            (self.version, self.last_standing, self.last_refusal) = (version, None, None);
            for held in &mut self.held {
                held.until = held.from;
            }
            self.expire_leases(Timestamp::from_millis(0));
        }
    }

    /// Returns true if active leases hold enough permits.
    fn has_permits(&mut self, cost: u32, now: Timestamp) -> bool {
        self.expire_leases(now);
        self.available(now) >= cost
    }

    /// Returns the cached refusal of a request with this cost, while no permit can have become
    /// free.
    fn cached_refusal(&self, cost: u32, now: Timestamp) -> Option<Refusal> {
        let (refused, refusal, at) = self.last_refusal?;
        let passed = now.since(at);
        let holds = cost >= refused && (0..REFUSAL_TTL.min(refusal.retry_after)).contains(&passed);
        holds.then(|| Refusal { retry_after: refusal.retry_after - passed, ..refusal })
    }

    /// Moves expired leases to `unused`.
    fn expire_leases(&mut self, now: Timestamp) {
        let unused = &mut self.unused;
        self.held.retain(|held| {
            let keeps = held.in_flight > 0 || held.is_valid(now) && held.permits > 0;
            if !keeps {
                unused.push((ReturnedPermits { lease: held.lease, permits: held.permits }, held.spent_at));
            }
            keeps
        });
        unused.drain(..unused.len().saturating_sub(UNUSED_MAX));
    }

    /// Returns true if there are permits to return. Leases without any are reported with the next
    /// lease request.
    fn has_unspent(&self) -> bool {
        self.unused.iter().any(|(unused, _)| unused.permits > 0)
    }

    /// Takes the leases to return, and the milliseconds for which each was idle.
    fn take_unused(&mut self, now: Timestamp) -> (Vec<ReturnedPermits>, Vec<u32>) {
        let idle = |spent_at: Option<Timestamp>| spent_at.and_then(|at| u32::try_from(now.since(at)).ok()).unwrap_or(0);
        std::mem::take(&mut self.unused).into_iter().map(|(unused, spent_at)| (unused, idle(spent_at))).unzip()
    }

    /// Returns the permits that may be spent now.
    fn available(&self, now: Timestamp) -> u32 {
        self.held.iter().filter(|held| held.is_valid(now)).fold(0, |sum, held| sum.saturating_add(held.permits))
    }

    /// Returns the standing, adjusted by the permits held here and the time that has passed.
    fn standing(&self, now: Timestamp) -> LimitState {
        let Some((standing, at)) = self.last_standing else { return LimitState::default() };
        let passed = now.since(at).max(0);
        let held = self.available(now);
        let here = |rest: Remaining| Remaining {
            permits: rest.permits.saturating_add(held),
            refills_in: (rest.refills_in - passed).max(0),
        };
        LimitState { rate: standing.rate.map(here), quota: standing.quota.map(here) }
    }
}

impl HeldLease {
    /// Returns true while its permits may be spent.
    fn is_valid(&self, now: Timestamp) -> bool {
        // A clock that was set back ends a lease: how much of it is left is unknown.
        (self.from..self.until).contains(&now)
    }
}

#[cfg(test)]
mod alone;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
