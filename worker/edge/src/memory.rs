//! What an isolate remembers of keys. It may vanish at any time; nothing that matters lives only here.

use ownchat_domain::{
    locator::Locator,
    record::Record,
    time::{SECOND, Timestamp},
};
use std::{collections::HashMap, rc::Rc};

/// What is known of a locator: its key's record, or that there is no such key.
pub type Known = Option<Rc<Record>>;

/// How long something remembered may decide, in milliseconds. The one place that says how fresh is fresh.
pub const FRESH_FOR: i64 = 5 * SECOND;

/// Most keys that are remembered at once.
const CAPACITY: usize = 50_000;

/// Keys by locator, with the time at which each was asked for.
#[derive(Debug, Default)]
pub struct Memory(HashMap<Locator, (Known, Timestamp)>);

impl Memory {
    /// What is known of the key, if it is fresh enough to decide.
    pub fn recall(&self, locator: Locator, now: Timestamp) -> Option<Known> {
        let (known, asked_at) = self.0.get(&locator)?;
        is_fresh(*asked_at, now).then(|| known.clone())
    }

    /// Remembers what a store said to a question that was asked at `asked_at`.
    ///
    /// Of two answers the one that was asked for later stays: an answer that was long on its way must
    /// not undo a newer one.
    pub fn remember(&mut self, locator: Locator, known: Known, asked_at: Timestamp) {
        if self.0.get(&locator).is_some_and(|(_, other)| *other > asked_at) {
            return;
        }
        if self.0.len() >= CAPACITY {
            self.0.retain(|_, (_, other)| is_fresh(*other, asked_at));
            if self.0.len() >= CAPACITY {
                self.0.clear();
            }
        }
        self.0.insert(locator, (known, asked_at));
    }
}

fn is_fresh(asked_at: Timestamp, now: Timestamp) -> bool {
    // A clock that was set back makes everything stale.
    (0..FRESH_FOR).contains(&now.since(asked_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    /// Version of the record that is remembered; 0 for "no such key".
    fn version(memory: &Memory, locator: Locator, now: Timestamp) -> Option<u64> {
        memory.recall(locator, now).map(|known| known.map_or(0, |record| record.version))
    }

    #[test]
    fn a_record_decides_for_five_seconds() {
        let (mut memory, record) = (Memory::default(), record());
        let locator = record.locator;
        memory.remember(locator, Some(record.into()), NOW);
        assert_eq!(version(&memory, locator, NOW.plus(4_999)), Some(3));
        assert_eq!(version(&memory, locator, NOW.plus(5_000)), None);
        assert_eq!(version(&memory, locator, NOW.plus(-1)), None, "the clock was set back");
    }

    #[test]
    fn that_there_is_no_key_is_remembered_too() {
        let (mut memory, locator) = (Memory::default(), record().locator);
        assert_eq!(version(&memory, locator, NOW), None);
        memory.remember(locator, None, NOW);
        assert_eq!(version(&memory, locator, NOW), Some(0));
    }

    #[test]
    fn an_older_question_does_not_undo_a_newer_answer() {
        let (mut memory, record) = (Memory::default(), record());
        let locator = record.locator;
        memory.remember(locator, None, NOW.plus(1));
        memory.remember(locator, Some(record.into()), NOW);
        assert_eq!(version(&memory, locator, NOW.plus(1)), Some(0));
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut memory = Memory::default();
        for number in 0..CAPACITY + 10 {
            let locator = format!("{number:016}").parse().unwrap();
            memory.remember(locator, None, NOW);
        }
        assert!(memory.0.len() <= CAPACITY);
    }
}
