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
const FLUSH_DELAY: i64 = FLUSH_AFTER / 2;
/// Who was to send counts and has not for so long is gone, in milliseconds.
const FLUSH_TIMEOUT: i64 = FLUSH_AFTER;
/// A batch that is being sent for so long, in milliseconds, is not: whoever did was called off.
const SEND_TIMEOUT: i64 = 6 * SECOND;
const _: () = assert!(SEND_TIMEOUT > crate::timeout::USAGE as i64);
/// A workspace of which so many batches wait gets no more of them: what it counts meanwhile is counted together.
const BATCHES_AHEAD: usize = 2;
/// Most counts and last uses of one workspace that wait in batches, about 3 MB.
const WORKSPACE_CAPACITY: usize = 10 * BATCH_MAX;
/// Most of all workspaces, about a fifth of the memory of an isolate.
const CAPACITY: usize = 8 * WORKSPACE_CAPACITY;

/// What was counted and not yet confirmed.
#[derive(Debug, Default)]
pub struct UsageBuffer {
    /// What is being counted.
    pub tally: Tally,
    /// Batches that were made of it.
    pending: Vec<PendingBatches>,
    /// Number of this isolate, random; 0 until it is chosen.
    isolate: u64,
    sequence: u64,
    /// When somebody undertook to send them.
    flush_scheduled_at: Option<Timestamp>,
}

/// The batches of one workspace, the eldest first.
#[derive(Debug)]
struct PendingBatches {
    workspace: u32,
    batches: Vec<Rc<Batch>>,
    /// Whether some was counted of which no batch was made, since so many wait.
    held_back: bool,
    /// How often in a row the eldest could not be sent.
    failures: u32,
    /// When it is to be sent next.
    next_attempt: Timestamp,
}

impl PendingBatches {
    fn is_due(&self, now: Timestamp) -> bool {
        // What lies further ahead than it can be comes of a clock that was set back.
        !(1..=SEND_TIMEOUT).contains(&self.next_attempt.since(now))
    }

    fn size(&self) -> usize {
        self.batches.iter().map(|batch| batch.counts.len() + batch.last_uses.len()).sum()
    }
}

impl UsageBuffer {
    /// When to send, if there is something and nobody has undertaken to. Whoever is told has.
    pub fn schedule_flush(&mut self, now: Timestamp) -> Option<Timestamp> {
        let is_scheduled = self.flush_scheduled_at.is_some_and(|at| (0..FLUSH_TIMEOUT).contains(&now.since(at)));
        if is_scheduled || self.tally.is_empty() {
            return None;
        }
        self.flush_scheduled_at = Some(now);
        Some(now.plus(FLUSH_DELAY))
    }

    /// Makes batches of what was counted. `random` names the isolate, once. What is counted from now on is somebody
    /// else's to send. Says how many batches had to be given up for want of room: the eldest of whom most waits.
    pub fn close(&mut self, random: u64, now: Timestamp) -> usize {
        if self.isolate == 0 {
            self.isolate = random.max(1);
        }
        self.flush_scheduled_at = None;
        for pending in &mut self.pending {
            pending.held_back = pending.batches.len() >= BATCHES_AHEAD;
        }
        self.make_batches(now);
        self.drop_oldest()
    }

    /// Makes batches of what was counted and is not held back.
    fn make_batches(&mut self, now: Timestamp) {
        let pending = &mut self.pending;
        let batches = self.tally.drain(self.isolate, &mut self.sequence, |workspace, size| {
            let held_back = pending.iter().any(|other| other.workspace == workspace && other.held_back);
            !held_back || size >= BATCH_MAX
        });
        for (workspace, batch) in batches {
            match pending.iter_mut().find(|other| other.workspace == workspace) {
                Some(other) => other.batches.push(batch.into()),
                None => pending.push(PendingBatches {
                    workspace,
                    batches: vec![batch.into()],
                    held_back: false,
                    failures: 0,
                    next_attempt: now,
                }),
            }
        }
    }

    /// Whether batches wait.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The workspaces of which a batch is to be sent now.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        self.pending.iter().filter(move |pending| pending.is_due(now)).map(|pending| pending.workspace)
    }

    /// The batch of a workspace that is to be sent now, if there is one. Whoever is told sends it, and says by
    /// [`Self::sent`] what became of it.
    pub fn next_batch(&mut self, workspace: u32, now: Timestamp) -> Option<Rc<Batch>> {
        let pending = self.pending.iter_mut().find(|pending| pending.workspace == workspace && pending.is_due(now))?;
        pending.next_attempt = now.plus(SEND_TIMEOUT);
        pending.batches.first().cloned()
    }

    /// Takes in whether a batch is done with.
    pub fn batch_sent(&mut self, workspace: u32, sequence: u64, is_done: bool, now: Timestamp) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.workspace == workspace) {
            if is_done {
                pending.batches.retain(|batch| batch.sequence != sequence);
                (pending.failures, pending.next_attempt) = (0, now);
                // Nobody may ever count again here.
                if pending.batches.is_empty() && std::mem::take(&mut pending.held_back) {
                    self.make_batches(now);
                }
            } else {
                pending.next_attempt = now.plus(SECOND << pending.failures.min(2));
                pending.failures += 1;
            }
        }
        self.pending.retain(|pending| !pending.batches.is_empty());
    }

    fn drop_oldest(&mut self) -> usize {
        let mut dropped = 0;
        loop {
            let all: usize = self.pending.iter().map(PendingBatches::size).sum();
            match self.pending.iter_mut().max_by_key(|pending| pending.size()) {
                Some(most) if all > CAPACITY || most.size() > WORKSPACE_CAPACITY => drop(most.batches.remove(0)),
                _ => break,
            }
            dropped += 1;
        }
        self.pending.retain(|pending| !pending.batches.is_empty());
        dropped
    }
}

#[cfg(test)]
mod tests;
