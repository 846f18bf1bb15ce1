//! Limits how many worlds run concurrently, so that none is too slow for its own clock.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
};

/// The load that a world and its callers put on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Almost none: the world mostly waits.
    Waiting,
    /// Quarters of a processor, on average.
    Quarters(usize),
}

/// Most waiting worlds at the same time.
const WAITING_MAX: usize = 6;

static BUSY: Mutex<Busy> = Mutex::new(Busy { waiting: 0, quarters: 0 });
static CHANGED: Condvar = Condvar::new();

/// The load of all running worlds.
struct Busy {
    waiting: usize,
    quarters: usize,
}

/// A permit to load the machine, held until it is dropped.
#[derive(Debug)]
pub(crate) struct LoadPermit(Load);

impl LoadPermit {
    /// Waits until the machine can take this load.
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

impl Drop for LoadPermit {
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
            // A world that needs more than the machine has gets all of it. Waiting worlds use the
            // rest.
            Load::Quarters(quarters) => self.quarters == 0 || self.quarters + quarters <= quarters_of_this_machine(),
        }
    }
}

/// All quarters of this machine: worlds burst at different times, and their loads are upper
/// estimates.
fn quarters_of_this_machine() -> usize {
    4 * available_parallelism().map_or(1, usize::from)
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
                    let _permit = LoadPermit::of(load);
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
