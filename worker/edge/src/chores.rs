//! What is done after an answer, so that no caller waits for it.

use ownchat_domain::{record::Record, time::Timestamp};
use std::{collections::VecDeque, rc::Rc};

/// Something to do.
#[derive(Debug)]
pub enum Chore {
    /// Read the feed of this workspace.
    ReadFeed(u32),
    /// Send what was counted.
    SendCounts,
    /// Send what is left of it.
    SendOn,
    /// Give back the permits of this key that nobody has spent; it was tried so often before.
    GiveBack(Rc<Record>, usize),
}

/// What there is to do, and when.
#[derive(Debug, Default)]
pub struct Chores(VecDeque<(Timestamp, Chore)>);

impl Chores {
    /// Adds something to do at a time.
    pub fn add(&mut self, due: Timestamp, chore: Chore) {
        let place = self.0.partition_point(|(other, _)| *other <= due);
        self.0.insert(place, (due, chore));
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes what is due first.
    pub fn pop(&mut self) -> Option<(Timestamp, Chore)> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    #[test]
    fn what_is_due_first_is_done_first() {
        let mut chores = Chores::default();
        chores.add(NOW.plus(5), Chore::SendCounts);
        chores.add(NOW, Chore::ReadFeed(7));
        let dues: Vec<_> = std::iter::from_fn(|| chores.pop()).map(|(due, _)| due).collect();
        assert_eq!(dues, [NOW, NOW.plus(5)]);
        assert!(chores.is_empty());
    }
}
