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

/// How long "there is no such key" is remembered, in milliseconds.
pub const NEGATIVE_TTL: i64 = 10 * SECOND;

/// A copy that is too old to decide is not looked at again for so long, in milliseconds.
const REPLICA_REREAD_AFTER: i64 = 10 * SECOND;

/// An answer cannot be so long on its way, in milliseconds: the clock was set back instead.
const CLOCK_STEP: i64 = 60 * SECOND;

/// Of a key that is used a younger record is fetched when the one that is remembered is so old, in milliseconds: so it has half
/// of its life before it when no store can be asked.
pub const REFRESH_AFTER: i64 = LIFETIME / 2;

/// Most questions to the vault within a second because a secret of a key did not fit.
const SECRET_RECHECKS_MAX: u32 = 3;

/// Most keys that are remembered at once.
const CAPACITY: usize = 100_000;

/// Something remembered.
#[derive(Clone, Debug)]
pub struct CachedKey {
    /// What is known.
    pub record: Option<Rc<Record>>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When its copy was looked for last, at the latest when it was asked for.
    pub replica_read_at: Timestamp,
    /// Whether the vault said it, not a copy.
    pub from_vault: bool,
    /// How often the vault was asked within a second only because a secret did not fit.
    pub secret_rechecks: u32,
    /// What was found out from it.
    pub derived: Rc<Derived>,
}

impl CachedKey {
    /// What a store said, asked at that time.
    pub fn new(record: Option<Rc<Record>>, requested_at: Timestamp) -> Self {
        Self {
            record,
            requested_at,
            replica_read_at: requested_at,
            from_vault: false,
            secret_rechecks: 0,
            derived: Rc::default(),
        }
    }

    /// The number of the secret that this key was found to hold, if it opened the record last.
    pub fn matched_secret(&self, fingerprint: Fingerprint) -> Option<u32> {
        // The times of comparing hashes of whole keys say nothing of the keys.
        self.derived
            .matched
            .get()
            .filter(|matched| matched.key.fingerprint == fingerprint)
            .map(|matched| matched.secret)
    }

    /// Whether it is as good as what the feed says: the vault itself said it a moment ago.
    pub fn is_authoritative(&self, now: Timestamp) -> bool {
        self.from_vault && (0..FRESH_FOR).contains(&now.since(self.requested_at))
    }

    /// Whether looking for a copy again may bring a newer one: copies are minutes late at most.
    pub fn may_reread_replica(&self, now: Timestamp) -> bool {
        !(0..REPLICA_REREAD_AFTER).contains(&now.since(self.replica_read_at))
    }

    /// Returns true if the vault was asked often enough for now. So guessing at the secrets of a
    /// key costs [`SECRETS_ASKED`] questions a second, however many guess, and a key may be rotated
    /// as often.
    pub fn is_recheck_limited(&self, now: Timestamp) -> bool {
        self.secret_rechecks >= SECRET_RECHECKS_MAX && (0..SECOND).contains(&now.since(self.requested_at))
    }
}

/// Keys by locator. Records stay until the feed speaks of them or they have outlived themselves; that there
/// is no key is forgotten soon.
#[derive(Debug, Default)]
pub struct KeyCache(HashMap<Locator, CachedKey>);

impl KeyCache {
    /// What is known of a key that opened the record of this locator last.
    pub fn last_match(&self, locator: Locator) -> Option<MatchedKey> {
        self.0.get(&locator)?.derived.matched.get()
    }

    /// What is remembered of the key and may still be true.
    pub fn get(&self, locator: Locator, now: Timestamp) -> Option<CachedKey> {
        self.0.get(&locator).filter(|cached| is_valid(cached, now)).cloned()
    }

    /// Remembers what a store said.
    ///
    /// Of two answers the one that was asked for later stays: an answer that was long on its way must
    /// not undo a newer one.
    pub fn insert(&mut self, locator: Locator, mut cached: CachedKey) {
        if let Some(other) = self.0.get(&locator).filter(|_| cached.secret_rechecks > 0)
            && (0..SECOND).contains(&cached.requested_at.since(other.requested_at))
        {
            cached.secret_rechecks = cached.secret_rechecks.saturating_add(other.secret_rechecks);
        }
        let overtaken = |other: &CachedKey| (1..CLOCK_STEP).contains(&other.requested_at.since(cached.requested_at));
        if self.0.get(&locator).is_some_and(overtaken) {
            return;
        }
        if self.0.len() >= CAPACITY && !self.0.contains_key(&locator) {
            self.0.retain(|_, other| is_valid(other, cached.requested_at));
            if self.0.len() >= CAPACITY {
                // Whose turn it is does not matter much; that a tenth has to be asked for anew does little harm.
                let mut place = 0usize;
                self.0.retain(|_, _| {
                    place += 1;
                    !place.is_multiple_of(10)
                });
            }
        }
        self.0.insert(locator, cached);
    }

    /// Notes that the copy of a key is looked for.
    pub fn note_replica_read(&mut self, locator: Locator, now: Timestamp) {
        if let Some(cached) = self.0.get_mut(&locator) {
            cached.replica_read_at = now;
        }
    }

    /// Forgets one key.
    pub fn remove(&mut self, locator: Locator) {
        self.0.remove(&locator);
    }

    /// Forgets every key of a workspace, and all that is known to be absent.
    pub fn remove_workspace(&mut self, number: u32) {
        self.0.retain(|_, cached| cached.record.as_ref().is_some_and(|record| record.workspace.number != number));
    }
}

fn is_valid(cached: &CachedKey, now: Timestamp) -> bool {
    match &cached.record {
        Some(record) => record.is_alive(now) && cached.requested_at <= now,
        // A clock that was set back makes it stale.
        None => (0..NEGATIVE_TTL).contains(&now.since(cached.requested_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};

    fn cached(record: Option<Rc<Record>>, requested_at: Timestamp) -> CachedKey {
        CachedKey::new(record, requested_at)
    }

    /// Version of the record that is remembered; 0 for "no such key".
    fn version(cache: &KeyCache, locator: Locator, now: Timestamp) -> Option<u64> {
        cache.get(locator, now).map(|cached| cached.record.map_or(0, |record| record.version))
    }

    #[test]
    fn a_record_is_remembered_as_long_as_it_lives() {
        let (mut cache, record) = (KeyCache::default(), record());
        let locator = record.locator;
        cache.insert(locator, cached(Some(record.into()), NOW));
        assert_eq!(version(&cache, locator, NOW.plus(LIFETIME - 1)), Some(3));
        assert_eq!(version(&cache, locator, NOW.plus(LIFETIME)), None);
    }

    #[test]
    fn that_there_is_no_key_is_remembered_for_ten_seconds() {
        let (mut cache, locator) = (KeyCache::default(), record().locator);
        assert_eq!(version(&cache, locator, NOW), None);
        cache.insert(locator, cached(None, NOW));
        assert_eq!(version(&cache, locator, NOW.plus(9_999)), Some(0));
        assert_eq!(version(&cache, locator, NOW.plus(10_000)), None);
        assert_eq!(version(&cache, locator, NOW.plus(-1)), None, "the clock was set back");
    }

    #[test]
    fn an_older_question_does_not_undo_a_newer_answer() {
        let (mut cache, record) = (KeyCache::default(), record());
        let locator = record.locator;
        cache.insert(locator, cached(None, NOW.plus(1)));
        cache.insert(locator, cached(Some(record.into()), NOW));
        assert_eq!(version(&cache, locator, NOW.plus(1)), Some(0));
    }

    #[test]
    fn what_the_feed_speaks_of_is_forgotten() {
        let (mut cache, record) = (KeyCache::default(), record());
        let (locator, other) = (record.locator, "0000000000000001".parse().unwrap());
        cache.insert(locator, cached(Some(record.into()), NOW));
        cache.insert(other, cached(None, NOW));
        cache.remove_workspace(8);
        assert_eq!(version(&cache, locator, NOW), Some(3), "another workspace");
        cache.remove_workspace(7);
        assert_eq!((version(&cache, locator, NOW), version(&cache, other, NOW)), (None, None));
        cache.insert(locator, cached(None, NOW));
        cache.remove(locator);
        assert_eq!(version(&cache, locator, NOW), None);
    }

    #[test]
    fn only_the_vault_vouches_and_not_for_long() {
        let truth = CachedKey { from_vault: true, ..cached(None, NOW) };
        assert!(truth.is_authoritative(NOW.plus(FRESH_FOR - 1)) && !truth.is_authoritative(NOW.plus(FRESH_FOR)));
        assert!(!truth.is_authoritative(NOW.plus(-1)) && !cached(None, NOW).is_authoritative(NOW));
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut cache = KeyCache::default();
        for number in 0..CAPACITY + 10 {
            let locator = format!("{number:016}").parse().unwrap();
            cache.insert(locator, cached(None, NOW));
        }
        assert!(cache.0.len() <= CAPACITY && cache.0.len() > CAPACITY / 2);
    }
}
