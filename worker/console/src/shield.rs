//! Keeps registries from floods of keys that have our tag and are unknown: deleted ones, or secrets that somebody guesses.
//!
//! Whether a key is good only its registry knows, so each question of a key costs one. An address that sends too many
//! unknown ones is held, as at the edge; keys that were heard before go on being heard from there.

use ownchat_domain::{digest::SecretHash, locator::Locator, shield::Shield, time::Timestamp, vault::KeyCaller};
use std::{cell::RefCell, collections::HashMap};

/// Most keys that are remembered because they were heard.
const CAPACITY: usize = 1_000;

/// What an isolate remembers of the keys that asked.
#[derive(Default)]
pub struct Heard {
    shield: Shield,
    keys: HashMap<Locator, SecretHash>,
}

thread_local! {
    static OF_ISOLATE: RefCell<Heard> = RefCell::default();
}

impl Heard {
    /// Works with what this isolate remembers.
    pub fn of_isolate<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        OF_ISOLATE.with_borrow_mut(work)
    }

    /// How many milliseconds this key must wait until its registry is asked; none if it need not.
    pub fn holds(&self, key: &KeyCaller, now: Timestamp) -> Option<i64> {
        if self.keys.get(&key.id) == Some(&key.secret) { None } else { self.shield.holds(key.address, now) }
    }

    /// Notes that the registry knew this key, or did not.
    pub fn note(&mut self, key: &KeyCaller, is_known: bool, now: Timestamp) {
        if is_known {
            if self.keys.len() >= CAPACITY && !self.keys.contains_key(&key.id) {
                self.keys.clear();
            }
            self.keys.insert(key.id, key.secret);
        } else {
            if self.keys.get(&key.id) == Some(&key.secret) {
                self.keys.remove(&key.id);
            }
            self.shield.note(key.address, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn key(id: u32, secret: u8, address: &str) -> KeyCaller {
        let id = format!("{id:016}").parse().unwrap();
        KeyCaller { id, secret: SecretHash::from_bytes([secret; 32]), address: address.parse().ok() }
    }

    /// One whose address has sent a flood of unknown keys.
    fn flooded() -> Heard {
        let mut heard = Heard::default();
        for number in 0..100 {
            heard.note(&key(number, 0, "192.0.2.1"), false, NOW);
        }
        heard
    }

    #[test]
    fn a_flood_of_unknown_keys_is_held() {
        let mut heard = flooded();
        assert_eq!(heard.holds(&key(1_000, 0, "192.0.2.1"), NOW), Some(1_000));
        assert_eq!(heard.holds(&key(1_000, 0, "192.0.2.2"), NOW), None, "from another address");
        // Guesses of one key's secret are no better.
        let mut heard_guesses = Heard::default();
        for guess in 0..100 {
            heard_guesses.note(&key(1, guess, "192.0.2.1"), false, NOW);
        }
        assert_eq!(heard_guesses.holds(&key(1, 200, "192.0.2.1"), NOW), Some(1_000));
        // What is known and not heard yet waits as well, and is heard after that.
        heard.note(&key(1_000, 0, "192.0.2.1"), true, NOW);
        assert_eq!(heard.holds(&key(1_000, 0, "192.0.2.1"), NOW), None);
    }

    #[test]
    fn what_was_heard_before_goes_on_being_heard() {
        let mut heard = flooded();
        let good = key(1, 7, "192.0.2.1");
        heard.note(&good, true, NOW);
        assert_eq!(heard.holds(&good, NOW), None);
        assert_eq!(heard.holds(&key(1, 8, "192.0.2.1"), NOW), Some(1_000), "another secret of it");
        // A guess from elsewhere does not make it forgotten.
        heard.note(&key(1, 8, "192.0.2.9"), false, NOW);
        assert_eq!(heard.holds(&good, NOW), None);
        // Until it is deleted.
        heard.note(&good, false, NOW);
        assert_eq!(heard.holds(&good, NOW), Some(1_000));
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut heard = Heard::default();
        for number in 0..3_000 {
            heard.note(&key(number, 1, "192.0.2.1"), true, NOW);
            assert!(heard.keys.len() <= CAPACITY);
        }
        assert_eq!(heard.holds(&key(2_999, 1, "192.0.2.1"), NOW), None);
    }
}
