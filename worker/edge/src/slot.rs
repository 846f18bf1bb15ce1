//! Slots of cached responses: small numbers that name a response in Rust and in JavaScript. The
//! number of a dropped slot is reused.

use std::{cell::RefCell, rc::Rc};

/// Allocates slots, numbered from 1.
#[derive(Debug, Default)]
pub struct Slots(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    last: u32,
    free: Vec<u32>,
}

/// A slot of a cached response. The next response reuses the number of a dropped slot and
/// overwrites its response. So the entry never holds more responses than were cached at once.
#[derive(Debug)]
pub struct Slot {
    number: u32,
    state: Rc<RefCell<State>>,
}

impl Slots {
    /// Takes a free slot.
    pub fn take(&self) -> Slot {
        let mut state = self.0.borrow_mut();
        let number = state.free.pop().unwrap_or_else(|| {
            state.last += 1;
            state.last
        });
        Slot { number, state: self.0.clone() }
    }
}

impl Slot {
    /// Returns its number, never 0.
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.state.borrow_mut().free.push(self.number);
    }
}
