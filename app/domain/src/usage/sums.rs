//! Stored usage counters: by step, by outcome, and by outcome and scope.

use super::{LastUse, Point};
use crate::{
    time::Timestamp,
    wire::{self, WireError},
};
use serde::{Deserialize, Serialize};

/// Maximum of a counter, 2^53 - 1: JSON numbers above it lose precision (RFC 8259, section 6).
const CALLS_MAX: u64 = (1 << 53) - 1;
/// Scope wildcard: the counter covers requests with any scopes.
const ANY: u8 = u8::MAX;
/// Version of the binary layout.
const LAYOUT: u8 = 1;

/// One counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Number of the step; the owner of the counters defines it.
    pub step: i64,
    /// Number of the outcome.
    outcome: u8,
    /// Bit of the scope, or [`ANY`].
    scope: u8,
    /// Number of requests.
    calls: u64,
}

/// Counters of requests. A request counts once under its outcome, and once more under each scope
/// that it needed. The number of counters per step is therefore bounded for any use of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums(
    /// Sorted by step, outcome and scope.
    Vec<Sum>,
);

/// Requests by outcome number, or by the bit of a required scope; sorted by that number.
pub type Parts = Vec<(u8, u64)>;

impl Sums {
    /// Counts requests of one cell.
    pub fn count(&mut self, step: i64, outcome: u8, scopes: u64, calls: u64) {
        self.add(step, &Sum { step, outcome, scope: ANY, calls });
        for scope in (0..64).filter(|bit| scopes >> bit & 1 == 1) {
            self.add(step, &Sum { step, outcome, scope, calls });
        }
    }

    /// Adds one counter to the counter of the same outcome and scope in `step`.
    pub fn add(&mut self, step: i64, more: &Sum) {
        let order = |sum: &Sum| (sum.step, sum.outcome, sum.scope);
        let place = self.0.binary_search_by_key(&(step, more.outcome, more.scope), order);
        match place.map(|place| self.0.get_mut(place)) {
            Ok(Some(sum)) => sum.calls = sum.calls.saturating_add(more.calls).min(CALLS_MAX),
            Ok(None) => {}
            Err(place) => self.0.insert(place, Sum { step, calls: more.calls.min(CALLS_MAX), ..*more }),
        }
    }

    /// Iterates over all counters, sorted by step.
    pub fn iter(&self) -> impl Iterator<Item = &Sum> {
        self.0.iter()
    }

    /// Returns the requests with this outcome and this scope, step by step; `None` matches any.
    /// `begin` maps a step's number to its start.
    pub fn points(&self, outcome: Option<u8>, scope: Option<u8>, begin: impl Fn(i64) -> Timestamp) -> Vec<Point> {
        let mut points = Vec::new();
        for sums in self.0.chunk_by(|one, next| one.step == next.step) {
            let mut point = Point { at: begin(sums.first().map_or(0, |sum| sum.step)), ..Point::default() };
            for sum in sums.iter().filter(|sum| outcome.is_none_or(|outcome| outcome == sum.outcome)) {
                if sum.scope == scope.unwrap_or(ANY) {
                    point.outcomes.push((sum.outcome, sum.calls));
                }
                if sum.scope != ANY && scope.is_none_or(|scope| scope == sum.scope) {
                    match point.scopes.binary_search_by_key(&sum.scope, |(scope, _)| *scope) {
                        Ok(place) => point
                            .scopes
                            .iter_mut()
                            .skip(place)
                            .take(1)
                            .for_each(|(_, calls)| *calls = calls.saturating_add(sum.calls).min(CALLS_MAX)),
                        Err(place) => point.scopes.insert(place, (sum.scope, sum.calls)),
                    }
                }
            }
            if !point.outcomes.is_empty() {
                points.push(point);
            }
        }
        points
    }

    /// Serialises the counters for the store.
    ///
    /// # Errors
    ///
    /// As [`wire::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        wire::encode(LAYOUT, self)
    }

    /// Parses stored counters.
    ///
    /// # Errors
    ///
    /// Returns a [`WireError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        wire::decode(LAYOUT, bytes)
    }
}

/// Keeps only the latest use of each secret, sorted by key and secret.
pub fn latest(mut uses: Vec<LastUse>) -> Vec<LastUse> {
    uses.sort_unstable_by_key(|last| (last.key, last.secret, core::cmp::Reverse(last.at)));
    uses.dedup_by_key(|last| (last.key, last.secret));
    uses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn of(calls: &[(i64, u8, u64, u64)]) -> Sums {
        let mut sums = Sums::default();
        for (step, outcome, scopes, calls) in calls {
            sums.count(*step, *outcome, *scopes, *calls);
        }
        sums
    }

    fn points(sums: &Sums, outcome: Option<u8>, scope: Option<u8>) -> Vec<(i64, Parts, Parts)> {
        let points = sums.points(outcome, scope, Timestamp::from_millis);
        points.into_iter().map(|point| (point.at.millis(), point.outcomes, point.scopes)).collect()
    }

    #[test]
    fn a_call_counts_once_by_outcome_and_once_under_each_scope() {
        let sums = of(&[(7, 0, 0b11, 5), (7, 0, 0b01, 2), (7, 8, 0b10, 1), (7, 0, 0, 4), (9, 8, 1, 3)]);
        assert_eq!(
            points(&sums, None, None),
            [(7, vec![(0, 11), (8, 1)], vec![(0, 7), (1, 6)]), (9, vec![(8, 3)], vec![(0, 3)])]
        );
        assert_eq!(points(&sums, Some(8), None), [(7, vec![(8, 1)], vec![(1, 1)]), (9, vec![(8, 3)], vec![(0, 3)])]);
        assert_eq!(points(&sums, None, Some(1)), [(7, vec![(0, 5), (8, 1)], vec![(1, 6)])]);
        assert_eq!(points(&sums, Some(0), Some(1)), [(7, vec![(0, 5)], vec![(1, 5)])]);
        assert_eq!(points(&sums, Some(9), None), []);
    }

    #[test]
    fn adding_every_sum_is_counting_everything() {
        let (mut one, two) = (of(&[(1, 0, 1, 5), (1, 8, 2, 1)]), of(&[(1, 0, 3, 2), (0, 11, 0, 7)]));
        two.iter().for_each(|sum| one.add(sum.step, sum));
        assert_eq!(one, of(&[(0, 11, 0, 7), (1, 0, 3, 2), (1, 8, 2, 1), (1, 0, 1, 5)]));
    }

    #[test]
    fn a_sum_stays_at_its_greatest_instead_of_wrapping() {
        let sums = of(&[(0, 0, 1, u64::MAX), (0, 0, 1, u64::MAX), (0, 1, 2, u64::MAX)]);
        assert_eq!(
            points(&sums, None, None),
            [(0, vec![(0, CALLS_MAX), (1, CALLS_MAX)], vec![(0, CALLS_MAX), (1, CALLS_MAX)])]
        );
    }

    /// Pinned bytes: stores keep counters for years.
    #[test]
    fn known_answer() {
        let sums = of(&[(7, 8, 0b100, 300), (0, 0, 0b1, 2)]);
        assert_eq!(hex(&sums.encode().unwrap()), "01 04 00000002 0000ff02 0e0802ac02 0e08ffac02".replace(' ', ""));
        assert_eq!(Sums::decode(&sums.encode().unwrap()), Ok(sums));
        for (bytes, error) in [(&[][..], WireError::Empty), (&[2, 0], WireError::Layout(2)), (&[1, 9], WireError::Body)]
        {
            assert_eq!(Sums::decode(bytes), Err(error));
        }
    }

    #[test]
    fn of_each_secret_the_latest_use_counts() {
        let last = |key: u8, secret, millis| LastUse {
            key: format!("{key:016}").parse().unwrap(),
            secret,
            at: Timestamp::from_millis(millis),
        };
        let uses = vec![last(2, 1, 5), last(1, 2, 7), last(1, 1, 3), last(1, 2, 9), last(1, 2, 8)];
        assert_eq!(latest(uses), [last(1, 1, 3), last(1, 2, 9), last(2, 1, 5)]);
    }
}
