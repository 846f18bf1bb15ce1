//! Deferred tasks: run after the response (`waitUntil`), so that no caller waits for them.

use crate::key_check::PresentedKey;
use ownchat_domain::{record::Record, time::Timestamp};
use std::{
    future::{Future, poll_fn},
    rc::Rc,
    task::Poll,
};

/// A deferred task.
#[derive(Debug)]
pub enum DeferredTask {
    /// Reads the feed of this workspace.
    ReadFeed(u32),
    /// Closes the usage counts into batches.
    FlushUsage,
    /// Finds the workspaces whose batches are due.
    ScheduleSends,
    /// Sends a batch of this workspace, and the next one after its confirmation.
    SendBatch(u32),
    /// Returns the unspent permits of this key; with the number of attempts before.
    ReturnPermits(Rc<Record>, u32),
    /// Refreshes the cached record of this key.
    RefreshKey(PresentedKey),
}

/// Tasks with the times when they are due.
pub type DeferredTasks = Vec<(Timestamp, DeferredTask)>;

/// Runs all tasks concurrently with `act`, and the follow-up tasks that each returns. A task that
/// hangs blocks no other.
pub async fn run_all<F: Future<Output = DeferredTasks>>(
    mut tasks: DeferredTasks,
    act: impl Fn(Timestamp, DeferredTask) -> F,
) {
    let mut running = Vec::new();
    poll_fn(|context| {
        loop {
            running.extend(tasks.drain(..).map(|(due, task)| Box::pin(act(due, task))));
            running.retain_mut(|one| match one.as_mut().poll(context) {
                Poll::Ready(next) => {
                    tasks.extend(next);
                    false
                }
                Poll::Pending => true,
            });
            if tasks.is_empty() {
                return if running.is_empty() { Poll::Ready(()) } else { Poll::Pending };
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};
    use std::{
        cell::RefCell,
        future::{pending, ready},
        pin::pin,
        task::{Context, Waker},
    };

    /// Returns the tasks that start, in order, while those that `hangs` selects never end. Also
    /// returns whether all are done. `ScheduleSends` finds two workspaces with pending batches.
    fn started(hangs: impl Fn(&DeferredTask) -> bool) -> (Vec<&'static str>, bool) {
        let started = RefCell::new(Vec::new());
        let act = |due: Timestamp, task: DeferredTask| {
            let hangs = hangs(&task);
            let (name, next) = match task {
                DeferredTask::ReturnPermits(..) => ("return permits", vec![]),
                DeferredTask::FlushUsage => ("close", vec![(due, DeferredTask::ScheduleSends)]),
                DeferredTask::ScheduleSends => {
                    ("schedule sends", vec![(due, DeferredTask::SendBatch(7)), (due, DeferredTask::SendBatch(8))])
                }
                DeferredTask::SendBatch(7) => ("send 7", vec![]),
                DeferredTask::SendBatch(_) => ("send 8", vec![]),
                _ => ("read", vec![]),
            };
            started.borrow_mut().push(name);
            async move { if hangs { pending().await } else { ready(next).await } }
        };
        let tasks =
            [DeferredTask::ReturnPermits(record().into(), 0), DeferredTask::ReadFeed(7), DeferredTask::FlushUsage];
        let all = run_all(tasks.map(|task| (NOW, task)).into(), act);
        let is_done = pin!(all).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        (started.into_inner(), is_done)
    }

    #[test]
    fn task_that_hangs_blocks_no_other() {
        let all = vec!["return permits", "read", "close", "schedule sends", "send 7", "send 8"];
        assert_eq!(started(|_| false), (all.clone(), true));
        let hangs = |task: &DeferredTask| matches!(task, DeferredTask::ReturnPermits(..) | DeferredTask::ReadFeed(_));
        assert_eq!(started(hangs), (all.clone(), false), "meter and feed hang");
        assert_eq!(started(|task| matches!(task, DeferredTask::SendBatch(7))), (all, false), "one workspace hangs");
    }
}
