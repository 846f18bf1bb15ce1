//! Usage accounting, requests in flight to a service, and the queue of deferred tasks.

use super::Authorizer;
use crate::{
    deferred::{DeferredTask, DeferredTasks},
    forwards::Forward,
    key_cache::REFRESH_AFTER,
    key_check::{Decision, Requirements},
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
    /// Counts a decided request and schedules the refreshes that it shows to be due.
    pub fn count(&self, decision: &Decision, requirements: &Requirements<'_>, now: Timestamp) {
        let Some(record) = &decision.record else { return };
        let outcome = decision.verdict.as_ref().err().map_or(Code::Valid, Denial::code);
        self.count_usage(record, outcome, requirements.request.required, decision.secret, now);
        self.schedule_refresh(decision, now);
    }

    /// Registers a request that is forwarded to a service, and returns its number.
    /// [`Self::end_forward`] counts it. If too many are in flight, it is counted at once and the
    /// number is 0.
    pub fn begin_forward(&self, decision: &Decision, requirements: &Requirements<'_>, now: Timestamp) -> u32 {
        self.schedule_refresh(decision, now);
        let Some(record) = decision.record.clone() else { return 0 };
        // A rate limit refills by itself.
        let lease = decision.lease.filter(|_| record.limits.quota.is_some());
        if let Some(lease) = lease {
            self.permits.borrow_mut().mark_in_flight(record.locator, lease);
        }
        let forward = Forward { record, secret: decision.secret, required: requirements.request.required, lease };
        self.forwards.borrow_mut().add(forward).unwrap_or_else(|forward| {
            self.settle_forward(&forward, true, now);
            0
        })
    }

    /// Counts a forwarded request, now that it is known whether it reached its service.
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

    /// Schedules background refreshes of a stale feed and of an old record.
    fn schedule_refresh(&self, decision: &Decision, now: Timestamp) {
        let Some(record) = &decision.record else { return };
        let workspace = record.workspace.number;
        let mut tasks = self.deferred.borrow_mut();
        let mut feed = self.feed.borrow_mut();
        if feed.is_due(workspace, now) {
            // Marked at once, so that the next requests do not schedule the same read.
            feed.begin_read(workspace, now);
            tasks.push((now, DeferredTask::ReadFeed(workspace)));
        }
        // One refresh a second at most, however many keys there are.
        if now.since(record.sealed_at) >= REFRESH_AFTER
            && !(0..SECOND).contains(&now.since(self.refreshed_at.get()))
            && let Some(matched) = decision.derived.matched.get()
        {
            self.refreshed_at.set(now);
            tasks.push((now, DeferredTask::RefreshKey(matched.key)));
        }
    }

    /// Returns true if tasks are deferred.
    pub fn has_deferred(&self) -> bool {
        !self.deferred.borrow().is_empty()
    }

    /// Takes all deferred tasks.
    pub fn take_deferred(&self) -> DeferredTasks {
        self.deferred.take()
    }

    /// Defers a task until after another response.
    pub fn defer(&self, due: Timestamp, task: DeferredTask) {
        self.deferred.borrow_mut().push((due, task));
    }

    /// Closes the usage counts into batches; `random` names this isolate, once. Returns the number
    /// of batches that were dropped.
    pub fn close_usage_batches(&self, random: u64, now: Timestamp) -> usize {
        self.usage.borrow_mut().close(random, now)
    }

    /// Returns the tasks that send the batches due now. If batches are pending, one more task looks
    /// again in a second.
    pub fn due_sends(&self, now: Timestamp) -> DeferredTasks {
        let usage = self.usage.borrow();
        let again = usage.has_pending().then(|| (now.plus(SECOND), DeferredTask::ScheduleSends));
        usage.due(now).map(|workspace| (now, DeferredTask::SendBatch(workspace))).chain(again).collect()
    }

    /// Returns the batch of a workspace that is due, if any. [`Self::batch_sent`] ends the attempt.
    pub fn next_batch(&self, workspace: u32, now: Timestamp) -> Option<Rc<Batch>> {
        self.usage.borrow_mut().next_batch(workspace, now)
    }

    /// Ends an attempt to send a batch; `is_done` is false if it must be retried.
    pub fn batch_sent(&self, workspace: u32, batch: &Batch, is_done: bool, now: Timestamp) {
        self.usage.borrow_mut().batch_sent(workspace, batch.sequence, is_done, now);
    }
}
