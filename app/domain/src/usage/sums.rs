//! How many calls there were, as they are stored: by outcome, and by outcome and scope.

use super::Cell;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Greatest count, 2^53 - 1: more cannot be told apart in JSON (RFC 8259, section 6).
const CALLS_MAX: u64 = (1 << 53) - 1;
/// Stands for "whatever scopes the call needed".
const ANY: u8 = u8::MAX;
/// The version of the layout that is written.
const LAYOUT: u8 = 1;

/// Counts of calls. A call is counted once under its outcome, and once more under each scope that it needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums(
    /// Number of the outcome, bit of the scope or [`ANY`], calls; in the order of the first two.
    Vec<(u8, u8, u64)>,
);

/// Calls by the number of their outcome, or by the bit of a scope that they needed.
pub type Parts = BTreeMap<u8, u64>;

impl Sums {
    /// Counts calls of one kind.
    pub fn count(&mut self, outcome: u8, scopes: u64, calls: u64) {
        self.add(outcome, ANY, calls);
        (0..64).filter(|bit| scopes >> bit & 1 == 1).for_each(|bit| self.add(outcome, bit, calls));
    }

    /// Counts what `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(outcome, scope, calls)| self.add(*outcome, *scope, *calls));
    }

    fn add(&mut self, outcome: u8, scope: u8, calls: u64) {
        let place = self.0.binary_search_by_key(&(outcome, scope), |(outcome, scope, _)| (*outcome, *scope));
        match place {
            Ok(place) => {
                if let Some((_, _, known)) = self.0.get_mut(place) {
                    *known = known.saturating_add(calls).min(CALLS_MAX);
                }
            }
            Err(place) => self.0.insert(place, (outcome, scope, calls.min(CALLS_MAX))),
        }
    }

    /// The calls with this outcome that needed this scope, or with any: by outcome, and by scope.
    pub fn parts(&self, outcome: Option<u8>, scope: Option<u8>) -> (Parts, Parts) {
        let (mut outcomes, mut scopes) = (Parts::new(), Parts::new());
        for (of, needed, calls) in &self.0 {
            if outcome.is_some_and(|outcome| outcome != *of) {
                continue;
            }
            if *needed == scope.unwrap_or(ANY) {
                outcomes.insert(*of, *calls);
            }
            if *needed != ANY && scope.is_none_or(|scope| scope == *needed) {
                let sum = scopes.entry(*needed).or_insert(0);
                *sum = sum.saturating_add(*calls).min(CALLS_MAX);
            }
        }
        (outcomes, scopes)
    }
}

/// Counts of steps that lie side by side and are stored together, by the number of the step within the row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(BTreeMap<u8, Sums>);

impl Row {
    /// The counts of a step, to be added to.
    pub fn step(&mut self, number: u8) -> &mut Sums {
        self.0.entry(number).or_default()
    }

    /// Counts the calls of a cell under the step of this number.
    pub fn count(&mut self, number: u8, cell: &Cell, calls: u64) {
        self.step(number).count(cell.outcome, cell.scopes, calls);
    }

    /// Counts what `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        other.steps().for_each(|(number, counts)| self.step(number).merge(counts));
    }

    /// Every step with calls.
    pub fn steps(&self) -> impl Iterator<Item = (u8, &Sums)> {
        self.0.iter().map(|(number, counts)| (*number, counts))
    }

    /// All steps together.
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.0.values().for_each(|counts| total.merge(counts));
        total
    }

    /// Writes it, for the store.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        // Numbers only: there is nothing in a row that cannot be written.
        bytes.extend(postcard::to_allocvec(self).unwrap_or_default());
        bytes
    }

    /// Reads it; nothing if it is not one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (layout, body) = bytes.split_first()?;
        (*layout == LAYOUT).then(|| postcard::from_bytes(body).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn of(calls: &[(u8, u64, u64)]) -> Sums {
        let mut counts = Sums::default();
        for (outcome, scopes, calls) in calls {
            counts.count(*outcome, *scopes, *calls);
        }
        counts
    }

    #[test]
    fn a_call_counts_once_by_outcome_and_once_under_each_scope() {
        let counts = of(&[(0, 0b11, 5), (0, 0b01, 2), (8, 0b10, 1), (0, 0, 4)]);
        let parts = |outcome, scope| counts.parts(outcome, scope);
        let map = |pairs: &[(u8, u64)]| pairs.iter().copied().collect::<Parts>();
        assert_eq!(parts(None, None), (map(&[(0, 11), (8, 1)]), map(&[(0, 7), (1, 6)])));
        assert_eq!(parts(Some(8), None), (map(&[(8, 1)]), map(&[(1, 1)])));
        assert_eq!(parts(None, Some(1)), (map(&[(0, 5), (8, 1)]), map(&[(1, 6)])));
        assert_eq!(parts(Some(0), Some(1)), (map(&[(0, 5)]), map(&[(1, 5)])));
        assert_eq!(parts(Some(9), None), (Parts::new(), Parts::new()));
    }

    #[test]
    fn merging_is_counting_everything() {
        let (mut one, two) = (of(&[(0, 1, 5), (8, 2, 1)]), of(&[(0, 3, 2), (11, 0, 7)]));
        one.merge(&two);
        assert_eq!(one, of(&[(11, 0, 7), (0, 3, 2), (8, 2, 1), (0, 1, 5)]));
    }

    #[test]
    fn a_count_stays_at_its_greatest_instead_of_wrapping() {
        let counts = of(&[(0, 1, u64::MAX), (0, 1, u64::MAX), (1, 1, u64::MAX)]);
        let (outcomes, scopes) = counts.parts(None, None);
        assert_eq!((outcomes[&0], outcomes[&1], scopes[&0]), (CALLS_MAX, CALLS_MAX, CALLS_MAX));
    }

    /// Rows stay in stores for years, so the bytes are pinned.
    #[test]
    fn known_answer() {
        let mut row = Row::default();
        row.step(7).count(8, 0b100, 300);
        row.step(0).count(0, 0b1, 2);
        assert_eq!(hex(&row.encode()), "01 02 0002 000002 00ff02 0702 0802ac02 08ffac02".replace(' ', ""));
        assert_eq!(Row::decode(&row.encode()), Some(row.clone()));
        assert_eq!(row.steps().map(|(number, _)| number).collect::<Vec<_>>(), [0, 7]);
        assert_eq!(row.total(), of(&[(0, 1, 2), (8, 4, 300)]));
        for bytes in [&[][..], &[2, 0], &[1, 9]] {
            assert_eq!(Row::decode(bytes), None);
        }
    }
}
