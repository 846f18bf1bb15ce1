//! The key cache: records of keys by locator, and the locators for which there is no key. An
//! isolate may vanish at any time, so nothing that matters lives only here.

use crate::key_check::{Derived, MatchedKey};
use ownchat_domain::{
    digest::Fingerprint,
    feed::FRESH_FOR,
    locator::Locator,
    record::{LIFETIME, Record},
    time::{SECOND, Timestamp},
};
use std::{collections::HashMap, rc::Rc};

/// Time to live of a negative entry ("no such key"), in milliseconds.
pub const NEGATIVE_TTL: i64 = 10 * SECOND;

/// Milliseconds before the replica of a record that is too old to decide is read again.
const REPLICA_REREAD_AFTER: i64 = 10 * SECOND;

/// Milliseconds that no response takes. A larger difference of two request times means that the
/// clock was set back.
const CLOCK_STEP: i64 = 60 * SECOND;

/// Age in milliseconds at which the record of a key in use is refreshed in the background. At half
/// its lifetime, a key in use has the other half left when no store responds.
pub const REFRESH_AFTER: i64 = LIFETIME / 2;

/// Maximum fetches from the vault within a second for secrets of one key that do not match.
const SECRET_RECHECKS_MAX: u32 = 3;

/// Maximum number of cached keys.
const CAPACITY: usize = 100_000;

/// An entry of the cache.
#[derive(Clone, Debug)]
pub struct CachedKey {
    /// The record; none if there is no such key.
    pub record: Option<Rc<Record>>,
    /// When the record was requested.
    pub requested_at: Timestamp,
    /// When its replica was last read; initially the time of the request.
    pub replica_read_at: Timestamp,
    /// True if the record came from the vault, false if from a replica.
    pub from_vault: bool,
    /// Fetches from the vault within a second that a secret without a match caused.
    pub secret_rechecks: u32,
    /// Values derived from the record.
    pub derived: Rc<Derived>,
}

impl CachedKey {
    /// Creates an entry for the result of a fetch that was requested at that time.
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

    /// Returns the number of the secret that this key matched, if it matched the record last.
    pub fn matched_secret(&self, fingerprint: Fingerprint) -> Option<u32> {
        // Comparing hashes of whole keys takes a time that reveals nothing of the keys.
        self.derived
            .matched
            .get()
            .filter(|matched| matched.key.fingerprint == fingerprint)
            .map(|matched| matched.secret)
    }

    /// Returns true if the entry is as good as a fresh feed: the vault itself returned it a moment
    /// ago.
    pub fn is_authoritative(&self, now: Timestamp) -> bool {
        self.from_vault && (0..FRESH_FOR).contains(&now.since(self.requested_at))
    }

    /// Returns true if reading the replica again may bring a newer one: replicas are minutes late
    /// at most.
    pub fn may_reread_replica(&self, now: Timestamp) -> bool {
        !(0..REPLICA_REREAD_AFTER).contains(&now.since(self.replica_read_at))
    }

    /// Returns true if the vault was queried often enough for now. So guessing at the secrets of a
    /// key costs `SECRET_RECHECKS_MAX` fetches a second, however many guess. A key may be rotated
    /// as often.
    pub fn is_recheck_limited(&self, now: Timestamp) -> bool {
        self.secret_rechecks >= SECRET_RECHECKS_MAX && (0..SECOND).contains(&now.since(self.requested_at))
    }
}

/// Entries by locator. A record stays until the feed names it or its lifetime ends. A negative
/// entry expires soon.
#[derive(Debug, Default)]
pub struct KeyCache(HashMap<Locator, CachedKey>);

impl KeyCache {
    /// Returns the key that matched the record of this locator last.
    pub fn last_match(&self, locator: Locator) -> Option<MatchedKey> {
        self.0.get(&locator)?.derived.matched.get()
    }

    /// Returns the entry of a key, unless it expired.
    pub fn get(&self, locator: Locator, now: Timestamp) -> Option<CachedKey> {
        self.0.get(&locator).filter(|cached| is_valid(cached, now)).cloned()
    }

    /// Caches the result of a fetch.
    ///
    /// Keeps the result that was requested later: a slow response must not undo a newer one.
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
                // It matters little which entries are evicted; fetching a tenth of them again does
                // little harm.
                let mut place = 0usize;
                self.0.retain(|_, _| {
                    place += 1;
                    !place.is_multiple_of(10)
                });
            }
        }
        self.0.insert(locator, cached);
    }

    /// Notes that the replica of a key is read.
    pub fn note_replica_read(&mut self, locator: Locator, now: Timestamp) {
        if let Some(cached) = self.0.get_mut(&locator) {
            cached.replica_read_at = now;
        }
    }

    /// Evicts one key.
    pub fn remove(&mut self, locator: Locator) {
        self.0.remove(&locator);
    }

    /// Evicts every key of a workspace, and all negative entries.
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

    /// Version of the cached record; 0 for a negative entry.
    fn version(cache: &KeyCache, locator: Locator, now: Timestamp) -> Option<u64> {
        cache.get(locator, now).map(|cached| cached.record.map_or(0, |record| record.version))
    }

    #[test]
    fn record_is_cached_for_its_lifetime() {
        let (mut cache, record) = (KeyCache::default(), record());
        let locator = record.locator;
        cache.insert(locator, cached(Some(record.into()), NOW));
        assert_eq!(version(&cache, locator, NOW.plus(LIFETIME - 1)), Some(3));
        assert_eq!(version(&cache, locator, NOW.plus(LIFETIME)), None);
    }

    #[test]
    fn negative_entry_expires_after_ten_seconds() {
        let (mut cache, locator) = (KeyCache::default(), record().locator);
        assert_eq!(version(&cache, locator, NOW), None);
        cache.insert(locator, cached(None, NOW));
        assert_eq!(version(&cache, locator, NOW.plus(9_999)), Some(0));
        assert_eq!(version(&cache, locator, NOW.plus(10_000)), None);
        assert_eq!(version(&cache, locator, NOW.plus(-1)), None, "the clock was set back");
    }

    #[test]
    fn older_result_does_not_replace_a_newer_one() {
        let (mut cache, record) = (KeyCache::default(), record());
        let locator = record.locator;
        cache.insert(locator, cached(None, NOW.plus(1)));
        cache.insert(locator, cached(Some(record.into()), NOW));
        assert_eq!(version(&cache, locator, NOW.plus(1)), Some(0));
    }

    #[test]
    fn key_and_workspace_can_be_evicted() {
        let (mut cache, record) = (KeyCache::default(), record());
        let (locator, other) = (record.locator, "0000000000000001".parse().unwrap());
        cache.insert(locator, cached(Some(record.into()), NOW));
        cache.insert(other, cached(None, NOW));
        cache.remove_workspace(8);
        assert_eq!(version(&cache, locator, NOW), Some(3), "another workspace is kept");
        cache.remove_workspace(7);
        assert_eq!((version(&cache, locator, NOW), version(&cache, other, NOW)), (None, None));
        cache.insert(locator, cached(None, NOW));
        cache.remove(locator);
        assert_eq!(version(&cache, locator, NOW), None);
    }

    #[test]
    fn only_a_recent_vault_record_is_authoritative() {
        let truth = CachedKey { from_vault: true, ..cached(None, NOW) };
        assert!(truth.is_authoritative(NOW.plus(FRESH_FOR - 1)) && !truth.is_authoritative(NOW.plus(FRESH_FOR)));
        assert!(!truth.is_authoritative(NOW.plus(-1)) && !cached(None, NOW).is_authoritative(NOW));
    }

    #[test]
    fn capacity_is_not_exceeded() {
        let mut cache = KeyCache::default();
        for number in 0..CAPACITY + 10 {
            let locator = format!("{number:016}").parse().unwrap();
            cache.insert(locator, cached(None, NOW));
        }
        assert!(cache.0.len() <= CAPACITY && cache.0.len() > CAPACITY / 2);
    }
}
