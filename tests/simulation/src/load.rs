//! Shares this machine's processors among the worlds that run at the same time, so that none is too slow for its own clock.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
};

/// How much a world keeps this machine busy, with its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Hardly: most of the time it waits.
    Waiting,
    /// So many quarters of a processor, on average.
    Quarters(usize),
}

/// Worlds that wait at the same time.
const WAITING_MAX: usize = 4;

static BUSY: Mutex<Busy> = Mutex::new(Busy { waiting: 0, quarters: 0 });
static CHANGED: Condvar = Condvar::new();

/// How busy this machine is.
struct Busy {
    waiting: usize,
    quarters: usize,
}

/// A share of this machine, in use until it is dropped.
#[derive(Debug)]
pub(crate) struct Share(Load);

impl Share {
    /// Waits until this machine can bear so much more.
    pub(crate) fn of(load: Load) -> Self {
        let mut busy = lock();
        while !busy.can_bear(load) {
            busy = CHANGED.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
        match load {
            Load::Waiting => busy.waiting += 1,
            Load::Quarters(quarters) => busy.quarters += quarters,
        }
        Self(load)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut busy = lock();
        match self.0 {
            Load::Waiting => busy.waiting -= 1,
            Load::Quarters(quarters) => busy.quarters -= quarters,
        }
        CHANGED.notify_all();
    }
}

impl Busy {
    fn can_bear(&self, load: Load) -> bool {
        match load {
            Load::Waiting => self.waiting < WAITING_MAX,
            // A world that wants more than there is gets all of it. What waits needs the rest.
            Load::Quarters(quarters) => self.quarters == 0 || self.quarters + quarters <= quarters_of_this_machine(),
        }
    }
}

fn quarters_of_this_machine() -> usize {
    3 * available_parallelism().map_or(1, usize::from)
}

fn lock() -> MutexGuard<'static, Busy> {
    BUSY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn no_more_is_shared_than_there_is() {
        let loads = [Load::Waiting, Load::Quarters(1), Load::Quarters(3), Load::Quarters(1_000)];
        thread::scope(|scope| {
            for number in 0..100 {
                scope.spawn(move || {
                    let load = loads[number % loads.len()];
                    let _share = Share::of(load);
                    let Busy { waiting, quarters } = *lock();
                    let is_alone = quarters == 1_000;
                    assert!(is_alone || quarters <= quarters_of_this_machine(), "{quarters}");
                    assert!(waiting <= WAITING_MAX, "{waiting}");
                    thread::yield_now();
                });
            }
        });
        let Busy { waiting, quarters } = *lock();
        assert_eq!((waiting, quarters), (0, 0));
    }
}
