//! What an isolate remembers of keys. It may vanish at any time; nothing that matters lives only here.

use crate::check::{Derived, MatchedKey};
use ownchat_domain::{
    digest::Fingerprint,
    feed::FRESH_FOR,
    locator::Locator,
    record::{LIFETIME, Record},
    time::{SECOND, Timestamp},
};
use std::{collections::HashMap, rc::Rc};

/// What is known of a locator: its key's record, or that there is no such key.
pub type Known = Option<Rc<Record>>;

/// How long "there is no such key" is remembered, in milliseconds.
pub const ABSENT_FOR: i64 = 10 * SECOND;

/// A copy that is too old to decide is not looked at again for so long, in milliseconds.
const LOOK_EVERY: i64 = 10 * SECOND;

/// An answer cannot be so long on its way, in milliseconds: the clock was set back instead.
const CLOCK_STEP: i64 = 60 * SECOND;

/// Of a key that is used a younger record is fetched when the one that is remembered is so old, in milliseconds: so it has half
/// of its life before it when no store can be asked.
pub const RENEW_AFTER: i64 = LIFETIME / 2;

/// Most questions to the vault within a second because a secret of a key did not fit.
const SECRETS_ASKED: u32 = 3;

/// Most keys that are remembered at once.
const CAPACITY: usize = 100_000;

/// Something remembered.
#[derive(Clone, Debug)]
pub struct Memo {
    /// What is known.
    pub known: Known,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When its copy was looked for last, at the latest when it was asked for.
    pub looked_at: Timestamp,
    /// Whether the vault said it, not a copy.
    pub is_truth: bool,
    /// How often the vault was asked within a second only because a secret did not fit.
    pub for_secret: u32,
    /// What was found out from it.
    pub derived: Rc<Derived>,
}

impl Memo {
    /// What a store said, asked at that time.
    pub fn new(known: Known, asked_at: Timestamp) -> Self {
        Self { known, asked_at, looked_at: asked_at, is_truth: false, for_secret: 0, derived: Rc::default() }
    }

    /// The number of the secret that this key was found to hold, if it opened the record last.
    pub fn opened_by(&self, fingerprint: Fingerprint) -> Option<u32> {
        // The times of comparing hashes of whole keys say nothing of the keys.
        self.derived
            .matched
            .get()
            .filter(|matched| matched.key.fingerprint == fingerprint)
            .map(|matched| matched.secret)
    }

    /// Whether it is as good as what the feed says: the vault itself said it a moment ago.
    pub fn vouches(&self, now: Timestamp) -> bool {
        self.is_truth && (0..FRESH_FOR).contains(&now.since(self.asked_at))
    }

    /// Whether looking for a copy again may bring a newer one: copies are minutes late at most.
    pub fn may_be_renewed(&self, now: Timestamp) -> bool {
        !(0..LOOK_EVERY).contains(&now.since(self.looked_at))
    }

    /// Returns true if the vault was asked often enough for now. So guessing at the secrets of a
    /// key costs [`SECRETS_ASKED`] questions a second, however many guess, and a key may be rotated
    /// as often.
    pub fn is_news(&self, now: Timestamp) -> bool {
        self.for_secret >= SECRETS_ASKED && (0..SECOND).contains(&now.since(self.asked_at))
    }
}

/// Keys by locator. Records stay until the feed speaks of them or they have outlived themselves; that there
/// is no key is forgotten soon.
#[derive(Debug, Default)]
pub struct Memory(HashMap<Locator, Memo>);

impl Memory {
    /// What is known of a key that opened the record of this locator last.
    pub fn opened(&self, locator: Locator) -> Option<MatchedKey> {
        self.0.get(&locator)?.derived.matched.get()
    }

    /// What is remembered of the key and may still be true.
    pub fn recall(&self, locator: Locator, now: Timestamp) -> Option<Memo> {
        self.0.get(&locator).filter(|memo| may_be_true(memo, now)).cloned()
    }

    /// Remembers what a store said.
    ///
    /// Of two answers the one that was asked for later stays: an answer that was long on its way must
    /// not undo a newer one.
    pub fn remember(&mut self, locator: Locator, mut memo: Memo) {
        if let Some(other) = self.0.get(&locator).filter(|_| memo.for_secret > 0)
            && (0..SECOND).contains(&memo.asked_at.since(other.asked_at))
        {
            memo.for_secret = memo.for_secret.saturating_add(other.for_secret);
        }
        let overtaken = |other: &Memo| (1..CLOCK_STEP).contains(&other.asked_at.since(memo.asked_at));
        if self.0.get(&locator).is_some_and(overtaken) {
            return;
        }
        if self.0.len() >= CAPACITY && !self.0.contains_key(&locator) {
            self.0.retain(|_, other| may_be_true(other, memo.asked_at));
            if self.0.len() >= CAPACITY {
                // Whose turn it is does not matter much; that a tenth has to be asked for anew does little harm.
                let mut place = 0usize;
                self.0.retain(|_, _| {
                    place += 1;
                    !place.is_multiple_of(10)
                });
            }
        }
        self.0.insert(locator, memo);
    }

    /// Notes that the copy of a key is looked for.
    pub fn look(&mut self, locator: Locator, now: Timestamp) {
        if let Some(memo) = self.0.get_mut(&locator) {
            memo.looked_at = now;
        }
    }

    /// Forgets one key.
    pub fn forget(&mut self, locator: Locator) {
        self.0.remove(&locator);
    }

    /// Forgets every key of a workspace, and all that is known to be absent.
    pub fn forget_workspace(&mut self, number: u32) {
        self.0.retain(|_, memo| memo.known.as_ref().is_some_and(|record| record.workspace.number != number));
    }
}

fn may_be_true(memo: &Memo, now: Timestamp) -> bool {
    match &memo.known {
        Some(record) => record.is_alive(now) && memo.asked_at <= now,
        // A clock that was set back makes it stale.
        None => (0..ABSENT_FOR).contains(&now.since(memo.asked_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};

    fn memo(known: Known, asked_at: Timestamp) -> Memo {
        Memo::new(known, asked_at)
    }

    /// Version of the record that is remembered; 0 for "no such key".
    fn version(memory: &Memory, locator: Locator, now: Timestamp) -> Option<u64> {
        memory.recall(locator, now).map(|memo| memo.known.map_or(0, |record| record.version))
    }

    #[test]
    fn a_record_is_remembered_as_long_as_it_lives() {
        let (mut memory, record) = (Memory::default(), record());
        let locator = record.locator;
        memory.remember(locator, memo(Some(record.into()), NOW));
        assert_eq!(version(&memory, locator, NOW.plus(LIFETIME - 1)), Some(3));
        assert_eq!(version(&memory, locator, NOW.plus(LIFETIME)), None);
    }

    #[test]
    fn that_there_is_no_key_is_remembered_for_ten_seconds() {
        let (mut memory, locator) = (Memory::default(), record().locator);
        assert_eq!(version(&memory, locator, NOW), None);
        memory.remember(locator, memo(None, NOW));
        assert_eq!(version(&memory, locator, NOW.plus(9_999)), Some(0));
        assert_eq!(version(&memory, locator, NOW.plus(10_000)), None);
        assert_eq!(version(&memory, locator, NOW.plus(-1)), None, "the clock was set back");
    }

    #[test]
    fn an_older_question_does_not_undo_a_newer_answer() {
        let (mut memory, record) = (Memory::default(), record());
        let locator = record.locator;
        memory.remember(locator, memo(None, NOW.plus(1)));
        memory.remember(locator, memo(Some(record.into()), NOW));
        assert_eq!(version(&memory, locator, NOW.plus(1)), Some(0));
    }

    #[test]
    fn what_the_feed_speaks_of_is_forgotten() {
        let (mut memory, record) = (Memory::default(), record());
        let (locator, other) = (record.locator, "0000000000000001".parse().unwrap());
        memory.remember(locator, memo(Some(record.into()), NOW));
        memory.remember(other, memo(None, NOW));
        memory.forget_workspace(8);
        assert_eq!(version(&memory, locator, NOW), Some(3), "another workspace");
        memory.forget_workspace(7);
        assert_eq!((version(&memory, locator, NOW), version(&memory, other, NOW)), (None, None));
        memory.remember(locator, memo(None, NOW));
        memory.forget(locator);
        assert_eq!(version(&memory, locator, NOW), None);
    }

    #[test]
    fn only_the_vault_vouches_and_not_for_long() {
        let truth = Memo { is_truth: true, ..memo(None, NOW) };
        assert!(truth.vouches(NOW.plus(FRESH_FOR - 1)) && !truth.vouches(NOW.plus(FRESH_FOR)));
        assert!(!truth.vouches(NOW.plus(-1)) && !memo(None, NOW).vouches(NOW));
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut memory = Memory::default();
        for number in 0..CAPACITY + 10 {
            let locator = format!("{number:016}").parse().unwrap();
            memory.remember(locator, memo(None, NOW));
        }
        assert!(memory.0.len() <= CAPACITY && memory.0.len() > CAPACITY / 2);
    }
}
