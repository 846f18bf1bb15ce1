//! Observations of the callers, and the checks on them.

use super::{BOUND, LOCATIONS, kinds::KINDS};
use crate::figures::{export, report};
use ownchat_simulation::WorldConfig;
use serde_json::json;
use std::collections::BTreeMap;

/// Most `UNAVAILABLE` responses of a thousand calls.
const UNAVAILABLE_MAX: u64 = 10;

/// Observations of the callers.
#[derive(Default)]
pub struct Observations {
    pub changes: usize,
    pub calls: u64,
    pub unavailable: u64,
    /// Changes after which a call passed too late.
    pub changes_too_late: usize,
    /// Reads in which KV served an older record of a narrowed key.
    pub stale: u64,
    pub by_kind: BTreeMap<&'static str, KindObservations>,
    /// Responses without an explanation.
    pub wrong: Vec<String>,
}

/// Observations of one kind of change.
#[derive(Clone, Copy, Debug, Default)]
pub struct KindObservations {
    /// Longest time for which calls may pass after the admin's response, in milliseconds. The round
    /// trip of the feed comes on top.
    pub bound: i64,
    /// Time of the latest call that passed, after the admin's response, in milliseconds. Limits do
    /// not count.
    pub slowest: i64,
    /// Calls that passed after the effective time, beyond those that may.
    pub too_late: u32,
    /// Calls after the effective time, and right refusals after the admin's response, by location.
    pub afterwards: [u64; LOCATIONS],
    pub refused: [u64; LOCATIONS],
}

impl Observations {
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.unavailable += other.unavailable;
        for (kind, seen) in other.by_kind {
            let known = self.by_kind.entry(kind).or_default();
            known.slowest = seen.slowest.max(known.slowest);
            for location in 0..LOCATIONS {
                known.afterwards[location] += seen.afterwards[location];
                known.refused[location] += seen.refused[location];
            }
        }
        self.wrong.extend(other.wrong);
    }

    /// Longest round trip of the feed, in milliseconds.
    fn round_trip() -> i64 {
        WorldConfig::default().wire.longest()
    }

    /// Slowest of the kinds without an overlap of their own, in milliseconds.
    fn slowest(&self) -> i64 {
        self.by_kind.values().filter(|seen| seen.bound == BOUND).map(|seen| seen.slowest).max().unwrap_or(0)
    }

    fn too_late(&self) -> u32 {
        self.by_kind.values().map(|seen| seen.too_late).sum()
    }

    /// Kinds with a call that passed too late.
    pub fn late(&self) -> Vec<&'static str> {
        self.by_kind.iter().filter(|(_, seen)| seen.too_late > 0).map(|(kind, _)| *kind).collect()
    }

    /// Checks that every call was refused in time, and that enough was seen to know it.
    pub fn expect_in_time(&self) {
        assert_eq!(self.late(), [""; 0], "calls passed after they must not");
        for (kind, seen) in &self.by_kind {
            assert!(seen.slowest <= seen.bound + Self::round_trip(), "{kind}: a call passed after {} ms", seen.slowest);
        }
        assert!(self.slowest() > 0, "no call passed after any change: nothing was seen");
        assert!(self.stale > 0, "KV served nothing that was old: nothing was shown");
        self.expect_enough();
    }

    /// Checks that each location called with keys of every kind afterwards, and got the right
    /// refusal.
    pub fn expect_enough(&self) {
        assert!(self.unavailable * 1_000 <= self.calls * UNAVAILABLE_MAX, "{} were told UNAVAILABLE", self.unavailable);
        assert!(self.wrong.is_empty(), "answers that nobody can explain: {:?}", self.wrong);
        for kind in KINDS {
            let seen = &self.by_kind[kind.name];
            assert!(!seen.afterwards.contains(&0), "{}: a location did not call afterwards: {seen:?}", kind.name);
            assert!(!seen.refused.contains(&0), "{}: a location was never told {}: {seen:?}", kind.name, kind.code);
        }
    }

    /// Writes the figures that `cargo xtask bench` shows. `proven` is true if all checks held.
    pub fn export(&self, proven: bool) {
        let figures = json!({
            "proven": proven,
            "locations": LOCATIONS,
            "changes": self.changes,
            "changes_too_late": self.changes_too_late,
            "slowest_ms": self.slowest(),
            "round_trip_ms": Self::round_trip(),
        });
        export("revocation", &figures);
    }

    pub fn print(&self, what: &str) {
        let afterwards: u64 = self.by_kind.values().flat_map(|seen| seen.afterwards).sum();
        let found = format!(
            "{} changes, {} calls from {LOCATIONS} locations, {afterwards} of them when they must be refused; the slowest passed {} ms after the admin was told; \
             {} passed too late; {} were told UNAVAILABLE; KV served {} old records",
            self.changes,
            self.calls,
            self.slowest(),
            self.too_late(),
            self.unavailable,
            self.stale
        );
        let kinds: Vec<String> =
            self.by_kind.iter().map(|(kind, seen)| format!("{kind} {} ms", seen.slowest)).collect();
        report(what, &found);
        report(what, &format!("slowest of each kind: {}", kinds.join(", ")));
    }
}
