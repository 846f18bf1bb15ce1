//! Permits that an isolate holds for limited keys, and spends from memory.

use ownchat_domain::{
    limit::Limits,
    locator::Locator,
    meter::{LEASE_MAX, Lease, Refusal, SPARE_MAX, Standing, Take, Unused},
    record::Record,
    time::Timestamp,
};
use std::collections::HashMap;

/// Most keys whose permits are held at once.
const CAPACITY: usize = 10_000;
/// A refusal holds for so long at most, in milliseconds: what others give back meanwhile is not missed for longer.
const REFUSED_FOR: i64 = 250;

/// The permits of all keys.
#[derive(Debug, Default)]
pub struct Purse(HashMap<Locator, Pocket>);

/// The permits of one key.
#[derive(Debug, Default)]
struct Pocket {
    lease: u64,
    permits: u32,
    /// From when until when they may be spent.
    during: Option<(Timestamp, Timestamp)>,
    standing: Standing,
    told_at: Option<Timestamp>,
    /// The last refusal: for which cost, and when.
    refused: Option<(u32, Refusal, Timestamp)>,
    /// Whether somebody waits for the end of the lease.
    watched: bool,
    /// What is left of leases that are over, to be given back.
    unused: Vec<Unused>,
    /// Permits that were spent since the last question, and when that was.
    spent: u32,
    asked_at: Option<Timestamp>,
}

impl Purse {
    /// Spends permits that are held, if there are enough that may still be spent, and says how things stand then. If
    /// the meter has just refused as many, so does this. Otherwise it must be asked.
    pub fn spend(&mut self, key: Locator, cost: u32, now: Timestamp) -> Option<Result<Standing, Refusal>> {
        let pocket = self.0.get_mut(&key)?;
        if let Some(refusal) = pocket.refusal(cost, now) {
            return Some(Err(refusal));
        }
        // A clock that was set back ends the lease: nobody knows how much of it is left.
        let lasts = pocket.during.is_some_and(|(from, until)| (from..until).contains(&now));
        if !lasts || pocket.permits < cost {
            return None;
        }
        pocket.permits -= cost;
        pocket.spent = pocket.spent.saturating_add(cost);
        Some(Ok(pocket.standing(now)))
    }

    /// Takes in that the meter refused a call of this cost.
    pub fn refuse(&mut self, key: Locator, cost: u32, refusal: Refusal, now: Timestamp) {
        if let Some(pocket) = self.0.get_mut(&key) {
            pocket.refused = Some((cost, refusal, now));
        }
    }

    /// What to ask of the meter for a call of this cost.
    pub fn question(&mut self, record: &Record, cost: u32, now: Timestamp) -> Take {
        if self.0.len() >= CAPACITY {
            // What they hold comes back to the meters by itself when the leases end.
            self.0.clear();
        }
        let pocket = self.0.entry(record.locator).or_default();
        pocket.put_away();
        let elapsed = pocket.asked_at.map_or(i64::MAX, |asked_at| now.since(asked_at)).max(1);
        // As many as are likely to be spent while a lease lasts.
        let likely = i64::from(pocket.spent).saturating_mul(LEASE_MAX) / elapsed.max(LEASE_MAX / 4);
        let spare = u32::try_from(likely).unwrap_or(SPARE_MAX).min(SPARE_MAX);
        pocket.spent = 0;
        pocket.asked_at = Some(now);
        let unused = std::mem::take(&mut pocket.unused);
        Take { limits: record.limits, version: record.version, need: cost, spare, unused }
    }

    /// Takes in a lease. It lasts from `asked_at` on, when it was asked for: one that comes too late is over
    /// already, since what it allowed may have been handed to somebody else by now.
    pub fn put(&mut self, key: Locator, lease: Lease, asked_at: Timestamp) {
        let pocket = self.0.entry(key).or_default();
        // Another call may have brought one meanwhile. This one holds at least what its own call needs.
        pocket.put_away();
        pocket.refused = None;
        pocket.lease = lease.number;
        pocket.permits = lease.permits;
        pocket.during = Some((asked_at, asked_at.plus(lease.lasts)));
        pocket.watched = false;
        (pocket.standing, pocket.told_at) = (lease.standing, Some(asked_at));
    }

    /// Takes back what could not be given back.
    pub fn keep(&mut self, key: Locator, unused: Vec<Unused>) {
        self.0.entry(key).or_default().unused.extend(unused);
    }

    /// What is over and was not spent of this key's permits, as a question that needs nothing.
    pub fn leftovers(&mut self, key: Locator, limits: Limits, version: u64, now: Timestamp) -> Option<Take> {
        let pocket = self.0.get_mut(&key)?;
        if pocket.during.is_none_or(|(from, until)| !(from..until).contains(&now)) {
            pocket.put_away();
        }
        let unused = std::mem::take(&mut pocket.unused);
        (!unused.is_empty()).then_some(Take { limits, version, need: 0, spare: 0, unused })
    }

    /// When the lease of this key ends, if it has permits that must come back then and nobody was told of it
    /// yet. Whoever is told sees to it.
    pub fn watch(&mut self, key: Locator) -> Option<Timestamp> {
        let pocket = self.0.get_mut(&key)?;
        let holds = !pocket.watched && (pocket.permits > 0 || !pocket.unused.is_empty());
        pocket.watched |= holds;
        pocket.during.map(|(_, until)| until).filter(|_| holds)
    }
}

impl Pocket {
    /// The refusal of a call of this cost, if the meter would say the same: it did a moment ago, and nothing can have
    /// become free since.
    fn refusal(&self, cost: u32, now: Timestamp) -> Option<Refusal> {
        let (refused, refusal, at) = self.refused?;
        let passed = now.since(at);
        let holds = cost >= refused && (0..REFUSED_FOR.min(refusal.retry_after)).contains(&passed);
        holds.then(|| Refusal { retry_after: refusal.retry_after - passed, ..refusal })
    }

    /// Ends the lease: what is left of it will not be spent.
    fn put_away(&mut self) {
        if self.permits > 0 {
            self.unused.push(Unused { lease: self.lease, permits: self.permits });
            self.permits = 0;
        }
        self.during = None;
    }

    /// How things stand, with what is held here and the time that has passed.
    fn standing(&self, now: Timestamp) -> Standing {
        let passed = self.told_at.map_or(0, |told_at| now.since(told_at)).max(0);
        let here = |(left, wait): (u32, i64)| (left.saturating_add(self.permits), (wait - passed).max(0));
        Standing { rate: self.standing.rate.map(here), quota: self.standing.quota.map(here) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};

    fn lease(number: u64, permits: u32) -> Lease {
        let standing = Standing { rate: Some((40, 9_000)), quota: None };
        Lease { number, permits, lasts: 2_000, standing }
    }

    #[test]
    fn permits_are_spent_while_their_lease_lasts() {
        let (mut purse, key) = (Purse::default(), record().locator);
        assert_eq!(purse.spend(key, 1, NOW), None);
        purse.put(key, lease(1, 4), NOW);
        assert_eq!(purse.spend(key, 1, NOW).unwrap().unwrap().rate, Some((43, 9_000)));
        assert_eq!(purse.spend(key, 2, NOW.plus(1_000)).unwrap().unwrap().rate, Some((41, 8_000)));
        assert_eq!(purse.spend(key, 2, NOW.plus(1_000)), None, "one is left");
        assert_eq!(purse.spend(key, 1, NOW.plus(2_000)), None, "the lease is over");
        assert_eq!(purse.spend(key, 1, NOW.plus(-1)), None, "the clock was set back");
    }

    #[test]
    fn a_lease_that_came_too_late_is_spent_by_nobody() {
        let (mut purse, key) = (Purse::default(), record());
        purse.put(key.locator, lease(1, 4), NOW);
        assert_eq!(purse.spend(key.locator, 1, NOW.plus(2_000)), None);
        assert_eq!(purse.question(&key, 1, NOW.plus(2_000)).unused, [Unused { lease: 1, permits: 4 }]);
    }

    #[test]
    fn what_is_left_goes_back_once() {
        let (mut purse, key) = (Purse::default(), record());
        purse.put(key.locator, lease(1, 4), NOW);
        assert!(purse.leftovers(key.locator, key.limits, 3, NOW).is_none(), "it may still be spent");
        assert_eq!(purse.watch(key.locator), Some(NOW.plus(2_000)));
        assert_eq!(purse.watch(key.locator), None, "one is enough");
        let back = purse.leftovers(key.locator, key.limits, 3, NOW.plus(2_000)).unwrap();
        assert_eq!((back.need, back.unused), (0, vec![Unused { lease: 1, permits: 4 }]));
        assert!(purse.leftovers(key.locator, key.limits, 3, NOW.plus(2_000)).is_none());
        assert_eq!(purse.spend(key.locator, 1, NOW.plus(2_001)), None);
    }

    #[test]
    fn a_refusal_is_repeated_for_a_moment_to_those_who_want_as_much() {
        let (mut purse, key) = (Purse::default(), record());
        let refusal = Refusal { by_quota: false, retry_after: 9_000, standing: Standing::default() };
        purse.question(&key, 3, NOW);
        purse.refuse(key.locator, 3, refusal, NOW);
        let again = purse.spend(key.locator, 4, NOW.plus(100)).unwrap().unwrap_err();
        assert_eq!(again.retry_after, 8_900);
        assert_eq!(purse.spend(key.locator, 2, NOW.plus(100)), None, "less may be had");
        assert_eq!(purse.spend(key.locator, 3, NOW.plus(REFUSED_FOR)), None);
        assert_eq!(purse.spend(key.locator, 3, NOW.plus(-1)), None, "the clock was set back");
        purse.refuse(key.locator, 3, Refusal { retry_after: 40, ..refusal }, NOW);
        assert_eq!(purse.spend(key.locator, 3, NOW.plus(40)), None, "something has become free");
        purse.refuse(key.locator, 3, refusal, NOW);
        purse.put(key.locator, lease(1, 4), NOW);
        assert!(purse.spend(key.locator, 3, NOW).unwrap().is_ok());
    }

    #[test]
    fn a_second_lease_takes_the_place_of_the_first() {
        let (mut purse, key) = (Purse::default(), record());
        purse.put(key.locator, lease(1, 4), NOW);
        purse.put(key.locator, lease(2, 6), NOW);
        let question = purse.question(&key, 1, NOW.plus(1));
        assert_eq!(question.unused, [Unused { lease: 1, permits: 4 }, Unused { lease: 2, permits: 6 }]);
        purse.keep(key.locator, question.unused);
        assert_eq!(purse.question(&key, 1, NOW.plus(2)).unused.len(), 2, "the meter did not answer");
    }

    #[test]
    fn a_busy_key_asks_for_what_it_is_likely_to_need() {
        let (mut purse, key) = (Purse::default(), record());
        assert_eq!(purse.question(&key, 1, NOW).spare, 0, "nothing is known of it yet");
        purse.put(key.locator, lease(1, 101), NOW);
        for _ in 0..100 {
            purse.spend(key.locator, 1, NOW.plus(500)).unwrap().unwrap();
        }
        let question = purse.question(&key, 1, NOW.plus(1_000));
        assert_eq!((question.need, question.spare), (1, 200), "100 in one second, for two seconds");
    }
}
