//! Questions that are under way, so that many calls at once do not all ask the same.

use crate::timeout::{KV, REGISTRY};
use ownchat_domain::{
    locator::Locator,
    time::{SECOND, Timestamp},
};
use std::collections::HashMap;

/// A question that was not answered for so long, in milliseconds, counts as lost: another may ask. The longest, to KV and
/// then to the registry, is over before that.
pub const FETCH_TIMEOUT: i64 = (KV + REGISTRY) as i64 + SECOND / 2;
/// How long it is remembered that a question failed, in milliseconds.
const BACK_OFF: i64 = SECOND;
/// Most questions that are remembered at once.
const CAPACITY: usize = 10_000;

/// Keys that somebody asks a store for, and those of which the last question failed.
#[derive(Debug, Default)]
pub struct SingleFlight(HashMap<Locator, Fetch>);

#[derive(Debug)]
enum Fetch {
    InFlight(Timestamp),
    Failed(Timestamp),
}

impl SingleFlight {
    /// Whether somebody asks for a key.
    pub fn is_in_flight(&self, key: Locator, now: Timestamp) -> bool {
        matches!(self.0.get(&key), Some(Fetch::InFlight(at)) if (0..FETCH_TIMEOUT).contains(&now.since(*at)))
    }

    /// Whether the last question about a key failed a moment ago.
    pub fn has_failed(&self, key: Locator, now: Timestamp) -> bool {
        matches!(self.0.get(&key), Some(Fetch::Failed(at)) if (0..BACK_OFF).contains(&now.since(*at)))
    }

    /// Notes that somebody asks for a key.
    pub fn begin(&mut self, key: Locator, now: Timestamp) {
        if self.0.len() >= CAPACITY {
            // Most of them are over; of the others some will be asked twice.
            self.0.clear();
        }
        self.0.insert(key, Fetch::InFlight(now));
    }

    /// The question was answered, in whatever way.
    pub fn end(&mut self, key: Locator) {
        self.0.remove(&key);
    }

    /// The question failed, and that is to be remembered.
    pub fn fail(&mut self, key: Locator, now: Timestamp) {
        if let Some(fetch) = self.0.get_mut(&key) {
            *fetch = Fetch::Failed(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};

    #[test]
    fn one_asks_for_all_and_another_if_that_one_is_lost() {
        let (mut fetches, key) = (SingleFlight::default(), record().locator);
        assert!(!fetches.is_in_flight(key, NOW));
        fetches.begin(key, NOW);
        assert!(fetches.is_in_flight(key, NOW.plus(FETCH_TIMEOUT - 1)));
        assert!(!fetches.is_in_flight(key, NOW.plus(FETCH_TIMEOUT)), "it is lost");
        assert!(!fetches.is_in_flight(key, NOW.plus(-1)), "the clock was set back");
        fetches.end(key);
        assert!(!fetches.is_in_flight(key, NOW));
    }

    #[test]
    fn that_a_question_failed_is_remembered_for_a_second_or_until_the_next() {
        let (mut fetches, key) = (SingleFlight::default(), record().locator);
        fetches.fail(key, NOW);
        assert!(!fetches.has_failed(key, NOW), "nobody asked");
        fetches.begin(key, NOW);
        fetches.fail(key, NOW);
        assert!(!fetches.is_in_flight(key, NOW) && fetches.has_failed(key, NOW.plus(BACK_OFF - 1)));
        assert!(!fetches.has_failed(key, NOW.plus(BACK_OFF)));
        assert!(!fetches.has_failed(key, NOW.plus(-1)), "the clock was set back");
        fetches.begin(key, NOW.plus(1));
        assert!(fetches.is_in_flight(key, NOW.plus(1)) && !fetches.has_failed(key, NOW.plus(1)));
    }

    #[test]
    fn what_is_never_ended_takes_no_room_for_ever() {
        let mut fetches = SingleFlight::default();
        for number in 0..=2 * CAPACITY {
            let key = format!("{number:016}").parse().unwrap();
            fetches.begin(key, NOW);
            assert!(fetches.0.len() <= CAPACITY && fetches.is_in_flight(key, NOW));
        }
    }
}
