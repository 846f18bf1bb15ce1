//! Revocation latency: every edge refuses a revoked key within 5 s and one round trip after the
//! admin's response. KV may be stale meanwhile. Eight locations call without pause during every
//! kind of narrowing change.

mod changes;
pub mod kinds;
mod observations;

use crate::{figures, size::size};
use kinds::{ChangeKind, KINDS, NarrowedKey};
use observations::{KindObservations, Observations};
use ownchat_domain::{
    record::kv_name,
    time::{SECOND, Timestamp},
};
use ownchat_simulation::{Clock, EdgeClient, Load, World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

/// The promised bound without the round trip, in milliseconds, independent of the product's
/// constants.
const BOUND: i64 = 5_000;
const LOCATIONS: usize = 8;
/// Time between two changes, in milliseconds.
const GAP: i64 = 800;
/// Time before and after a change in which its key is called more often, in milliseconds.
const AROUND: (i64, i64) = (3 * SECOND, 9 * SECOND);

#[test]
fn a_revoked_key_is_refused_everywhere_in_time() {
    // The benchmark reports the slowest revocation, so more of them are worth their time there.
    let daily = if figures::are_exported() { 10 } else { 3 };
    let found = watch(size(daily * KINDS.len(), 10_000), staleness() + 10 * SECOND, false);
    found.print("revocations");
    // A failed run leaves its figures, too.
    found.export(false);
    found.expect_in_time();
    found.export(true);
}

#[test]
fn an_edge_that_does_not_listen_to_the_feed_is_found_out() {
    let found = watch(2 * KINDS.len(), 20 * SECOND, true);
    found.print("revocations, feed unheard");
    let must_matter = KINDS.iter().filter(|kind| !kind.kept_by_meter);
    let unseen: Vec<&str> = must_matter.map(|kind| kind.name).filter(|kind| !found.late().contains(kind)).collect();
    assert!(unseen.is_empty(), "the bug was not found: {unseen:?}");
}

/// Longest time for which a location serves an old record, in milliseconds. It is far longer than a
/// change takes to arrive.
fn staleness() -> i64 {
    size(50, 120) * SECOND
}

/// A key that is going to be narrowed.
struct Trial {
    kind: ChangeKind,
    subject: NarrowedKey,
    at: Timestamp,
    begun: OnceLock<Timestamp>,
    done: OnceLock<Acknowledgement>,
    /// Calls that passed after the effective time.
    passed: AtomicU32,
}

/// An acknowledged change.
#[derive(Clone, Copy, Debug)]
struct Acknowledgement {
    /// Time of the admin's response.
    told: Timestamp,
    /// Effective time of the change, as the vault announced it.
    effective: Timestamp,
    /// Stale KV reads of the key by then.
    stale: u64,
}

impl ChangeKind {
    /// Longest time for which calls may pass after the admin's response, in milliseconds.
    fn bound(&self) -> i64 {
        self.left_for.max(BOUND)
    }
}

impl Trial {
    fn stale_reads(&self, world: &World) -> u64 {
        world.kv.stale_reads_of(&kv_name(self.subject.key.id()))
    }

    /// Returns true if a call answered now may be refused: the change has begun, and its overlap is
    /// over.
    fn may_be_refused(&self, clock: Clock) -> bool {
        let over = |begun: &Timestamp| clock.now().plus(clock.grain()) >= begun.plus(self.kind.left_for);
        self.kind.refused_before || self.begun.get().is_some_and(over)
    }

    /// Makes the change, and checks its effective time.
    fn change(&self, world: &World) {
        self.begun.set(world.clock.now()).unwrap();
        let effective = (self.kind.change)(world, &self.subject).unwrap();
        let effective = effective.expect("the vault does not know that this takes something from somebody");
        let told = world.clock.now();
        let bound = told.plus(self.kind.bound());
        assert!(effective <= bound, "{}: it is said to hold from {effective:?} on, not {bound:?}", self.kind.name);
        self.done.set(Acknowledgement { told, effective, stale: self.stale_reads(world) }).unwrap();
    }
}

fn watch(count: usize, tail: i64, without_feed: bool) -> Observations {
    let world = World::start(&WorldConfig {
        load: Load::Quarters(6),
        edges: LOCATIONS,
        factor: 6.0,
        staleness: staleness(),
        ..WorldConfig::default()
    });
    world.wire.drop_feed_entries(without_feed);
    let subjects = kinds::prepare(&world, count);
    let mut random = SmallRng::seed_from_u64(7);
    let begin = world.clock.now().plus(4 * SECOND);
    let trials: Vec<Trial> = subjects
        .into_iter()
        .enumerate()
        .map(|(number, (kind, subject))| {
            let at = begin.plus(i64::try_from(number).unwrap() * GAP + random.random_range(0..GAP));
            Trial { kind, subject, at, begun: OnceLock::new(), done: OnceLock::new(), passed: AtomicU32::new(0) }
        })
        .collect();
    let end = trials.last().unwrap().at.plus(tail);
    let mut found = Observations { changes: count, ..Observations::default() };
    thread::scope(|scope| {
        let (trials, clock) = (&trials, world.clock);
        let callers: Vec<_> = world
            .callers()
            .into_iter()
            .enumerate()
            .map(|(location, caller)| scope.spawn(move || call(location, caller, clock, trials, end)))
            .collect();
        for trial in trials {
            clock.wait(trial.at.since(clock.now()));
            trial.change(&world);
        }
        for caller in callers {
            found.add(caller.join().unwrap());
        }
    });
    for trial in &trials {
        let seen = found.by_kind.entry(trial.kind.name).or_default();
        seen.bound = trial.kind.bound();
        let too_late = trial.passed.load(Ordering::Relaxed).saturating_sub(trial.kind.may_pass);
        seen.too_late += too_late;
        found.changes_too_late += usize::from(too_late > 0);
        found.stale += trial.stale_reads(&world) - trial.done.get().unwrap().stale;
    }
    found
}

/// Calls one location until the end.
fn call(location: usize, mut caller: EdgeClient, clock: Clock, trials: &[Trial], end: Timestamp) -> Observations {
    let mut random = SmallRng::seed_from_u64(u64::try_from(location).unwrap());
    let mut found = Observations::default();
    while clock.now() < end {
        let trial = &trials[choose(clock.now(), trials, &mut random)];
        let kind = &trial.kind;
        let sent = clock.now();
        let code = caller.code(&trial.subject.request);
        found.calls += 1;
        let seen: &mut KindObservations = found.by_kind.entry(kind.name).or_default();
        let must_not = trial.done.get().is_some_and(|done| sent > done.effective.plus(clock.grain()));
        seen.afterwards[location] += u64::from(must_not);
        let done = trial.done.get().filter(|done| done.told <= sent);
        match (code.as_str(), done) {
            ("VALID", Some(done)) => {
                if kind.may_pass == 0 {
                    seen.slowest = sent.since(done.told).max(seen.slowest);
                }
                if must_not {
                    trial.passed.fetch_add(1, Ordering::Relaxed);
                }
            }
            ("VALID", None) => {}
            ("UNAVAILABLE", _) => found.unavailable += 1,
            (code, Some(_)) if code == kind.code && trial.may_be_refused(clock) => seen.refused[location] += 1,
            // The change may take effect before the admin's response.
            (code, None) if code == kind.code && trial.may_be_refused(clock) => {}
            (code, done) => found.wrong.push(format!("{}: {code} ({done:?})", kind.name)),
        }
    }
    found
}

/// Picks mostly a key that is narrowed about now, sometimes any other.
fn choose(now: Timestamp, trials: &[Trial], random: &mut SmallRng) -> usize {
    let begin = trials.partition_point(|trial| trial.at.plus(AROUND.1) < now);
    let end = trials.partition_point(|trial| trial.at.plus(-AROUND.0) < now);
    if begin < end && random.random_range(0..8) > 0 {
        random.random_range(begin..end)
    } else {
        random.random_range(0..trials.len())
    }
}
