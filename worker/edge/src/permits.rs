//! Permits that an isolate holds for limited keys, and spends from memory.
//!
//! Permits belong to the version of the record under which they were asked for. Once another one decides, they are given back:
//! so whoever lowers a limit need not wait for them.
//!
//! A permit of a quota that was spent on a forwarded request comes back if the request never
//! reached its service. Until that is known its lease is kept, and is not reported as over.

use ownchat_domain::{
    limit::Limits,
    locator::Locator,
    meter::{ALL, LEASE_MAX, Lease, NAMED, Refusal, SPARE_MAX, Standing, Take, Unused},
    record::Record,
    time::Timestamp,
};
use std::collections::HashMap;

/// Most keys whose permits are held at once.
const CAPACITY: usize = 10_000;
/// Most leases of one key that wait to be given back; of more the eldest are given up. Only a meter that does not answer for long
/// lets so many wait.
const UNUSED_MAX: usize = 500;
/// A refusal holds for so long at most, in milliseconds: what others give back meanwhile is not missed for longer.
const REFUSAL_TTL: i64 = 250;

/// The permits of all keys.
#[derive(Debug, Default)]
pub struct Permits(HashMap<Locator, LeasePool>);

/// The permits of one key.
#[derive(Debug, Default)]
struct LeasePool {
    /// Version of the record that decided last. All that is held, and what the meter said, is of this one.
    version: u64,
    held: Vec<HeldLease>,
    /// What the meter said last of what is left, and when it was asked.
    last_standing: Option<(Standing, Timestamp)>,
    /// The last refusal: for which cost, and when.
    last_refusal: Option<(u32, Refusal, Timestamp)>,
    /// When somebody comes to give back what is left.
    return_due: Option<Timestamp>,
    /// What is left of leases that are over, to be given back; nothing of those that are used up.
    /// And when something was spent of them last, if that is known.
    unused: Vec<(Unused, Option<Timestamp>)>,
    /// A call was refused that the meter has enough for together with what is held here.
    uses_held: bool,
    /// Permits that were spent since the last question, when that was, and how many were not answered yet.
    spent_since_request: u32,
    requested_at: Option<Timestamp>,
    open_requests: u32,
}

/// The outcome of spending permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// How things stand then.
    pub standing: Standing,
    /// The lease of the last permit.
    pub lease: u64,
}

/// What is left of one lease.
#[derive(Debug)]
struct HeldLease {
    lease: u64,
    permits: u32,
    /// Permits that were spent on requests which are on their way.
    in_flight: u32,
    spent_at: Option<Timestamp>,
    from: Timestamp,
    until: Timestamp,
}

impl Permits {
    /// Spends permits that are held, if there are enough that may still be spent, and says how things stand then.
    /// Otherwise, if the meter has just refused as many, so does this, and if not, it must be asked.
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

    /// Notes that a permit of this lease was spent on a request which is on its way.
    /// [`Self::settle`] ends it.
    pub fn mark_in_flight(&mut self, key: Locator, lease: u64) {
        if let Some(held) = self.find_lease(key, lease) {
            held.in_flight = held.in_flight.saturating_add(1);
        }
    }

    /// Takes in that a request has reached its service, or that it has not: then its permit comes
    /// back.
    pub fn settle(&mut self, key: Locator, lease: u64, reached: bool) {
        if let Some(held) = self.find_lease(key, lease).filter(|held| held.in_flight > 0) {
            held.in_flight -= 1;
            held.permits = held.permits.saturating_add(u32::from(!reached));
        }
    }

    fn find_lease(&mut self, key: Locator, lease: u64) -> Option<&mut HeldLease> {
        self.0.get_mut(&key)?.held.iter_mut().find(|held| held.lease == lease)
    }

    /// How things stand, as far as the meter has said so for these limits within the time for which a lease may last. After
    /// that others may have spent or given back whatever there is.
    pub fn standing(&self, record: &Record, now: Timestamp) -> Option<Standing> {
        let pool = self.0.get(&record.locator).filter(|pool| pool.version == record.version)?;
        let (_, at) = pool.last_standing?;
        (0..LEASE_MAX).contains(&now.since(at)).then(|| pool.standing(now))
    }

    /// Takes in what the meter has said of what is left, to somebody who takes nothing.
    pub fn set_standing(&mut self, record: &Record, standing: Standing, now: Timestamp) {
        self.make_room(record.locator);
        let pool = self.pool(record);
        pool.switch_version(record.version);
        pool.last_standing = Some((standing, now));
    }

    /// Takes in that the meter refused a call of this cost, and says whether that is the last word:
    /// not if another call has brought enough to spare meanwhile, if the meter has enough together
    /// with what is held here, or if the record is another by now.
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
        let Standing { rate, quota } = refusal.standing;
        let left = rate.into_iter().chain(quota).map(|(left, _)| left).min().unwrap_or(0);
        let held = pool.available(now);
        if held > 0 && left.saturating_add(held) >= cost {
            pool.uses_held = true;
            return false;
        }
        pool.last_refusal = Some((cost, refusal, requested_at));
        true
    }

    /// What to ask of the meter for a call of this cost; `random` makes the name of the lease; 0 for none.
    pub fn lease_request(&mut self, record: &Record, cost: u32, random: u64, now: Timestamp) -> Take {
        self.make_room(record.locator);
        let pool = self.pool(record);
        pool.switch_version(record.version);
        pool.expire_leases(now);
        let elapsed = pool.requested_at.map_or(i64::MAX, |requested_at| now.since(requested_at)).max(1);
        // As many as are likely to be spent while a lease lasts. While another call asks, too, only what is needed:
        // what each of many brings to spare would be in the way of all the others.
        if elapsed >= LEASE_MAX {
            // Whoever has not had an answer by now has given up.
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
        Take { limits: record.limits, version: record.version, need, spare, unused, name, idle }
    }

    fn pool(&mut self, record: &Record) -> &mut LeasePool {
        let new = || LeasePool { version: record.version, ..LeasePool::default() };
        self.0.entry(record.locator).or_insert_with(new)
    }

    /// Forgets keys of which nothing is held, if there are too many others than this one; all of them if there are still too
    /// many: then what they hold of a quota is lost until its period ends.
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

    /// Takes in a lease, beside those that are held.
    ///
    /// It lasts from `asked_at` on, when it was asked for: one that comes too late is over already, since what it
    /// allowed within the window of a rate may have been handed to somebody else by now. A quota does not mind when
    /// in its period a permit is spent. What was asked for under another record than the one that decides by now is not kept.
    pub fn add_lease(&mut self, record: &Record, lease: Lease, requested_at: Timestamp, now: Timestamp) {
        let pool = self.pool(record);
        pool.open_requests = pool.open_requests.saturating_sub(1);
        if pool.version != record.version {
            return pool.unused.push((Unused { lease: lease.number, permits: lease.permits }, None));
        }
        pool.last_refusal = None;
        let until = match record.limits {
            Limits { rate: None, quota: Some(quota) } => now.plus(lease.lasts).min(quota.period.end(requested_at)),
            _ => requested_at.plus(lease.lasts),
        };
        // What ends first is spent first.
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

    /// Takes in that a question was not answered: what it was to give back must still be given back, and so must the
    /// lease that the meter may have granted.
    pub fn request_failed(&mut self, key: Locator, request: Take) {
        let pool = self.0.entry(key).or_default();
        // Relative to a question that is gone, how long they were idle says nothing.
        pool.unused.extend(request.unused.into_iter().map(|unused| (unused, None)));
        if request.name >= NAMED {
            pool.unused.push((Unused { lease: request.name, permits: ALL }, None));
            pool.open_requests = pool.open_requests.saturating_sub(1);
        }
        pool.unused.drain(..pool.unused.len().saturating_sub(UNUSED_MAX));
    }

    /// What is over and was not spent of this key's permits, as a question that needs nothing.
    pub fn take_unspent(&mut self, key: Locator, limits: Limits, version: u64, now: Timestamp) -> Option<Take> {
        let pool = self.0.get_mut(&key)?;
        pool.expire_leases(now);
        if !pool.has_unspent() {
            return None;
        }
        let (unused, idle) = pool.take_unused(now);
        Some(Take { limits, version, unused, idle, ..Take::default() })
    }

    /// When permits of this key must be given back, if there are any and nobody has undertaken to do it then. Whoever is
    /// told has.
    pub fn schedule_return(&mut self, key: Locator, now: Timestamp) -> Option<Timestamp> {
        let pool = self.0.get_mut(&key)?;
        let last = pool.held.iter().filter(|held| held.permits > 0).map(|held| held.until).max();
        let due = last.or_else(|| pool.has_unspent().then_some(now))?.max(now);
        if pool.return_due.is_some_and(|watched| watched > now && watched >= due) {
            return None;
        }
        pool.return_due = Some(due);
        Some(due)
    }
}

impl LeasePool {
    /// Takes in of which version the record is that decides. What was granted or said under another one counts no more.
    fn switch_version(&mut self, version: u64) {
        if self.version != version {
            (self.version, self.last_standing, self.last_refusal) = (version, None, None);
            for held in &mut self.held {
                held.until = held.from;
            }
            self.expire_leases(Timestamp::from_millis(0));
        }
    }

    /// Whether there are enough permits that may still be spent.
    fn has_permits(&mut self, cost: u32, now: Timestamp) -> bool {
        self.expire_leases(now);
        self.available(now) >= cost
    }

    /// The refusal of a call of this cost, if the meter would say the same: it did a moment ago, and nothing can have
    /// become free since.
    fn cached_refusal(&self, cost: u32, now: Timestamp) -> Option<Refusal> {
        let (refused, refusal, at) = self.last_refusal?;
        let passed = now.since(at);
        let holds = cost >= refused && (0..REFUSAL_TTL.min(refusal.retry_after)).contains(&passed);
        holds.then(|| Refusal { retry_after: refusal.retry_after - passed, ..refusal })
    }

    /// Takes out the leases that are over: what is left of them will not be spent.
    fn expire_leases(&mut self, now: Timestamp) {
        let unused = &mut self.unused;
        self.held.retain(|held| {
            let keeps = held.in_flight > 0 || held.is_valid(now) && held.permits > 0;
            if !keeps {
                unused.push((Unused { lease: held.lease, permits: held.permits }, held.spent_at));
            }
            keeps
        });
        unused.drain(..unused.len().saturating_sub(UNUSED_MAX));
    }

    /// Whether there is something to give back. That leases are used up can be said with the next question.
    fn has_unspent(&self) -> bool {
        self.unused.iter().any(|(unused, _)| unused.permits > 0)
    }

    /// Takes what is to be given back, and for how many milliseconds nothing was spent of each.
    fn take_unused(&mut self, now: Timestamp) -> (Vec<Unused>, Vec<u32>) {
        let idle = |spent_at: Option<Timestamp>| spent_at.and_then(|at| u32::try_from(now.since(at)).ok()).unwrap_or(0);
        std::mem::take(&mut self.unused).into_iter().map(|(unused, spent_at)| (unused, idle(spent_at))).unzip()
    }

    /// Permits that may be spent now.
    fn available(&self, now: Timestamp) -> u32 {
        self.held.iter().filter(|held| held.is_valid(now)).fold(0, |sum, held| sum.saturating_add(held.permits))
    }

    /// How things stand, with what is held here and the time that has passed.
    fn standing(&self, now: Timestamp) -> Standing {
        let Some((standing, at)) = self.last_standing else { return Standing::default() };
        let passed = now.since(at).max(0);
        let held = self.available(now);
        let here = |(left, wait): (u32, i64)| (left.saturating_add(held), (wait - passed).max(0));
        Standing { rate: standing.rate.map(here), quota: standing.quota.map(here) }
    }
}

impl HeldLease {
    /// Returns true while its permits may be spent.
    fn is_valid(&self, now: Timestamp) -> bool {
        // A clock that was set back ends a lease: nobody knows how much of it is left.
        (self.from..self.until).contains(&now)
    }
}

#[cfg(test)]
mod alone;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
