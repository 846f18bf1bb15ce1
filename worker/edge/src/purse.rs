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
    held: Vec<Held>,
    standing: Standing,
    told_at: Option<Timestamp>,
    /// The last refusal: for which cost, and when.
    refused: Option<(u32, Refusal, Timestamp)>,
    /// Until when somebody waits already to give back what is left.
    watched: Option<Timestamp>,
    /// What is left of leases that are over, to be given back.
    unused: Vec<Unused>,
    /// Permits that were spent since the last question, when that was, and how many were not answered yet.
    spent: u32,
    asked_at: Option<Timestamp>,
    asking: u32,
}

/// What is left of one lease.
#[derive(Debug)]
struct Held {
    lease: u64,
    permits: u32,
    from: Timestamp,
    until: Timestamp,
}

impl Purse {
    /// Spends permits that are held, if there are enough that may still be spent, and says how things stand then.
    /// Otherwise, if the meter has just refused as many, so does this, and if not, it must be asked.
    pub fn spend(&mut self, key: Locator, cost: u32, now: Timestamp) -> Option<Result<Standing, Refusal>> {
        let holds = self.holds(key, cost, now);
        let pocket = self.0.get_mut(&key)?;
        if !holds {
            return pocket.refusal(cost, now).map(Err);
        }
        let mut owed = cost;
        for held in &mut pocket.held {
            let part = held.permits.min(owed);
            held.permits -= part;
            owed -= part;
        }
        pocket.spent = pocket.spent.saturating_add(cost);
        Some(Ok(pocket.standing(now)))
    }

    /// Whether there are enough permits that may still be spent.
    pub fn holds(&mut self, key: Locator, cost: u32, now: Timestamp) -> bool {
        self.0.get_mut(&key).is_some_and(|pocket| {
            pocket.put_away(now);
            pocket.permits() >= cost
        })
    }

    /// Takes in that the meter refused a call of this cost.
    pub fn refuse(&mut self, key: Locator, cost: u32, refusal: Refusal, now: Timestamp) {
        if let Some(pocket) = self.0.get_mut(&key) {
            pocket.refused = Some((cost, refusal, now));
            pocket.asking = pocket.asking.saturating_sub(1);
        }
    }

    /// What to ask of the meter for a call of this cost.
    pub fn question(&mut self, record: &Record, cost: u32, now: Timestamp) -> Take {
        if self.0.len() >= CAPACITY {
            // What they hold comes back to the meters by itself when the leases end.
            self.0.clear();
        }
        let pocket = self.0.entry(record.locator).or_default();
        pocket.put_away(now);
        let elapsed = pocket.asked_at.map_or(i64::MAX, |asked_at| now.since(asked_at)).max(1);
        // As many as are likely to be spent while a lease lasts. While another call asks, too, only what is needed:
        // what each of many brings to spare would be in the way of all the others.
        if elapsed >= LEASE_MAX {
            // Whoever has not had an answer by now has given up.
            pocket.asking = 0;
        }
        let likely = i64::from(pocket.spent).saturating_mul(LEASE_MAX) / elapsed.max(LEASE_MAX / 4);
        let spare = if pocket.asking == 0 { u32::try_from(likely).unwrap_or(SPARE_MAX).min(SPARE_MAX) } else { 0 };
        pocket.spent = 0;
        pocket.asked_at = Some(now);
        pocket.asking = pocket.asking.saturating_add(1);
        let unused = std::mem::take(&mut pocket.unused);
        Take { limits: record.limits, version: record.version, need: cost, spare, unused }
    }

    /// Takes in a lease, beside those that are held.
    ///
    /// It lasts from `asked_at` on, when it was asked for: one that comes too late is over already, since what it
    /// allowed within the window of a rate may have been handed to somebody else by now. A quota does not mind when
    /// in its period a permit is spent.
    pub fn put(&mut self, record: &Record, lease: Lease, asked_at: Timestamp, now: Timestamp) {
        let pocket = self.0.entry(record.locator).or_default();
        pocket.refused = None;
        pocket.asking = pocket.asking.saturating_sub(1);
        let until = match record.limits {
            Limits { rate: None, quota: Some(quota) } => now.plus(lease.lasts).min(quota.period.end(asked_at)),
            _ => asked_at.plus(lease.lasts),
        };
        // What ends first is spent first.
        let place = pocket.held.partition_point(|held| held.until <= until);
        pocket.held.insert(place, Held { lease: lease.number, permits: lease.permits, from: asked_at, until });
        (pocket.standing, pocket.told_at) = (lease.standing, Some(asked_at));
    }

    /// Takes back what could not be given back.
    pub fn keep(&mut self, key: Locator, unused: Vec<Unused>) {
        let pocket = self.0.entry(key).or_default();
        pocket.unused.extend(unused);
        pocket.asking = pocket.asking.saturating_sub(1);
    }

    /// What is over and was not spent of this key's permits, as a question that needs nothing.
    pub fn leftovers(&mut self, key: Locator, limits: Limits, version: u64, now: Timestamp) -> Option<Take> {
        let pocket = self.0.get_mut(&key)?;
        pocket.put_away(now);
        let unused = std::mem::take(&mut pocket.unused);
        (!unused.is_empty()).then_some(Take { limits, version, need: 0, spare: 0, unused })
    }

    /// When the leases of this key end, if there are permits that must come back then and nobody was told of it
    /// yet. Whoever is told sees to it.
    pub fn watch(&mut self, key: Locator) -> Option<Timestamp> {
        let pocket = self.0.get_mut(&key)?;
        let holds = pocket.permits() > 0 || !pocket.unused.is_empty();
        let last = pocket.held.last().map(|held| held.until).or(pocket.told_at);
        let until = last.filter(|last| holds && pocket.watched.is_none_or(|watched| watched < *last))?;
        pocket.watched = Some(until);
        Some(until)
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

    /// Takes out the leases that are over: what is left of them will not be spent.
    fn put_away(&mut self, now: Timestamp) {
        let unused = &mut self.unused;
        self.held.retain(|held| {
            // A clock that was set back ends a lease: nobody knows how much of it is left.
            let lasts = (held.from..held.until).contains(&now);
            if !lasts && held.permits > 0 {
                unused.push(Unused { lease: held.lease, permits: held.permits });
            }
            lasts && held.permits > 0
        });
    }

    fn permits(&self) -> u32 {
        self.held.iter().fold(0, |sum, held| sum.saturating_add(held.permits))
    }

    /// How things stand, with what is held here and the time that has passed.
    fn standing(&self, now: Timestamp) -> Standing {
        let passed = self.told_at.map_or(0, |told_at| now.since(told_at)).max(0);
        let here = |(left, wait): (u32, i64)| (left.saturating_add(self.permits()), (wait - passed).max(0));
        Standing { rate: self.standing.rate.map(here), quota: self.standing.quota.map(here) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};
    use ownchat_domain::limit::{Period, Quota};

    fn lease(number: u64, permits: u32) -> Lease {
        let standing = Standing { rate: Some((40, 9_000)), quota: None };
        Lease { number, permits, lasts: 2_000, standing }
    }

    #[test]
    fn permits_are_spent_while_their_lease_lasts() {
        let (mut purse, key) = (Purse::default(), record().locator);
        assert_eq!(purse.spend(key, 1, NOW), None);
        purse.put(&record(), lease(1, 4), NOW, NOW);
        assert_eq!(purse.spend(key, 1, NOW).unwrap().unwrap().rate, Some((43, 9_000)));
        assert_eq!(purse.spend(key, 2, NOW.plus(1_000)).unwrap().unwrap().rate, Some((41, 8_000)));
        assert_eq!(purse.spend(key, 2, NOW.plus(1_000)), None, "one is left");
        assert_eq!(purse.spend(key, 1, NOW.plus(2_000)), None, "the lease is over");
        assert_eq!(purse.spend(key, 1, NOW.plus(-1)), None, "the clock was set back");
    }

    #[test]
    fn a_lease_that_came_too_late_is_spent_by_nobody() {
        let (mut purse, key) = (Purse::default(), record());
        purse.put(&key, lease(1, 4), NOW, NOW);
        assert_eq!(purse.spend(key.locator, 1, NOW.plus(2_000)), None);
        assert_eq!(purse.question(&key, 1, NOW.plus(2_000)).unused, [Unused { lease: 1, permits: 4 }]);
    }

    #[test]
    fn a_permit_of_a_quota_is_good_whenever_it_comes() {
        let quota = Quota { limit: 500, period: Period::Day };
        let (mut purse, mut key) = (Purse::default(), record());
        key.limits = Limits { rate: None, quota: Some(quota) };
        purse.put(&key, lease(1, 4), NOW, NOW.plus(9_000));
        assert!(purse.spend(key.locator, 1, NOW.plus(9_000)).is_some());
        let tomorrow = Period::Day.end(NOW);
        assert_eq!(purse.spend(key.locator, 1, NOW.plus(11_000)), None, "what is to spare is not kept for long");
        purse.put(&key, lease(2, 4), NOW, tomorrow);
        assert_eq!(purse.spend(key.locator, 1, tomorrow), None, "it was for today");
    }

    #[test]
    fn what_is_left_goes_back_once() {
        let (mut purse, key) = (Purse::default(), record());
        purse.put(&key, lease(1, 4), NOW, NOW);
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
        purse.put(&key, lease(1, 4), NOW, NOW);
        assert!(purse.spend(key.locator, 3, NOW).unwrap().is_ok());
        purse.refuse(key.locator, 1, refusal, NOW);
        assert!(purse.spend(key.locator, 1, NOW).unwrap().is_ok(), "one is held, whatever was refused meanwhile");
    }

    #[test]
    fn leases_are_held_beside_each_other_and_what_ends_first_is_spent_first() {
        let (mut purse, key) = (Purse::default(), record());
        purse.put(&key, lease(2, 6), NOW.plus(500), NOW.plus(500));
        purse.put(&key, lease(1, 4), NOW, NOW);
        assert!(purse.spend(key.locator, 5, NOW.plus(501)).is_some(), "four of the first, one of the second");
        assert!(purse.question(&key, 9, NOW.plus(502)).unused.is_empty(), "the second still lasts");
        assert!(purse.spend(key.locator, 2, NOW.plus(2_400)).is_some());
        assert_eq!(purse.spend(key.locator, 4, NOW.plus(2_400)), None, "three are left");
        assert_eq!(purse.watch(key.locator), Some(NOW.plus(2_500)));
        assert_eq!(purse.watch(key.locator), None, "one is enough");
        let unused = purse.question(&key, 1, NOW.plus(2_500)).unused;
        assert_eq!(unused, [Unused { lease: 2, permits: 3 }]);
        purse.keep(key.locator, unused);
        assert_eq!(purse.question(&key, 1, NOW.plus(2_501)).unused.len(), 1, "the meter did not answer");
    }

    #[test]
    fn a_busy_key_asks_for_what_it_is_likely_to_need() {
        let (mut purse, key) = (Purse::default(), record());
        assert_eq!(purse.question(&key, 1, NOW).spare, 0, "nothing is known of it yet");
        purse.put(&key, lease(1, 101), NOW, NOW);
        for _ in 0..100 {
            purse.spend(key.locator, 1, NOW.plus(500)).unwrap().unwrap();
        }
        let question = purse.question(&key, 1, NOW.plus(1_000));
        assert_eq!((question.need, question.spare), (1, 200), "100 in one second, for two seconds");
        purse.put(&key, lease(2, 101), NOW.plus(1_000), NOW.plus(1_000));
        assert!(purse.spend(key.locator, 50, NOW.plus(1_500)).is_some());
        assert!(purse.question(&key, 60, NOW.plus(1_500)).spare > 0);
        assert_eq!(purse.question(&key, 60, NOW.plus(1_500)).spare, 0, "another call is asking");
        purse.put(&key, lease(3, 60), NOW.plus(1_500), NOW.plus(1_550));
        assert!(purse.spend(key.locator, 111, NOW.plus(1_600)).is_some());
        assert_eq!(purse.question(&key, 1, NOW.plus(1_600)).spare, 0, "it still is");
    }
}
