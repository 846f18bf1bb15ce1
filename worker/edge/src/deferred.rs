//! What is done after an answer, so that no caller waits for it.

use crate::check::PresentedKey;
use ownchat_domain::{record::Record, time::Timestamp};
use std::{
    future::{Future, poll_fn},
    rc::Rc,
    task::Poll,
};

/// Something to do.
#[derive(Debug)]
pub enum DeferredTask {
    /// Read the feed of this workspace.
    ReadFeed(u32),
    /// Send what was counted.
    FlushUsage,
    /// See whose batches of it are to be sent.
    ScheduleSends,
    /// Send a batch of this workspace, and the next when it is confirmed.
    SendBatch(u32),
    /// Give back the permits of this key that nobody has spent; it was tried so often before.
    ReturnPermits(Rc<Record>, usize),
    /// Fetch a younger record of this key.
    RefreshKey(PresentedKey),
}

/// What there is to do, and when.
pub type DeferredTasks = Vec<(Timestamp, DeferredTask)>;

/// Does all that there is beside each other by `act`, and whatever is to be done after each by what that says: what hangs
/// holds up nothing else.
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

    /// What of some chores is begun, in its order, while those hang of which `hangs` says so, and whether all of it is done
    /// with. Who sends on finds two workspaces of which batches wait.
    fn begun(hangs: impl Fn(&DeferredTask) -> bool) -> (Vec<&'static str>, bool) {
        let begun = RefCell::new(Vec::new());
        let act = |due: Timestamp, task: DeferredTask| {
            let hangs = hangs(&task);
            let (name, next) = match task {
                DeferredTask::ReturnPermits(..) => ("give back", vec![]),
                DeferredTask::FlushUsage => ("close", vec![(due, DeferredTask::ScheduleSends)]),
                DeferredTask::ScheduleSends => {
                    ("send on", vec![(due, DeferredTask::SendBatch(7)), (due, DeferredTask::SendBatch(8))])
                }
                DeferredTask::SendBatch(7) => ("send 7", vec![]),
                DeferredTask::SendBatch(_) => ("send 8", vec![]),
                _ => ("read", vec![]),
            };
            begun.borrow_mut().push(name);
            async move { if hangs { pending().await } else { ready(next).await } }
        };
        let tasks =
            [DeferredTask::ReturnPermits(record().into(), 0), DeferredTask::ReadFeed(7), DeferredTask::FlushUsage];
        let all = run_all(tasks.map(|task| (NOW, task)).into(), act);
        let is_done = pin!(all).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        (begun.into_inner(), is_done)
    }

    #[test]
    fn what_hangs_holds_up_nothing_else_and_is_waited_for() {
        let all = vec!["give back", "read", "close", "send on", "send 7", "send 8"];
        assert_eq!(begun(|_| false), (all.clone(), true));
        let hangs = |task: &DeferredTask| matches!(task, DeferredTask::ReturnPermits(..) | DeferredTask::ReadFeed(_));
        assert_eq!(begun(hangs), (all.clone(), false), "a meter and the feed");
        assert_eq!(begun(|task| matches!(task, DeferredTask::SendBatch(7))), (all, false), "one workspace");
    }
}
