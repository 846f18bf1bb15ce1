//! Usage counts that the vault has not confirmed yet, in batches with retry and back-off.
//!
//! A batch stays here until it is confirmed, even while it is being sent. So its sender may be
//! cancelled at any time. The batches of each workspace wait for its own object alone. A workspace
//! whose object fails neither delays another nor takes room from it.

use ownchat_domain::{
    back_off::back_off,
    time::{SECOND, Timestamp},
    usage::{BATCH_MAX, Batch, FLUSH_AFTER, Tally},
};
use std::rc::Rc;

/// Maximum back-off between the attempts to send a batch, in milliseconds.
const BACK_OFF_MAX: i64 = 4 * SECOND;
/// Milliseconds from the first count to the flush: half of the maximum delay of usage counts.
const FLUSH_DELAY: i64 = FLUSH_AFTER / 2;
/// Milliseconds after which a scheduled flush counts as lost.
const FLUSH_TIMEOUT: i64 = FLUSH_AFTER;
/// Milliseconds after which a batch being sent may be sent again: its sender was cancelled.
const SEND_TIMEOUT: i64 = 6 * SECOND;
const _: () = assert!(SEND_TIMEOUT > crate::timeouts::USAGE as i64);
/// Maximum pending batches of a workspace. Beyond it no more are made, and the counts are collected
/// for a later batch.
const BATCHES_AHEAD: usize = 2;
/// Maximum counts and last uses in the pending batches of one workspace, about 3 MB.
const WORKSPACE_CAPACITY: usize = 10 * BATCH_MAX;
/// Maximum in the pending batches of all workspaces, about a fifth of the memory of an isolate.
const CAPACITY: usize = 8 * WORKSPACE_CAPACITY;

/// Usage counts that are not confirmed yet.
#[derive(Debug, Default)]
pub struct UsageBuffer {
    /// Counts that are in no batch yet.
    pub tally: Tally,
    /// Batches that are not confirmed yet.
    pending: Vec<PendingBatches>,
    /// Random number of this isolate; 0 until it is chosen.
    isolate: u64,
    sequence: u64,
    /// When a flush was last scheduled.
    flush_scheduled_at: Option<Timestamp>,
}

/// Pending batches of one workspace, the oldest first.
#[derive(Debug)]
struct PendingBatches {
    workspace: u32,
    batches: Vec<Rc<Batch>>,
    /// True if counts wait for a batch, because too many batches are pending.
    held_back: bool,
    /// Consecutive failures to send the oldest batch.
    failures: u32,
    /// Time of the next attempt.
    next_attempt: Timestamp,
}

impl PendingBatches {
    fn is_due(&self, now: Timestamp) -> bool {
        // A time beyond the maximum comes from a clock that was set back.
        !(1..=SEND_TIMEOUT).contains(&self.next_attempt.since(now))
    }

    fn size(&self) -> usize {
        self.batches.iter().map(|batch| batch.counts.len() + batch.last_uses.len()).sum()
    }
}

impl UsageBuffer {
    /// Returns when to flush, if there are counts and no flush is scheduled. The caller must
    /// schedule it then.
    pub fn schedule_flush(&mut self, now: Timestamp) -> Option<Timestamp> {
        let is_scheduled = self.flush_scheduled_at.is_some_and(|at| (0..FLUSH_TIMEOUT).contains(&now.since(at)));
        if is_scheduled || self.tally.is_empty() {
            return None;
        }
        self.flush_scheduled_at = Some(now);
        Some(now.plus(FLUSH_DELAY))
    }

    /// Closes the counts into batches; `random` names the isolate, once. Later counts need a flush
    /// of their own. Returns the number of batches dropped for lack of room: the oldest of the
    /// workspace with most.
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

    /// Makes batches of the counts that are not held back.
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

    /// Returns true if batches are pending.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Returns the workspaces with a batch that is due.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        self.pending.iter().filter(move |pending| pending.is_due(now)).map(|pending| pending.workspace)
    }

    /// Returns the batch of a workspace that is due, if any. The caller sends it and reports the
    /// result with [`Self::batch_sent`].
    pub fn next_batch(&mut self, workspace: u32, now: Timestamp) -> Option<Rc<Batch>> {
        let pending = self.pending.iter_mut().find(|pending| pending.workspace == workspace && pending.is_due(now))?;
        pending.next_attempt = now.plus(SEND_TIMEOUT);
        pending.batches.first().cloned()
    }

    /// Ends an attempt to send a batch. A failed one is retried after a back-off.
    pub fn batch_sent(&mut self, workspace: u32, sequence: u64, is_done: bool, now: Timestamp) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.workspace == workspace) {
            if is_done {
                pending.batches.retain(|batch| batch.sequence != sequence);
                (pending.failures, pending.next_attempt) = (0, now);
                // This isolate may never count again for the workspace.
                if pending.batches.is_empty() && std::mem::take(&mut pending.held_back) {
                    self.make_batches(now);
                }
            } else {
                pending.next_attempt = now.plus(back_off(pending.failures.into(), BACK_OFF_MAX));
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
