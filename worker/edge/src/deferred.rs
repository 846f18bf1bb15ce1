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
pub enum Chore {
    /// Read the feed of this workspace.
    ReadFeed(u32),
    /// Send what was counted.
    SendCounts,
    /// See whose batches of it are to be sent.
    SendOn,
    /// Send a batch of this workspace, and the next when it is confirmed.
    Send(u32),
    /// Give back the permits of this key that nobody has spent; it was tried so often before.
    GiveBack(Rc<Record>, usize),
    /// Fetch a younger record of this key.
    Renew(PresentedKey),
}

/// What there is to do, and when.
pub type Chores = Vec<(Timestamp, Chore)>;

/// Does all that there is beside each other by `act`, and whatever is to be done after each by what that says: what hangs
/// holds up nothing else.
pub async fn do_all<F: Future<Output = Chores>>(mut chores: Chores, act: impl Fn(Timestamp, Chore) -> F) {
    let mut running = Vec::new();
    poll_fn(|context| {
        loop {
            running.extend(chores.drain(..).map(|(due, chore)| Box::pin(act(due, chore))));
            running.retain_mut(|one| match one.as_mut().poll(context) {
                Poll::Ready(next) => {
                    chores.extend(next);
                    false
                }
                Poll::Pending => true,
            });
            if chores.is_empty() {
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
    fn begun(hangs: impl Fn(&Chore) -> bool) -> (Vec<&'static str>, bool) {
        let begun = RefCell::new(Vec::new());
        let act = |due: Timestamp, chore: Chore| {
            let hangs = hangs(&chore);
            let (name, next) = match chore {
                Chore::GiveBack(..) => ("give back", vec![]),
                Chore::SendCounts => ("close", vec![(due, Chore::SendOn)]),
                Chore::SendOn => ("send on", vec![(due, Chore::Send(7)), (due, Chore::Send(8))]),
                Chore::Send(7) => ("send 7", vec![]),
                Chore::Send(_) => ("send 8", vec![]),
                _ => ("read", vec![]),
            };
            begun.borrow_mut().push(name);
            async move { if hangs { pending().await } else { ready(next).await } }
        };
        let chores = [Chore::GiveBack(record().into(), 0), Chore::ReadFeed(7), Chore::SendCounts];
        let all = do_all(chores.map(|chore| (NOW, chore)).into(), act);
        let is_done = pin!(all).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        (begun.into_inner(), is_done)
    }

    #[test]
    fn what_hangs_holds_up_nothing_else_and_is_waited_for() {
        let all = vec!["give back", "read", "close", "send on", "send 7", "send 8"];
        assert_eq!(begun(|_| false), (all.clone(), true));
        let hangs = |chore: &Chore| matches!(chore, Chore::GiveBack(..) | Chore::ReadFeed(_));
        assert_eq!(begun(hangs), (all.clone(), false), "a meter and the feed");
        assert_eq!(begun(|chore| matches!(chore, Chore::Send(7))), (all, false), "one workspace");
    }
}
