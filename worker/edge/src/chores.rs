//! What is done after an answer, so that no caller waits for it.

use ownchat_domain::{
    record::Record,
    time::{SECOND, Timestamp},
    usage::{Batch, Tally},
};
use std::{collections::VecDeque, rc::Rc};

/// Counts are sent so long after the first of them, in milliseconds: half of what they may take at most.
const FLUSH_WAIT: i64 = ownchat_domain::usage::FLUSH_AFTER / 2;
/// Who was to send counts and has not for so long is gone, in milliseconds.
const GONE_AFTER: i64 = 5 * SECOND;
/// Most batches that are kept when they cannot be sent. More than that are days of a busy isolate.
const KEPT_BATCHES: usize = 100;

/// Something to do.
#[derive(Debug)]
pub enum Chore {
    /// Read the feed of this workspace.
    ReadFeed(u32),
    /// Send what was counted.
    SendCounts,
    /// Give back the permits of this key that nobody has spent; it was tried so often before.
    GiveBack(Rc<Record>, usize),
}

/// What there is to do, and when.
#[derive(Debug, Default)]
pub struct Chores(VecDeque<(Timestamp, Chore)>);

impl Chores {
    /// Adds something to do at a time.
    pub fn add(&mut self, due: Timestamp, chore: Chore) {
        let place = self.0.partition_point(|(other, _)| *other <= due);
        self.0.insert(place, (due, chore));
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all of it, what is due first at the front.
    pub fn take(&mut self) -> VecDeque<(Timestamp, Chore)> {
        std::mem::take(&mut self.0)
    }
}

/// What was counted and not yet sent.
#[derive(Debug, Default)]
pub struct Counts {
    /// What is being counted.
    pub tally: Tally,
    /// Batches that were made of it and are not confirmed, with their workspaces.
    unsent: VecDeque<(u32, Batch)>,
    /// Number of this isolate, random; 0 until it is chosen.
    isolate: u64,
    sequence: u64,
    /// When somebody undertook to send them.
    undertaken_at: Option<Timestamp>,
}

impl Counts {
    /// When to send, if there is something and nobody has undertaken to. Whoever is told has.
    pub fn undertake(&mut self, now: Timestamp) -> Option<Timestamp> {
        let undertaken = self.undertaken_at.is_some_and(|at| (0..GONE_AFTER).contains(&now.since(at)));
        if undertaken || (self.tally.is_empty() && self.unsent.is_empty()) {
            return None;
        }
        self.undertaken_at = Some(now);
        Some(now.plus(FLUSH_WAIT))
    }

    /// Takes out what is to be sent now. `random` names the isolate, once. What is counted from now on is somebody else's
    /// to send.
    pub fn take(&mut self, random: u64) -> VecDeque<(u32, Batch)> {
        if self.isolate == 0 {
            self.isolate = random.max(1);
        }
        self.undertaken_at = None;
        let mut batches = std::mem::take(&mut self.unsent);
        let sequence = &mut self.sequence;
        batches.extend(self.tally.drain(self.isolate, || {
            *sequence += 1;
            *sequence
        }));
        batches
    }

    /// Takes back what could not be sent. Says how many batches had to be given up for want of room: the eldest.
    pub fn keep(&mut self, batches: impl IntoIterator<Item = (u32, Batch)>) -> usize {
        self.unsent.extend(batches);
        let over = self.unsent.len().saturating_sub(KEPT_BATCHES);
        self.unsent.drain(..over);
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};
    use ownchat_domain::{scope::ScopeSet, verdict::Code};

    fn count(counts: &mut Counts) {
        counts.tally.count(7, record().locator, Code::Valid, ScopeSet::EMPTY, Some(1), NOW);
    }

    #[test]
    fn what_is_due_first_is_done_first() {
        let mut chores = Chores::default();
        chores.add(NOW.plus(5), Chore::SendCounts);
        chores.add(NOW, Chore::ReadFeed(7));
        let dues: Vec<_> = chores.take().into_iter().map(|(due, _)| due).collect();
        assert_eq!(dues, [NOW, NOW.plus(5)]);
        assert!(chores.is_empty());
    }

    #[test]
    fn one_sends_for_all_and_another_if_that_one_is_gone() {
        let mut counts = Counts::default();
        assert_eq!(counts.undertake(NOW), None, "nothing was counted");
        count(&mut counts);
        assert_eq!(counts.undertake(NOW), Some(NOW.plus(FLUSH_WAIT)));
        count(&mut counts);
        assert_eq!(counts.undertake(NOW.plus(GONE_AFTER - 1)), None, "somebody has undertaken to");
        assert_eq!(counts.undertake(NOW.plus(GONE_AFTER)), Some(NOW.plus(GONE_AFTER + FLUSH_WAIT)));
        assert_eq!(counts.take(9).len(), 1);
        count(&mut counts);
        assert!(counts.undertake(NOW).is_some(), "what was counted since is somebody else's to send");
    }

    #[test]
    fn what_cannot_be_sent_is_sent_again_as_it_was() {
        let mut counts = Counts::default();
        count(&mut counts);
        let first = counts.take(9);
        assert_eq!(counts.keep(first.clone()), 0);
        count(&mut counts);
        let again = counts.take(10);
        assert_eq!(again.front(), first.front(), "the same isolate and sequence, so that it counts once");
        let names: Vec<_> = again.iter().map(|(_, batch)| (batch.isolate, batch.sequence)).collect();
        assert_eq!(names, [(9, 1), (9, 2)]);
    }

    #[test]
    fn without_a_vault_the_eldest_are_given_up_at_last() {
        let mut counts = Counts::default();
        let mut given_up = 0;
        for _ in 0..KEPT_BATCHES + 3 {
            count(&mut counts);
            let batches = counts.take(9);
            given_up += counts.keep(batches);
        }
        assert_eq!(given_up, 3);
        assert_eq!(counts.take(9).front().map(|(_, batch)| batch.sequence), Some(4));
    }
}
