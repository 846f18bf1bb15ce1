//! Single flight: coalesces concurrent fetches of one key, so that one request fetches and the
//! others wait. Backs off for a second after a failed fetch.

use crate::timeouts::{KV, REGISTRY};
use ownchat_domain::{
    locator::Locator,
    time::{SECOND, Timestamp},
};
use std::collections::HashMap;

/// Timeout of a fetch in flight, in milliseconds; after it another request may fetch. The longest
/// fetch, from KV and then from the registry, ends before that.
pub const FETCH_TIMEOUT: i64 = (KV + REGISTRY) as i64 + SECOND / 2;
/// Back-off after a failed fetch, in milliseconds.
const BACK_OFF: i64 = SECOND;
/// Maximum number of fetches that are tracked.
const CAPACITY: usize = 10_000;

/// Fetches by key: those in flight, and the last one if it failed.
#[derive(Debug, Default)]
pub struct SingleFlight(HashMap<Locator, FetchState>);

#[derive(Debug)]
enum FetchState {
    InFlight(Timestamp),
    Failed(Timestamp),
}

impl SingleFlight {
    /// Returns true if a fetch of the key is in flight.
    pub fn is_in_flight(&self, key: Locator, now: Timestamp) -> bool {
        matches!(self.0.get(&key), Some(FetchState::InFlight(at)) if (0..FETCH_TIMEOUT).contains(&now.since(*at)))
    }

    /// Returns true if the last fetch of the key failed within the back-off.
    pub fn has_failed(&self, key: Locator, now: Timestamp) -> bool {
        matches!(self.0.get(&key), Some(FetchState::Failed(at)) if (0..BACK_OFF).contains(&now.since(*at)))
    }

    /// Marks a fetch as in flight.
    pub fn begin(&mut self, key: Locator, now: Timestamp) {
        if self.0.len() >= CAPACITY {
            // Most entries are over; a few fetches in flight are done twice.
            self.0.clear();
        }
        self.0.insert(key, FetchState::InFlight(now));
    }

    /// Ends a fetch that got a response of any kind.
    pub fn end(&mut self, key: Locator) {
        self.0.remove(&key);
    }

    /// Ends a fetch that failed, and starts the back-off.
    pub fn fail(&mut self, key: Locator, now: Timestamp) {
        if let Some(fetch) = self.0.get_mut(&key) {
            *fetch = FetchState::Failed(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};

    #[test]
    fn one_request_fetches_until_its_fetch_times_out() {
        let (mut fetches, key) = (SingleFlight::default(), record().locator);
        assert!(!fetches.is_in_flight(key, NOW));
        fetches.begin(key, NOW);
        assert!(fetches.is_in_flight(key, NOW.plus(FETCH_TIMEOUT - 1)));
        assert!(!fetches.is_in_flight(key, NOW.plus(FETCH_TIMEOUT)), "the fetch timed out");
        assert!(!fetches.is_in_flight(key, NOW.plus(-1)), "the clock was set back");
        fetches.end(key);
        assert!(!fetches.is_in_flight(key, NOW));
    }

    #[test]
    fn failed_fetch_backs_off_for_a_second() {
        let (mut fetches, key) = (SingleFlight::default(), record().locator);
        fetches.fail(key, NOW);
        assert!(!fetches.has_failed(key, NOW), "no fetch was in flight");
        fetches.begin(key, NOW);
        fetches.fail(key, NOW);
        assert!(!fetches.is_in_flight(key, NOW) && fetches.has_failed(key, NOW.plus(BACK_OFF - 1)));
        assert!(!fetches.has_failed(key, NOW.plus(BACK_OFF)));
        assert!(!fetches.has_failed(key, NOW.plus(-1)), "the clock was set back");
        fetches.begin(key, NOW.plus(1));
        assert!(fetches.is_in_flight(key, NOW.plus(1)) && !fetches.has_failed(key, NOW.plus(1)));
    }

    #[test]
    fn fetches_that_never_end_take_bounded_room() {
        let mut fetches = SingleFlight::default();
        for number in 0..=2 * CAPACITY {
            let key = format!("{number:016}").parse().unwrap();
            fetches.begin(key, NOW);
            assert!(fetches.0.len() <= CAPACITY && fetches.is_in_flight(key, NOW));
        }
    }
}
