//! Usage metering: counts that the edge collects in memory and sends to the vault in batches.

mod check;
mod report;
mod seen;
mod span;
mod step;
mod sums;

pub use check::AHEAD_MAX;
pub use report::{Point, Report, Series};
pub use seen::{BatchStatus, Seen};
pub use span::Span;
pub use step::Step;
pub use sums::{Parts, Sum, Sums, latest};

use crate::{
    locator::Locator,
    scope::ScopeSet,
    time::{MINUTE, Timestamp},
    verdict::Code,
    wire::{self, WireError},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Flush interval: maximum age of counts in memory, in milliseconds. A machine that dies loses at
/// most these counts.
pub const FLUSH_AFTER: i64 = 2 * crate::time::SECOND;
/// Maximum number of cells in one batch; more are split into several batches.
pub const BATCH_MAX: usize = 5_000;
/// Version of the binary layout.
const LAYOUT: u8 = 1;

/// The key of a counter: requests with equal cells are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Locator of the key.
    pub key: Locator,
    /// Minutes since the epoch.
    pub minute: i64,
    /// Number of the outcome's [`Code`].
    pub outcome: u8,
    /// Bits of the scopes that the requests needed.
    pub scopes: u64,
}

/// Last use of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// Locator of the key.
    pub key: Locator,
    /// Number of the secret within its key.
    pub secret: u32,
    /// Time of the last use.
    pub at: Timestamp,
}

/// Usage counts of one workspace, from one isolate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Random id of the isolate.
    pub isolate: u64,
    /// Sequence number of the batch within its isolate, from 1. The vault counts a repeated batch
    /// once.
    pub sequence: u64,
    /// Number of requests per cell.
    pub counts: Vec<(Cell, u64)>,
    /// Last uses of secrets.
    pub last_uses: Vec<LastUse>,
}

/// Serialises a batch.
///
/// # Errors
///
/// As [`wire::encode`].
pub fn encode(batch: &Batch) -> Result<Vec<u8>, WireError> {
    wire::encode(LAYOUT, batch)
}

/// Parses a batch.
///
/// # Errors
///
/// Returns a [`WireError`] for other bytes, or for more than [`BATCH_MAX`] entries.
pub fn decode(bytes: &[u8]) -> Result<Batch, WireError> {
    let batch: Batch = wire::decode(LAYOUT, bytes)?;
    let is_bounded = batch.counts.len() <= BATCH_MAX && batch.last_uses.len() <= BATCH_MAX;
    if is_bounded { Ok(batch) } else { Err(WireError::Body) }
}

/// Counts that an isolate has not sent yet, by workspace.
#[derive(Debug, Default)]
pub struct Tally(HashMap<u32, WorkspaceCounts>);

#[derive(Debug, Default)]
struct WorkspaceCounts {
    cells: HashMap<Cell, u64>,
    last_uses: HashMap<(Locator, u32), Timestamp>,
}

impl Tally {
    /// Counts one request with a key. `secret` is the number of the secret that matched.
    pub fn count(
        &mut self,
        workspace: u32,
        key: Locator,
        outcome: Code,
        required: ScopeSet,
        secret: Option<u32>,
        now: Timestamp,
    ) {
        let counts = self.0.entry(workspace).or_default();
        let minute = now.millis().div_euclid(MINUTE);
        let cell = Cell { key, minute, outcome: outcome.number(), scopes: required.bits() };
        *counts.cells.entry(cell).or_default() += 1;
        if let Some(secret) = secret {
            let last = counts.last_uses.entry((key, secret)).or_insert(now);
            *last = (*last).max(now);
        }
    }

    /// Returns true if there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the counts of the workspaces that `takes` selects, and returns them in batches.
    /// `takes` gets the workspace number and its number of cells. `last` is the last sequence
    /// number; each batch increments it.
    pub fn drain(
        &mut self,
        isolate: u64,
        last: &mut u64,
        mut takes: impl FnMut(u32, usize) -> bool,
    ) -> Vec<(u32, Batch)> {
        let mut batches = Vec::new();
        for (workspace, counts) in self.0.extract_if(|workspace, counts| takes(*workspace, counts.cells.len())) {
            let mut cells = counts.cells.into_iter().peekable();
            let mut uses = counts.last_uses.into_iter().peekable();
            while cells.peek().is_some() || uses.peek().is_some() {
                let counts = cells.by_ref().take(BATCH_MAX).collect();
                let last_uses =
                    uses.by_ref().take(BATCH_MAX).map(|((key, secret), at)| LastUse { key, secret, at }).collect();
                *last += 1;
                batches.push((workspace, Batch { isolate, sequence: *last, counts, last_uses }));
            }
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, scopes};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn locator(number: u32) -> Locator {
        format!("{number:016}").parse().unwrap()
    }

    /// Pinned bytes: Workers of the previous and next version read batches.
    #[test]
    fn known_answer() {
        let cell = Cell { key: locator(5), minute: 29_924_206, outcome: 1, scopes: 1 };
        let last = LastUse { key: locator(5), secret: 2, at: NOW };
        let batch = Batch { isolate: 7, sequence: 300, counts: vec![(cell, 9)], last_uses: vec![last] };
        assert_eq!(
            hex(&encode(&batch).unwrap()),
            "0107ac02011030303030303030303030303030303035dcedc41c0101090110303030303030303030303030303030350280c3ec94c168"
        );
        assert_eq!(decode(&encode(&batch).unwrap()), Ok(batch));
    }

    #[test]
    fn calls_of_one_kind_are_counted_together() {
        let mut tally = Tally::default();
        let read = scopes(&["contacts:read"]);
        for millis in [0, 1, 59_000, 60_000] {
            tally.count(1, locator(1), Code::Valid, read, Some(1), NOW.plus(millis));
        }
        tally.count(1, locator(1), Code::ScopeMissing, read, Some(2), NOW);
        tally.count(2, locator(9), Code::Valid, read, Some(1), NOW);
        let mut last = 0;
        assert!(tally.drain(7, &mut last, |_, size| size > 3).is_empty());
        let mut batches = tally.drain(7, &mut last, |workspace, _| workspace == 2);
        assert_eq!((batches.len(), last, tally.is_empty()), (1, 1, false));
        batches.extend(tally.drain(7, &mut last, |_, _| true));
        assert!(tally.is_empty());
        batches.sort_by_key(|(workspace, _)| *workspace);
        assert_eq!(batches.iter().map(|(workspace, _)| *workspace).collect::<Vec<_>>(), [1, 2]);
        let (_, first) = &batches[0];
        let total: u64 = first.counts.iter().map(|(_, count)| count).sum();
        assert_eq!((first.counts.len(), total), (3, 5));
        let latest = first.last_uses.iter().find(|use_| use_.secret == 1).unwrap();
        assert_eq!(latest.at, NOW.plus(60_000));
    }

    #[test]
    fn much_is_sent_in_several_batches() {
        let mut tally = Tally::default();
        let many = u32::try_from(BATCH_MAX).unwrap() + 1;
        for number in 0..many {
            tally.count(1, locator(number), Code::Valid, ScopeSet::EMPTY, Some(1), NOW);
        }
        let batches = tally.drain(7, &mut 0, |_, _| true);
        assert_eq!(batches.iter().map(|(_, batch)| batch.sequence).collect::<Vec<_>>(), [1, 2]);
        let total: u64 = batches.iter().flat_map(|(_, batch)| &batch.counts).map(|(_, count)| count).sum();
        assert_eq!(total, u64::from(many));
        assert!(batches.iter().all(|(_, batch)| decode(&encode(batch).unwrap()).is_ok()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes);
        }
    }
}
