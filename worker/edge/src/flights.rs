//! Questions that are under way, so that many calls at once do not all ask the same.

use ownchat_domain::{locator::Locator, time::Timestamp};
use std::collections::HashMap;

/// A question that was not answered for so long, in milliseconds, counts as lost: another may ask.
const LOST_AFTER: i64 = 2_000;
/// Most questions that are remembered at once.
const CAPACITY: usize = 10_000;

/// Keys that somebody asks a store for, with the time at which that began.
#[derive(Debug, Default)]
pub struct Flights(HashMap<Locator, Timestamp>);

impl Flights {
    /// Whether somebody asks for a key.
    pub fn is_under_way(&self, key: Locator, now: Timestamp) -> bool {
        self.0.get(&key).is_some_and(|since| (0..LOST_AFTER).contains(&now.since(*since)))
    }

    /// Notes that somebody asks for a key.
    pub fn begin(&mut self, key: Locator, now: Timestamp) {
        if self.0.len() >= CAPACITY {
            // Most of them are lost; of the others some will be asked twice.
            self.0.clear();
        }
        self.0.insert(key, now);
    }

    /// The question was answered, in whatever way.
    pub fn end(&mut self, key: Locator) {
        self.0.remove(&key);
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
    fn what_is_never_ended_takes_no_room_for_ever() {
        let mut flights = Flights::default();
        for number in 0..=2 * CAPACITY {
            let key = format!("{number:016}").parse().unwrap();
            flights.begin(key, NOW);
            assert!(flights.0.len() <= CAPACITY && flights.is_under_way(key, NOW));
        }
    }
}
