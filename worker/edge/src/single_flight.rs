//! Questions that are under way, so that many calls at once do not all ask the same.

use crate::timeout::{KV, REGISTRY};
use ownchat_domain::{
    locator::Locator,
    time::{SECOND, Timestamp},
};
use std::collections::HashMap;

/// A question that was not answered for so long, in milliseconds, counts as lost: another may ask. The longest, to KV and
/// then to the registry, is over before that.
pub const LOST_AFTER: i64 = (KV + REGISTRY) as i64 + SECOND / 2;
/// How long it is remembered that a question failed, in milliseconds.
const FAILED_FOR: i64 = SECOND;
/// Most questions that are remembered at once.
const CAPACITY: usize = 10_000;

/// Keys that somebody asks a store for, and those of which the last question failed.
#[derive(Debug, Default)]
pub struct Flights(HashMap<Locator, Flight>);

#[derive(Debug)]
enum Flight {
    Begun(Timestamp),
    Failed(Timestamp),
}

impl Flights {
    /// Whether somebody asks for a key.
    pub fn is_under_way(&self, key: Locator, now: Timestamp) -> bool {
        matches!(self.0.get(&key), Some(Flight::Begun(at)) if (0..LOST_AFTER).contains(&now.since(*at)))
    }

    /// Whether the last question about a key failed a moment ago.
    pub fn has_failed(&self, key: Locator, now: Timestamp) -> bool {
        matches!(self.0.get(&key), Some(Flight::Failed(at)) if (0..FAILED_FOR).contains(&now.since(*at)))
    }

    /// Notes that somebody asks for a key.
    pub fn begin(&mut self, key: Locator, now: Timestamp) {
        if self.0.len() >= CAPACITY {
            // Most of them are over; of the others some will be asked twice.
            self.0.clear();
        }
        self.0.insert(key, Flight::Begun(now));
    }

    /// The question was answered, in whatever way.
    pub fn end(&mut self, key: Locator) {
        self.0.remove(&key);
    }

    /// The question failed, and that is to be remembered.
    pub fn fail(&mut self, key: Locator, now: Timestamp) {
        if let Some(flight) = self.0.get_mut(&key) {
            *flight = Flight::Failed(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};

    #[test]
    fn one_asks_for_all_and_another_if_that_one_is_lost() {
        let (mut flights, key) = (Flights::default(), record().locator);
        assert!(!flights.is_under_way(key, NOW));
        flights.begin(key, NOW);
        assert!(flights.is_under_way(key, NOW.plus(LOST_AFTER - 1)));
        assert!(!flights.is_under_way(key, NOW.plus(LOST_AFTER)), "it is lost");
        assert!(!flights.is_under_way(key, NOW.plus(-1)), "the clock was set back");
        flights.end(key);
        assert!(!flights.is_under_way(key, NOW));
    }

    #[test]
    fn that_a_question_failed_is_remembered_for_a_second_or_until_the_next() {
        let (mut flights, key) = (Flights::default(), record().locator);
        flights.fail(key, NOW);
        assert!(!flights.has_failed(key, NOW), "nobody asked");
        flights.begin(key, NOW);
        flights.fail(key, NOW);
        assert!(!flights.is_under_way(key, NOW) && flights.has_failed(key, NOW.plus(FAILED_FOR - 1)));
        assert!(!flights.has_failed(key, NOW.plus(FAILED_FOR)));
        assert!(!flights.has_failed(key, NOW.plus(-1)), "the clock was set back");
        flights.begin(key, NOW.plus(1));
        assert!(flights.is_under_way(key, NOW.plus(1)) && !flights.has_failed(key, NOW.plus(1)));
    }

    #[test]
    fn what_is_never_ended_takes_no_room_for_ever() {
        let mut flights = Flights::default();
        for number in 0..=2 * CAPACITY {
            let key = format!("{number:016}").parse().unwrap();
            flights.begin(key, NOW);
            assert!(flights.0.len() <= CAPACITY && flights.is_under_way(key, NOW));
        }
    }
}
