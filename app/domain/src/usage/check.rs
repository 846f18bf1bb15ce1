//! Plausibility check of a usage batch.

use super::{Batch, Step};
use crate::time::{MINUTE, Timestamp};

/// Maximum lead of an isolate's clock, in milliseconds.
pub const AHEAD_MAX: i64 = 30 * MINUTE;
/// Maximum age of a count in milliseconds, for an isolate that has sent something since.
const LATE_MAX: i64 = Step::Minute.kept_for();
/// Maximum number of requests in one cell of a batch.
const CALLS_MAX: u64 = 1_000_000_000;
/// Upper bound of outcome numbers, exclusive.
const OUTCOMES_MAX: u8 = 32;
/// Upper bound of scope bits, exclusive; the table of scopes assigns no bit beyond.
const SCOPES_MAX: u32 = 53;

impl Batch {
    /// Returns the fault of an implausible batch. The vault counts nothing of such a batch: its
    /// isolate has a wrong clock or a bug, so none of it is credible.
    pub fn fault(&self, now: Timestamp) -> Option<&'static str> {
        let (earliest, latest) = (now.plus(-LATE_MAX), now.plus(AHEAD_MAX));
        for (cell, calls) in &self.counts {
            let minute = Step::Minute.begin(cell.minute);
            if minute.plus(MINUTE) <= earliest {
                return Some("a minute of long ago");
            }
            if minute > latest {
                return Some("a minute that is still to come");
            }
            if *calls == 0 || *calls > CALLS_MAX {
                return Some("an impossible number of calls");
            }
            if cell.outcome >= OUTCOMES_MAX {
                return Some("an impossible outcome");
            }
            if u64::BITS - cell.scopes.leading_zeros() > SCOPES_MAX {
                return Some("an impossible scope");
            }
        }
        if self.last_uses.iter().any(|last| last.at < earliest || last.at > latest) {
            return Some("a last use at an impossible time");
        }
        None
    }

    /// Returns the time of the latest request in the batch, to the minute; `None` for an empty
    /// batch.
    pub fn made_at(&self) -> Option<Timestamp> {
        let minutes = self.counts.iter().map(|(cell, _)| Step::Minute.begin(cell.minute));
        minutes.chain(self.last_uses.iter().map(|last| last.at)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        time::HOUR,
        usage::{Cell, LastUse},
    };

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn batch(minute: i64, outcome: u8, scopes: u64, calls: u64, last: i64) -> Batch {
        let key = "0000000000000001".parse().unwrap();
        let cell = Cell { key, minute, outcome, scopes };
        let last_uses = vec![LastUse { key, secret: 1, at: NOW.plus(last) }];
        Batch { isolate: 1, sequence: 1, counts: vec![(cell, calls)], last_uses }
    }

    #[test]
    fn only_plausible_counts_are_accepted() {
        let now = Step::Minute.number(NOW);
        for (minute, outcome, scopes, calls, last) in [
            (now, 0, 0, 1, 0),
            (now + 30, 31, (1 << 53) - 1, CALLS_MAX, AHEAD_MAX),
            (now - 48 * 60, 13, 1, 1, -48 * HOUR),
        ] {
            assert_eq!(batch(minute, outcome, scopes, calls, last).fault(NOW), None);
        }
        for (minute, outcome, scopes, calls, last, fault) in [
            (now + 31, 0, 0, 1, 0, "still to come"),
            (i64::MAX, 0, 0, 1, 0, "still to come"),
            (now - 48 * 60 - 1, 0, 0, 1, 0, "long ago"),
            (i64::MIN, 0, 0, 1, 0, "long ago"),
            (now, 0, 0, 0, 0, "number of calls"),
            (now, 0, 0, CALLS_MAX + 1, 0, "number of calls"),
            (now, 32, 0, 1, 0, "outcome"),
            (now, 0, 1 << 53, 1, 0, "scope"),
            (now, 0, 0, 1, AHEAD_MAX + 1, "last use"),
            (now, 0, 0, 1, -48 * HOUR - 1, "last use"),
        ] {
            let found = batch(minute, outcome, scopes, calls, last).fault(NOW);
            assert!(found.is_some_and(|found| found.contains(fault)), "{fault}: {found:?}");
        }
    }

    #[test]
    fn a_batch_was_made_after_the_last_call_in_it() {
        let minute = Step::Minute.number(NOW);
        assert_eq!(batch(minute, 0, 0, 1, 5).made_at(), Some(NOW.plus(5)));
        assert_eq!(batch(minute + 1, 0, 0, 1, 0).made_at(), Some(Step::Minute.begin(minute + 1)));
        assert_eq!(Batch { isolate: 1, sequence: 1, counts: vec![], last_uses: vec![] }.made_at(), None);
    }
}
