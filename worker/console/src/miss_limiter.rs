//! Limits lookups of unknown keys: deleted keys with our tag, and guessed secrets.
//!
//! Only its registry knows if a key is valid, so each request with a key costs a lookup. An IP
//! address that sends too many unknown keys is held back, as at the edge. Keys that a registry has
//! recognised before still pass from there.

use ownchat_domain::{
    digest::SecretHash,
    locator::Locator,
    miss_limiter::MissLimiter,
    time::{SECOND, Timestamp},
    vault::KeyCaller,
};
use std::{cell::RefCell, collections::HashMap};

/// Maximum number of recognised keys in the cache.
const CAPACITY: usize = 1_000;

/// An isolate's cache of recognised keys, with the limiter of unknown ones.
#[derive(Default)]
pub struct KnownKeys {
    limiter: MissLimiter,
    keys: HashMap<Locator, SecretHash>,
}

thread_local! {
    static OF_ISOLATE: RefCell<KnownKeys> = RefCell::default();
}

/// A lookup in flight.
#[derive(Debug)]
pub struct LookupInFlight {
    /// True if the key is not in the cache, so that the lookup counts for its IP address.
    is_new: bool,
    begun: Timestamp,
}

impl KnownKeys {
    /// Runs `work` with this isolate's cache and limiter.
    pub fn of_isolate<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        OF_ISOLATE.with_borrow_mut(work)
    }

    /// Begins a lookup of this key; [`Self::end`] ends it.
    ///
    /// # Errors
    ///
    /// Returns the milliseconds until a lookup is allowed.
    pub fn begin(&mut self, key: &KeyCaller, now: Timestamp) -> Result<LookupInFlight, i64> {
        let is_new = !self.knows(key);
        if is_new {
            if let Some(wait) = self.limiter.wait(key.address, now) {
                return Err(wait);
            }
            if self.limiter.is_full(key.address, now) {
                return Err(SECOND);
            }
            self.limiter.begin(key.address, now);
        }
        Ok(LookupInFlight { is_new, begun: now })
    }

    /// Ends a lookup, and records if the registry recognised the key, unless the response is
    /// missing.
    pub fn end(&mut self, key: &KeyCaller, lookup: &LookupInFlight, is_known: Option<bool>, now: Timestamp) {
        if lookup.is_new {
            self.limiter.end(key.address, lookup.begun);
        }
        match is_known {
            Some(true) => {
                if self.keys.len() >= CAPACITY && !self.keys.contains_key(&key.id) {
                    self.keys.clear();
                }
                self.keys.insert(key.id, key.secret);
            }
            Some(false) => {
                if self.knows(key) {
                    self.keys.remove(&key.id);
                }
                self.limiter.record_miss(key.address, now);
            }
            None => {}
        }
    }

    fn knows(&self, key: &KeyCaller) -> bool {
        self.keys.get(&key.id) == Some(&key.secret)
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

    /// Runs a whole lookup. Returns the milliseconds to wait, if any.
    fn ask(known: &mut KnownKeys, key: &KeyCaller, is_known: bool) -> Option<i64> {
        match known.begin(key, NOW) {
            Ok(lookup) => {
                known.end(key, &lookup, Some(is_known), NOW);
                None
            }
            Err(wait) => Some(wait),
        }
    }

    /// Returns a limiter after a flood of unknown keys from one IP address.
    fn flooded() -> KnownKeys {
        let mut known = KnownKeys::default();
        let asked = (0..100).filter(|number| ask(&mut known, &key(*number, 0, "192.0.2.1"), false).is_none());
        assert_eq!(asked.count(), 20);
        known
    }

    #[test]
    fn a_flood_of_unknown_keys_is_held() {
        let mut known = flooded();
        assert_eq!(ask(&mut known, &key(1_000, 0, "192.0.2.1"), true), Some(1_000), "nobody knows yet that it is good");
        assert_eq!(ask(&mut known, &key(1_000, 0, "192.0.2.2"), true), None, "from another address");
        assert_eq!(ask(&mut known, &key(1_000, 0, "192.0.2.1"), true), None, "it was known");
    }

    #[test]
    fn guesses_of_the_secret_of_one_key_are_held() {
        let mut known = KnownKeys::default();
        let asked = (0..100).filter(|guess| ask(&mut known, &key(1, *guess, "192.0.2.1"), false).is_none());
        assert_eq!(asked.count(), 20);
    }

    #[test]
    fn a_flood_at_once_is_held() {
        let mut known = KnownKeys::default();
        let good = key(1, 7, "192.0.2.1");
        assert_eq!(ask(&mut known, &good, true), None);
        let key = |number| key(number, 0, "192.0.2.1");
        let lookup: Vec<_> = (1_000..2_000).map_while(|number| known.begin(&key(number), NOW).ok()).collect();
        assert_eq!(lookup.len(), 200);
        assert_eq!(ask(&mut known, &key(3_000), true), Some(SECOND));
        assert_eq!(ask(&mut known, &good, true), None, "what was known before waits for nobody");
        known.end(&key(1_000), &lookup[0], None, NOW);
        assert_eq!(ask(&mut known, &key(3_000), true), None, "without a response it is in flight no longer");
        for (number, lookup) in (1_001..).zip(&lookup[1..]) {
            known.end(&key(number), lookup, Some(false), NOW);
        }
        assert_eq!(ask(&mut known, &key(3_001), true), Some(SECOND), "all of them were unknown");
    }

    #[test]
    fn a_known_key_still_passes_a_limited_address() {
        let mut known = KnownKeys::default();
        let good = key(1, 7, "192.0.2.1");
        assert_eq!(ask(&mut known, &good, true), None);
        for number in 1_000..1_100 {
            ask(&mut known, &key(number, 0, "192.0.2.1"), false);
        }
        assert_eq!(ask(&mut known, &good, true), None);
        assert_eq!(ask(&mut known, &key(1, 8, "192.0.2.1"), true), Some(SECOND), "another secret of it");
        // A guess from elsewhere does not evict it.
        assert_eq!(ask(&mut known, &key(1, 8, "192.0.2.9"), false), None);
        assert_eq!(ask(&mut known, &good, true), None);
        // Its deletion does.
        assert_eq!(ask(&mut known, &good, false), None);
        assert_eq!(ask(&mut known, &good, false), Some(SECOND));
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut known = KnownKeys::default();
        for number in 0..3_000 {
            ask(&mut known, &key(number, 1, "192.0.2.1"), true);
            assert!(known.keys.len() <= CAPACITY);
        }
        assert!(known.knows(&key(2_999, 1, "192.0.2.1")));
    }
}
