//! A bounded queue in which one request runs at a time.

use futures_util::lock::{Mutex, MutexGuard};
use std::cell::Cell;

/// Most requests at once: the running one and those that wait.
const CAPACITY: usize = 9;

#[derive(Debug, Default)]
pub struct TurnQueue {
    taken: Cell<usize>,
    turn: Mutex<()>,
}

/// A slot in the queue, released on drop.
#[derive(Debug)]
pub struct QueueSlot<'a>(&'a Cell<usize>);

impl TurnQueue {
    /// Takes a slot, if one is free.
    pub fn try_enter(&self) -> Option<QueueSlot<'_>> {
        let taken = self.taken.get();
        (taken < CAPACITY).then(|| {
            self.taken.set(taken + 1);
            QueueSlot(&self.taken)
        })
    }

    /// Waits until no other request runs.
    pub async fn wait_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

    #[test]
    fn the_queue_is_bounded_and_a_dropped_slot_is_free_again() {
        let queue = TurnQueue::default();
        let slots: Vec<_> = (0..50).map_while(|_| queue.try_enter()).collect();
        assert_eq!(slots.len(), CAPACITY);
        assert!(queue.try_enter().is_none());
        drop(slots);
        assert!(queue.try_enter().is_some());
    }

    #[test]
    fn one_request_runs_at_a_time() {
        let queue = TurnQueue::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(queue.wait_turn());
        let working = first.as_mut().poll(&mut context);
        assert!(working.is_ready());
        let mut second = pin!(queue.wait_turn());
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(working);
        assert!(second.as_mut().poll(&mut context).is_ready());
    }
}
