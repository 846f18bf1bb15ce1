//! What is counted, and what is left to be done after the answer.

use super::Authorizer;
use crate::{
    check::{Decision, Requirements},
    deferred::{DeferredTask, DeferredTasks},
    forwards::Forward,
    key_cache::REFRESH_AFTER,
};
use ownchat_domain::{
    record::Record,
    scope::ScopeSet,
    time::{SECOND, Timestamp},
    usage::Batch,
    verdict::{Code, Denial},
};
use std::rc::Rc;

impl Authorizer {
    /// Counts a call that was checked, and notes what is to be done after its answer.
    pub fn count(&self, decision: &Decision, requirements: &Requirements<'_>, now: Timestamp) {
        let Some(record) = &decision.record else { return };
        let outcome = decision.verdict.as_ref().err().map_or(Code::Valid, Denial::code);
        self.count_usage(record, outcome, requirements.call.required, decision.secret, now);
        self.schedule_refresh(decision, now);
    }

    /// Notes that a request with a good key goes on to its service, and returns its number. It is
    /// counted by [`Self::arrive`]; at once, with the number 0, if too many are on their way.
    pub fn begin_forward(&self, decision: &Decision, requirements: &Requirements<'_>, now: Timestamp) -> u32 {
        self.schedule_refresh(decision, now);
        let Some(record) = decision.record.clone() else { return 0 };
        // A rate refills by itself.
        let lease = decision.lease.filter(|_| record.limits.quota.is_some());
        if let Some(lease) = lease {
            self.permits.borrow_mut().mark_in_flight(record.locator, lease);
        }
        let forward = Forward { record, secret: decision.secret, required: requirements.call.required, lease };
        self.forwards.borrow_mut().add(forward).unwrap_or_else(|forward| {
            self.settle_forward(&forward, true, now);
            0
        })
    }

    /// Takes in whether a request has reached its service, and counts it.
    pub fn end_forward(&self, number: u32, reached: bool, now: Timestamp) {
        let forward = self.forwards.borrow_mut().take(number);
        if let Some(forward) = forward {
            self.settle_forward(&forward, reached, now);
        }
    }

    fn settle_forward(&self, Forward { record, secret, required, lease }: &Forward, reached: bool, now: Timestamp) {
        let outcome = if reached { Code::Valid } else { Code::NotForwarded };
        self.count_usage(record, outcome, *required, *secret, now);
        if let Some(lease) = *lease {
            self.permits.borrow_mut().settle(record.locator, lease, reached);
            self.schedule_return(record, now);
        }
    }

    fn count_usage(&self, record: &Record, outcome: Code, required: ScopeSet, secret: Option<u32>, now: Timestamp) {
        let mut usage = self.usage.borrow_mut();
        usage.tally.count(record.workspace.number, record.locator, outcome, required, secret, now);
        if let Some(due) = usage.schedule_flush(now) {
            self.deferred.borrow_mut().push((due, DeferredTask::FlushUsage));
        }
    }

    /// Notes that feed or record are to be read again after the answer, if they are old.
    fn schedule_refresh(&self, decision: &Decision, now: Timestamp) {
        let Some(record) = &decision.record else { return };
        let workspace = record.workspace.number;
        let mut tasks = self.deferred.borrow_mut();
        let mut feed = self.feed.borrow_mut();
        if feed.is_due(workspace, now) {
            // Noted at once, so that the next calls do not do the same.
            feed.begin_read(workspace, now);
            tasks.push((now, DeferredTask::ReadFeed(workspace)));
        }
        // One a second at most, however many keys there are.
        if now.since(record.sealed_at) >= REFRESH_AFTER
            && !(0..SECOND).contains(&now.since(self.refreshed_at.get()))
            && let Some(matched) = decision.derived.matched.get()
        {
            self.refreshed_at.set(now);
            tasks.push((now, DeferredTask::RefreshKey(matched.key)));
        }
    }

    /// Whether something is to be done after the answer.
    pub fn has_deferred(&self) -> bool {
        !self.deferred.borrow().is_empty()
    }

    /// Takes what is to be done.
    pub fn take_deferred(&self) -> DeferredTasks {
        self.deferred.take()
    }

    /// Leaves something to be done after another answer.
    pub fn defer(&self, due: Timestamp, task: DeferredTask) {
        self.deferred.borrow_mut().push((due, task));
    }

    /// Makes batches of what was counted; `random` names this isolate, once. Says how many had to be given up.
    pub fn close_usage_batches(&self, random: u64, now: Timestamp) -> usize {
        self.usage.borrow_mut().close(random, now)
    }

    /// Whose batches of counts are to be sent now; and that is to be seen again, if there are any that wait.
    pub fn due_sends(&self, now: Timestamp) -> DeferredTasks {
        let usage = self.usage.borrow();
        let again = usage.has_pending().then(|| (now.plus(SECOND), DeferredTask::ScheduleSends));
        usage.due(now).map(|workspace| (now, DeferredTask::SendBatch(workspace))).chain(again).collect()
    }

    /// The batch of a workspace's counts that is to be sent now, if there is one. [`Self::sent`] ends it.
    pub fn next_batch(&self, workspace: u32, now: Timestamp) -> Option<Rc<Batch>> {
        self.usage.borrow_mut().next_batch(workspace, now)
    }

    /// Takes in whether a batch is done with.
    pub fn batch_sent(&self, workspace: u32, batch: &Batch, is_done: bool, now: Timestamp) {
        self.usage.borrow_mut().batch_sent(workspace, batch.sequence, is_done, now);
    }
}
