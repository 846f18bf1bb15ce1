//! State of the fake KV: versions of each name, their visibility by location, counters and faults.

use crate::{fault::Fault, latency::Latency};
use ownchat_domain::time::{SECOND, Timestamp};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::HashMap;

/// Counters of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KvCounts {
    /// Reads that found a value.
    pub found: u64,
    /// Reads that found no value.
    pub absent: u64,
    /// Accepted writes and deletions.
    pub written: u64,
    /// Writes and deletions refused by the rate limit.
    pub too_soon: u64,
    /// Operations that failed on purpose.
    pub failed: u64,
}

impl KvCounts {
    /// Sum of all counters.
    pub fn all(self) -> u64 {
        self.found + self.absent + self.written + self.too_soon + self.failed
    }

    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.absent += other.absent;
        self.written += other.written;
        self.too_soon += other.too_soon;
        self.failed += other.failed;
    }
}

/// A write refused by the rate limit of one a second.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

#[derive(Debug)]
struct Version {
    value: Option<Vec<u8>>,
    at: Timestamp,
    /// Moment from which each location sees this version.
    seen_from: Vec<Timestamp>,
}

/// Read counters of a name.
#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    all: u64,
    /// Reads in locations that had not seen the newest write.
    stale: u64,
}

#[derive(Debug, Default)]
struct Location {
    counts: KvCounts,
    fault: Fault,
}

#[derive(Debug)]
pub(super) struct Store {
    names: HashMap<String, Vec<Version>>,
    planted: HashMap<String, Option<Vec<u8>>>,
    reads: HashMap<String, Reads>,
    locations: Vec<Location>,
    staleness: i64,
    random: SmallRng,
}

impl Store {
    pub(super) fn new(locations: usize, staleness: i64, seed: u64) -> Self {
        Self {
            names: HashMap::new(),
            planted: HashMap::new(),
            reads: HashMap::new(),
            locations: (0..locations).map(|_| Location::default()).collect(),
            staleness,
            random: SmallRng::seed_from_u64(seed),
        }
    }

    pub(super) fn fail(&mut self, location: Option<usize>, fault: Fault) {
        for (number, place) in self.locations.iter_mut().enumerate() {
            if location.is_none_or(|only| only == number) {
                place.fault = fault;
            }
        }
    }

    /// Draws the latency of an operation, in milliseconds, and returns the location's fault with
    /// it.
    pub(super) fn begin(&mut self, location: usize, latency: Latency) -> (i64, Fault) {
        let place = &mut self.locations[location];
        if matches!(place.fault, Fault::Error | Fault::Cut) {
            place.counts.failed += 1;
        }
        (latency.sample(&mut self.random), place.fault)
    }

    pub(super) fn read(&mut self, location: usize, name: &str, now: Timestamp) -> Option<Vec<u8>> {
        let versions = self.names.get(name).map_or(&[][..], Vec::as_slice);
        let seen = versions.iter().rposition(|version| version.seen_from[location] <= now);
        let reads = self.reads.entry(name.to_owned()).or_default();
        reads.all += 1;
        reads.stale += u64::from(seen.map_or(0, |place| place + 1) < versions.len());
        let value = seen.and_then(|place| versions[place].value.clone());
        let value = self.planted.get(name).cloned().unwrap_or(value);
        let counts = &mut self.locations[location].counts;
        *(if value.is_some() { &mut counts.found } else { &mut counts.absent }) += 1;
        value
    }

    pub(super) fn write(
        &mut self,
        location: usize,
        name: &str,
        value: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let counts = &mut self.locations[location].counts;
        let versions = self.names.entry(name.to_owned()).or_default();
        if versions.last().is_some_and(|last| now.since(last.at) < SECOND) {
            counts.too_soon += 1;
            return Err(Refused);
        }
        counts.written += 1;
        let seen_from = self.locations.iter().map(|_| now.plus(self.random.random_range(0..=self.staleness))).collect();
        versions.push(Version { value, at: now, seen_from });
        Ok(())
    }

    pub(super) fn plant(&mut self, name: &str, value: Option<Vec<u8>>) {
        self.planted.insert(name.to_owned(), value);
    }

    pub(super) fn tamper(&mut self, name: &str, value: Option<Vec<u8>>, now: Timestamp) {
        let seen_from = vec![now; self.locations.len()];
        self.names.entry(name.to_owned()).or_default().push(Version { value, at: now, seen_from });
    }

    pub(super) fn clear(&mut self) {
        self.planted.clear();
    }

    pub(super) fn newest(&self, name: &str) -> Option<Vec<u8>> {
        self.names.get(name)?.last()?.value.clone()
    }

    pub(super) fn history(&self, name: &str) -> Vec<Vec<u8>> {
        self.names.get(name).into_iter().flatten().filter_map(|version| version.value.clone()).collect()
    }

    pub(super) fn reads_of(&self, name: &str) -> u64 {
        self.reads.get(name).map_or(0, |reads| reads.all)
    }

    pub(super) fn stale_reads_of(&self, name: &str) -> u64 {
        self.reads.get(name).map_or(0, |reads| reads.stale)
    }

    pub(super) fn counts(&self, location: Option<usize>) -> KvCounts {
        let mut sum = KvCounts::default();
        for (number, place) in self.locations.iter().enumerate() {
            if location.is_none_or(|only| only == number) {
                sum.add(place.counts);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn write(store: &mut Store, value: &str, now: Timestamp) -> Result<(), Refused> {
        store.write(0, "k", Some(value.into()), now)
    }

    fn seen(store: &mut Store, now: Timestamp) -> Vec<Option<Vec<u8>>> {
        (0..8).map(|location| store.read(location, "k", now)).collect()
    }

    #[test]
    fn each_location_sees_a_write_late_but_within_the_bound() {
        let mut store = Store::new(8, 120_000, 1);
        write(&mut store, "a", NOW).unwrap();
        let at_once = seen(&mut store, NOW.plus(60_000));
        assert!(at_once.contains(&None) && at_once.contains(&Some(b"a".to_vec())), "{at_once:?}");
        assert!(seen(&mut store, NOW.plus(120_000)).iter().all(|value| value.as_deref() == Some(b"a")));
        write(&mut store, "b", NOW.plus(130_000)).unwrap();
        let meanwhile = seen(&mut store, NOW.plus(190_000));
        assert!(meanwhile.contains(&Some(b"a".to_vec())) && meanwhile.contains(&Some(b"b".to_vec())));
        let count =
            |seen: &[Option<Vec<u8>>], old: Option<&[u8]>| seen.iter().filter(|value| value.as_deref() == old).count();
        let stale = count(&at_once, None) + count(&meanwhile, Some(b"a"));
        assert_eq!(store.stale_reads_of("k"), u64::try_from(stale).unwrap());
        assert_eq!(store.newest("k").as_deref(), Some(&b"b"[..]));
        assert_eq!(store.history("k"), [b"a", b"b"]);
    }

    #[test]
    fn a_name_takes_one_write_a_second() {
        let mut store = Store::new(1, 0, 1);
        assert_eq!(write(&mut store, "a", NOW), Ok(()));
        assert_eq!(write(&mut store, "b", NOW.plus(999)), Err(Refused));
        assert_eq!(store.write(0, "other", None, NOW.plus(999)), Ok(()));
        assert_eq!(write(&mut store, "c", NOW.plus(1_000)), Ok(()));
        let counts = store.counts(None);
        assert_eq!((counts.written, counts.too_soon, counts.all()), (3, 1, 4));
    }

    #[test]
    fn a_planted_value_is_served_until_it_is_cleared() {
        let mut store = Store::new(1, 0, 1);
        write(&mut store, "a", NOW).unwrap();
        store.plant("k", Some(b"false".to_vec()));
        assert_eq!(store.read(0, "k", NOW).as_deref(), Some(&b"false"[..]));
        store.plant("k", None);
        assert_eq!(store.read(0, "k", NOW), None);
        store.clear();
        assert_eq!(store.read(0, "k", NOW).as_deref(), Some(&b"a"[..]));
        assert_eq!((store.reads_of("k"), store.counts(None).found, store.counts(None).absent), (3, 2, 1));
    }

    #[test]
    fn a_foreign_write_is_seen_at_once_until_the_next_own_write() {
        let mut store = Store::new(2, 120_000, 1);
        write(&mut store, "a", NOW).unwrap();
        store.tamper("k", None, NOW.plus(1));
        assert_eq!((store.read(1, "k", NOW.plus(120_000)), store.newest("k")), (None, None));
        write(&mut store, "b", NOW.plus(120_000)).unwrap();
        assert_eq!(store.read(1, "k", NOW.plus(240_000)).as_deref(), Some(&b"b"[..]));
        assert_eq!((store.newest("k"), store.counts(None).written), (Some(b"b".to_vec()), 2));
    }
}
