//! What is counted, and what is left to be done after the answer.

use super::Gate;
use crate::{
    check::{Checked, Wanted},
    deferred::{Chore, Chores},
    forwards::Forward,
    key_cache::RENEW_AFTER,
};
use ownchat_domain::{
    record::Record,
    scope::ScopeSet,
    time::{SECOND, Timestamp},
    usage::Batch,
    verdict::{Code, Denial},
};
use std::rc::Rc;

impl Gate {
    /// Counts a call that was checked, and notes what is to be done after its answer.
    pub fn count(&self, checked: &Checked, wanted: &Wanted<'_>, now: Timestamp) {
        let Some(record) = &checked.record else { return };
        let outcome = checked.verdict.as_ref().err().map_or(Code::Valid, Denial::code);
        self.tally(record, outcome, wanted.call.required, checked.secret, now);
        self.refresh(checked, now);
    }

    /// Notes that a request with a good key goes on to its service, and returns its number. It is
    /// counted by [`Self::arrive`]; at once, with the number 0, if too many are on their way.
    pub fn depart(&self, checked: &Checked, wanted: &Wanted<'_>, now: Timestamp) -> u32 {
        self.refresh(checked, now);
        let Some(record) = checked.record.clone() else { return 0 };
        // A rate refills by itself.
        let lease = checked.lease.filter(|_| record.limits.quota.is_some());
        if let Some(lease) = lease {
            self.purse.borrow_mut().depart(record.locator, lease);
        }
        let forward = Forward { record, secret: checked.secret, required: wanted.call.required, lease };
        self.forwards.borrow_mut().add(forward).unwrap_or_else(|forward| {
            self.settle(&forward, true, now);
            0
        })
    }

    /// Takes in whether a request has reached its service, and counts it.
    pub fn arrive(&self, number: u32, reached: bool, now: Timestamp) {
        let forward = self.forwards.borrow_mut().take(number);
        if let Some(forward) = forward {
            self.settle(&forward, reached, now);
        }
    }

    fn settle(&self, Forward { record, secret, required, lease }: &Forward, reached: bool, now: Timestamp) {
        let outcome = if reached { Code::Valid } else { Code::NotForwarded };
        self.tally(record, outcome, *required, *secret, now);
        if let Some(lease) = *lease {
            self.purse.borrow_mut().settle(record.locator, lease, reached);
            self.watch(record, now);
        }
    }

    fn tally(&self, record: &Record, outcome: Code, required: ScopeSet, secret: Option<u32>, now: Timestamp) {
        let mut counts = self.counts.borrow_mut();
        counts.tally.count(record.workspace.number, record.locator, outcome, required, secret, now);
        if let Some(due) = counts.undertake(now) {
            self.chores.borrow_mut().push((due, Chore::SendCounts));
        }
    }

    /// Notes that feed or record are to be read again after the answer, if they are old.
    fn refresh(&self, checked: &Checked, now: Timestamp) {
        let Some(record) = &checked.record else { return };
        let workspace = record.workspace.number;
        let mut chores = self.chores.borrow_mut();
        let mut news = self.news.borrow_mut();
        if news.due(workspace, now) {
            // Noted at once, so that the next calls do not do the same.
            news.ask(workspace, now);
            chores.push((now, Chore::ReadFeed(workspace)));
        }
        // One a second at most, however many keys there are.
        if now.since(record.sealed_at) >= RENEW_AFTER
            && !(0..SECOND).contains(&now.since(self.renewed_at.get()))
            && let Some(opened) = checked.found_out.opened.get()
        {
            self.renewed_at.set(now);
            chores.push((now, Chore::Renew(opened.by)));
        }
    }

    /// Whether something is to be done after the answer.
    pub fn has_chores(&self) -> bool {
        !self.chores.borrow().is_empty()
    }

    /// Takes what is to be done.
    pub fn chores(&self) -> Chores {
        self.chores.take()
    }

    /// Leaves something to be done after another answer.
    pub fn leave(&self, due: Timestamp, chore: Chore) {
        self.chores.borrow_mut().push((due, chore));
    }

    /// Makes batches of what was counted; `random` names this isolate, once. Says how many had to be given up.
    pub fn close_counts(&self, random: u64, now: Timestamp) -> usize {
        self.counts.borrow_mut().close(random, now)
    }

    /// Whose batches of counts are to be sent now; and that is to be seen again, if there are any that wait.
    pub fn send_on(&self, now: Timestamp) -> Chores {
        let counts = self.counts.borrow();
        let again = counts.wait().then(|| (now.plus(SECOND), Chore::SendOn));
        counts.due(now).map(|workspace| (now, Chore::Send(workspace))).chain(again).collect()
    }

    /// The batch of a workspace's counts that is to be sent now, if there is one. [`Self::sent`] ends it.
    pub fn next_batch(&self, workspace: u32, now: Timestamp) -> Option<Rc<Batch>> {
        self.counts.borrow_mut().next(workspace, now)
    }

    /// Takes in whether a batch is done with.
    pub fn sent(&self, workspace: u32, batch: &Batch, is_done: bool, now: Timestamp) {
        self.counts.borrow_mut().sent(workspace, batch.sequence, is_done, now);
    }
}
