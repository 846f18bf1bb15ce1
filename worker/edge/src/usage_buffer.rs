//! What an isolate has counted and the vault has not confirmed yet.
//!
//! A batch stays here until it is confirmed, also while it is sent, so whoever sends it may be called off at any time. Each
//! workspace waits for its own object alone: what one does not take delays nothing of another, and takes no room from it.

use ownchat_domain::{
    time::{SECOND, Timestamp},
    usage::{BATCH_MAX, Batch, FLUSH_AFTER, Tally},
};
use std::rc::Rc;

/// Counts are sent so long after the first of them, in milliseconds: half of what they may take at most.
const FLUSH_WAIT: i64 = FLUSH_AFTER / 2;
/// Who was to send counts and has not for so long is gone, in milliseconds.
const GONE_AFTER: i64 = FLUSH_AFTER;
/// A batch that is being sent for so long, in milliseconds, is not: whoever did was called off.
const LOST_AFTER: i64 = 6 * SECOND;
const _: () = assert!(LOST_AFTER > crate::timeout::USAGE as i64);
/// A workspace of which so many batches wait gets no more of them: what it counts meanwhile is counted together.
const AHEAD: usize = 2;
/// Most counts and last uses of one workspace that wait in batches, about 3 MB.
const KEPT_OF_ONE: usize = 10 * BATCH_MAX;
/// Most of all workspaces, about a fifth of the memory of an isolate.
const KEPT: usize = 8 * KEPT_OF_ONE;

/// What was counted and not yet confirmed.
#[derive(Debug, Default)]
pub struct Counts {
    /// What is being counted.
    pub tally: Tally,
    /// Batches that were made of it.
    unsent: Vec<Unsent>,
    /// Number of this isolate, random; 0 until it is chosen.
    isolate: u64,
    sequence: u64,
    /// When somebody undertook to send them.
    undertaken_at: Option<Timestamp>,
}

/// The batches of one workspace, the eldest first.
#[derive(Debug)]
struct Unsent {
    workspace: u32,
    batches: Vec<Rc<Batch>>,
    /// Whether some was counted of which no batch was made, since so many wait.
    held_back: bool,
    /// How often in a row the eldest could not be sent.
    failed: u32,
    /// When it is to be sent next.
    due: Timestamp,
}

impl Unsent {
    fn is_due(&self, now: Timestamp) -> bool {
        // What lies further ahead than it can be comes of a clock that was set back.
        !(1..=LOST_AFTER).contains(&self.due.since(now))
    }

    fn size(&self) -> usize {
        self.batches.iter().map(|batch| batch.counts.len() + batch.last_uses.len()).sum()
    }
}

impl Counts {
    /// When to send, if there is something and nobody has undertaken to. Whoever is told has.
    pub fn undertake(&mut self, now: Timestamp) -> Option<Timestamp> {
        let undertaken = self.undertaken_at.is_some_and(|at| (0..GONE_AFTER).contains(&now.since(at)));
        if undertaken || self.tally.is_empty() {
            return None;
        }
        self.undertaken_at = Some(now);
        Some(now.plus(FLUSH_WAIT))
    }

    /// Makes batches of what was counted. `random` names the isolate, once. What is counted from now on is somebody
    /// else's to send. Says how many batches had to be given up for want of room: the eldest of whom most waits.
    pub fn close(&mut self, random: u64, now: Timestamp) -> usize {
        if self.isolate == 0 {
            self.isolate = random.max(1);
        }
        self.undertaken_at = None;
        for unsent in &mut self.unsent {
            unsent.held_back = unsent.batches.len() >= AHEAD;
        }
        self.make(now);
        self.give_up()
    }

    /// Makes batches of what was counted and is not held back.
    fn make(&mut self, now: Timestamp) {
        let unsent = &mut self.unsent;
        let batches = self.tally.drain(self.isolate, &mut self.sequence, |workspace, size| {
            let held_back = unsent.iter().any(|other| other.workspace == workspace && other.held_back);
            !held_back || size >= BATCH_MAX
        });
        for (workspace, batch) in batches {
            match unsent.iter_mut().find(|other| other.workspace == workspace) {
                Some(other) => other.batches.push(batch.into()),
                None => unsent.push(Unsent {
                    workspace,
                    batches: vec![batch.into()],
                    held_back: false,
                    failed: 0,
                    due: now,
                }),
            }
        }
    }

    /// Whether batches wait.
    pub fn wait(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// The workspaces of which a batch is to be sent now.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        self.unsent.iter().filter(move |unsent| unsent.is_due(now)).map(|unsent| unsent.workspace)
    }

    /// The batch of a workspace that is to be sent now, if there is one. Whoever is told sends it, and says by
    /// [`Self::sent`] what became of it.
    pub fn next(&mut self, workspace: u32, now: Timestamp) -> Option<Rc<Batch>> {
        let unsent = self.unsent.iter_mut().find(|unsent| unsent.workspace == workspace && unsent.is_due(now))?;
        unsent.due = now.plus(LOST_AFTER);
        unsent.batches.first().cloned()
    }

    /// Takes in whether a batch is done with.
    pub fn sent(&mut self, workspace: u32, sequence: u64, is_done: bool, now: Timestamp) {
        if let Some(unsent) = self.unsent.iter_mut().find(|unsent| unsent.workspace == workspace) {
            if is_done {
                unsent.batches.retain(|batch| batch.sequence != sequence);
                (unsent.failed, unsent.due) = (0, now);
                // Nobody may ever count again here.
                if unsent.batches.is_empty() && std::mem::take(&mut unsent.held_back) {
                    self.make(now);
                }
            } else {
                unsent.due = now.plus(SECOND << unsent.failed.min(2));
                unsent.failed += 1;
            }
        }
        self.unsent.retain(|unsent| !unsent.batches.is_empty());
    }

    fn give_up(&mut self) -> usize {
        let mut lost = 0;
        loop {
            let all: usize = self.unsent.iter().map(Unsent::size).sum();
            match self.unsent.iter_mut().max_by_key(|unsent| unsent.size()) {
                Some(most) if all > KEPT || most.size() > KEPT_OF_ONE => drop(most.batches.remove(0)),
                _ => break,
            }
            lost += 1;
        }
        self.unsent.retain(|unsent| !unsent.batches.is_empty());
        lost
    }
}

#[cfg(test)]
mod tests;
