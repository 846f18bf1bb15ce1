//! Deduplication of usage batches: a batch that arrives twice is counted once.
//!
//! Batches arrive late and out of order. An isolate numbers its batches across all workspaces, so
//! one workspace sees gaps. The set of seen numbers is stored as ranges, up to a maximum. Beyond it
//! the lowest range is dropped, and numbers up to its end become unknown.

use crate::wire::{self, WireError};
use serde::{Deserialize, Serialize};

/// Maximum number of ranges. An isolate adds at most one with each flush, so they cover at least
/// the last 15 minutes.
const RANGES_MAX: usize = 1_024;
/// Version of the binary layout.
const LAYOUT: u8 = 1;

/// Status of a batch before it was marked as counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStatus {
    /// The batch is new and now marked as counted.
    New,
    /// The batch was counted before.
    Before,
    /// The batch is too late to tell.
    Unknown,
}

/// The set of batch numbers of one isolate that were counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Highest number whose state is unknown.
    forgotten: u64,
    /// First and last number of each range, in order; no two touch.
    ranges: Vec<(u64, u64)>,
}

/// Stored form: each number as the difference to the previous one, which takes few bytes.
#[derive(Serialize, Deserialize)]
struct Stored(Vec<u64>);

impl Seen {
    /// Marks the batch with this number as counted, and returns its previous state.
    pub fn note(&mut self, sequence: u64) -> BatchStatus {
        if sequence <= self.forgotten {
            return BatchStatus::Unknown;
        }
        let after = self.ranges.partition_point(|(first, _)| *first <= sequence);
        let before = after.checked_sub(1).and_then(|place| self.ranges.get(place)).copied();
        if before.is_some_and(|(_, last)| sequence <= last) {
            return BatchStatus::Before;
        }
        let next = self.ranges.get(after).copied();
        let joins_before = before.filter(|(_, last)| last.checked_add(1) == Some(sequence));
        let joins_next = next.filter(|(first, _)| sequence.checked_add(1) == Some(*first));
        let range = (joins_before.map_or(sequence, |(first, _)| first), joins_next.map_or(sequence, |(_, last)| last));
        let from = after - usize::from(joins_before.is_some());
        self.ranges.splice(from..after + usize::from(joins_next.is_some()), [range]);
        if self.ranges.len() > RANGES_MAX {
            let (_, last) = self.ranges.remove(0);
            self.forgotten = last;
        }
        BatchStatus::New
    }

    /// Serialises the set for the store.
    ///
    /// # Errors
    ///
    /// As [`wire::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let mut last = 0;
        let mut numbers = Vec::with_capacity(1 + 2 * self.ranges.len());
        let ends = self.ranges.iter().flat_map(|(first, last)| [*first, *last]);
        for number in core::iter::once(self.forgotten).chain(ends) {
            numbers.push(number.saturating_sub(last));
            last = number;
        }
        wire::encode(LAYOUT, &Stored(numbers))
    }

    /// Parses a stored set.
    ///
    /// # Errors
    ///
    /// Returns a [`WireError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let Stored(numbers) = wire::decode(LAYOUT, bytes)?;
        Self::from_distances(numbers).ok_or(WireError::Body)
    }

    fn from_distances(numbers: Vec<u64>) -> Option<Self> {
        let mut last = 0u64;
        let mut ends = Vec::with_capacity(numbers.len());
        for distance in numbers {
            last = last.checked_add(distance)?;
            ends.push(last);
        }
        let (forgotten, ends) = ends.split_first()?;
        let (ranges, rest) = ends.as_chunks::<2>();
        let ranges = ranges.iter().map(|[first, last]| (*first, *last)).collect();
        rest.is_empty().then_some(Self { forgotten: *forgotten, ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_batch_is_new_once_in_whatever_order_it_comes() {
        let mut seen = Seen::default();
        for (sequence, status) in [
            (3, BatchStatus::New),
            (1, BatchStatus::New),
            (3, BatchStatus::Before),
            (2, BatchStatus::New),
            (2, BatchStatus::Before),
            (u64::MAX, BatchStatus::New),
            (u64::MAX, BatchStatus::Before),
            (u64::MAX - 1, BatchStatus::New),
            (0, BatchStatus::Unknown),
        ] {
            assert_eq!(seen.note(sequence), status, "{sequence}");
        }
        assert_eq!(seen.ranges, [(1, 3), (u64::MAX - 1, u64::MAX)]);
    }

    #[test]
    fn without_gaps_it_takes_no_room_however_long_it_goes_on() {
        let mut seen = Seen::default();
        assert!((1..100_000).all(|sequence| seen.note(sequence) == BatchStatus::New));
        assert!(seen.encode().unwrap().len() < 10);
        assert_eq!(seen.note(1), BatchStatus::Before);
    }

    #[test]
    fn an_evicted_sequence_number_is_unknown() {
        let mut seen = Seen::default();
        let many = u64::try_from(RANGES_MAX).unwrap() + 1;
        assert!((1..=many).all(|number| seen.note(number * 100) == BatchStatus::New));
        assert_eq!(seen.note(100), BatchStatus::Unknown, "counted, and forgotten");
        assert_eq!(seen.note(99), BatchStatus::Unknown, "never counted, and as low");
        assert_eq!(seen.note(101), BatchStatus::New);
        assert_eq!(seen.note(101), BatchStatus::Unknown, "there was no room for one more");
        assert_eq!(seen.note(200), BatchStatus::Before);
        assert!(seen.encode().unwrap().len() < 4_000, "{}", seen.encode().unwrap().len());
    }

    proptest! {
        #[test]
        fn it_is_a_set_that_survives_the_store(sequences in proptest::collection::vec(1u64..60, 0..200)) {
            let (mut seen, mut set) = (Seen::default(), HashSet::new());
            for sequence in sequences {
                let status = if set.insert(sequence) { BatchStatus::New } else { BatchStatus::Before };
                prop_assert_eq!(seen.note(sequence), status);
                prop_assert!(seen.ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
                let read = Seen::decode(&seen.encode().unwrap());
                prop_assert_eq!(read.as_ref(), Ok(&seen));
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(mut seen) = Seen::decode(&bytes) {
                seen.note(7);
            }
        }
    }
}
