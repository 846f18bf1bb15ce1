//! What was revoked is refused everywhere, at most 5 s and one round trip after the admin was told, whatever KV
//! holds. Eight locations call all the time while keys are narrowed in every way that there is.

pub mod kinds;

use crate::{
    figures::{leave, tell},
    proofs,
    size::size,
};
use kinds::{KINDS, Kind, Subject};
use ownchat_domain::{
    feed::FRESH_FOR,
    time::{SECOND, Timestamp},
};
use ownchat_simulation::{Caller, Clock, Settings, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

proofs![what_was_revoked_is_refused_everywhere_in_time, an_edge_that_does_not_listen_to_the_feed_is_found_out];

const LOCATIONS: usize = 8;
/// For how long a location may serve an old record.
const STALENESS: i64 = 120 * SECOND;
/// Time between two changes.
const GAP: i64 = 800;
/// For how long before and after a change its key is called more often than others.
const AROUND: (i64, i64) = (3 * SECOND, 9 * SECOND);

fn what_was_revoked_is_refused_everywhere_in_time() {
    let found = watch(size(10 * KINDS.len(), 10_000), STALENESS + 10 * SECOND, false);
    found.print("revocations");
    found.leave();
    assert_eq!(found.too_late, 0, "calls passed after they must not");
    assert!(found.wrong.is_empty(), "answers that nobody can explain: {:?}", found.wrong);
    assert!(found.slowest > 0, "no call passed after any change: nothing was seen");
    assert!(found.afterwards > u64::try_from(found.changes).unwrap(), "there were hardly any calls to be refused");
}

fn an_edge_that_does_not_listen_to_the_feed_is_found_out() {
    let found = watch(KINDS.len(), 20 * SECOND, true);
    found.print("revocations, feed unheard");
    let late = found.by_kind.values().filter(|slowest| **slowest > FRESH_FOR + SECOND).count();
    assert!(found.too_late > 0 && late >= KINDS.len() / 2, "the bug was hardly found: {:?}", found.by_kind);
}

/// A key that is going to be narrowed.
struct Trial {
    kind: Kind,
    subject: Subject,
    at: Timestamp,
    begun: OnceLock<Timestamp>,
    /// When the admin was told that it is done, and from when on it is said to hold everywhere.
    done: OnceLock<(Timestamp, Timestamp)>,
    /// Calls that passed after that moment.
    passed: AtomicU32,
}

/// What the callers saw.
#[derive(Default)]
struct Found {
    changes: usize,
    calls: u64,
    unavailable: u64,
    /// Calls with a narrowed key after the moment from which on they must be refused.
    afterwards: u64,
    /// The latest call that passed, after the admin was told, in milliseconds; all kinds and each.
    slowest: i64,
    by_kind: BTreeMap<&'static str, i64>,
    too_late: u32,
    wrong: Vec<String>,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.unavailable += other.unavailable;
        self.afterwards += other.afterwards;
        for (kind, slowest) in other.by_kind {
            let known = self.by_kind.entry(kind).or_default();
            *known = slowest.max(*known);
            self.slowest = slowest.max(self.slowest);
        }
        self.wrong.extend(other.wrong);
    }

    /// Leaves what `cargo xtask bench` shows.
    fn leave(&self) {
        let figures = json!({
            "locations": LOCATIONS,
            "changes": self.changes,
            "slowest_ms": self.slowest,
            "round_trip_ms": Settings::default().wire.longest(),
        });
        leave("revocation", &figures);
    }

    fn print(&self, what: &str) {
        let found = format!(
            "{} changes, {} calls from {LOCATIONS} locations, {} of them when they must be refused; the slowest passed {} ms after the admin was told; \
             {} passed too late; {} were told UNAVAILABLE",
            self.changes, self.calls, self.afterwards, self.slowest, self.too_late, self.unavailable
        );
        let kinds: Vec<String> = self.by_kind.iter().map(|(kind, slowest)| format!("{kind} {slowest} ms")).collect();
        tell(what, &found);
        tell(what, &format!("slowest of each kind: {}", kinds.join(", ")));
    }
}

fn watch(count: usize, tail: i64, deaf: bool) -> Found {
    let world = World::start(&Settings { edges: LOCATIONS, factor: 6.0, staleness: STALENESS, ..Settings::default() });
    world.wire.swallow_news(deaf);
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
    let mut found = Found { changes: count, ..Found::default() };
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
            trial.begun.set(clock.now()).unwrap();
            let effective = (trial.kind.change)(&world, &trial.subject).unwrap();
            let effective = effective.expect("the vault does not know that this takes something from somebody");
            trial.done.set((clock.now(), effective)).unwrap();
        }
        for caller in callers {
            found.add(caller.join().unwrap());
        }
    });
    found.too_late =
        trials.iter().map(|trial| trial.passed.load(Ordering::Relaxed).saturating_sub(trial.kind.may_pass)).sum();
    found
}

/// Calls one location until the end.
fn call(location: usize, mut caller: Caller, clock: Clock, trials: &[Trial], end: Timestamp) -> Found {
    let mut random = SmallRng::seed_from_u64(u64::try_from(location).unwrap());
    let mut found = Found::default();
    while clock.now() < end {
        let trial = &trials[choose(clock.now(), trials, &mut random)];
        let sent = clock.now();
        let code = caller.code(&trial.subject.question);
        found.calls += 1;
        let must_not = trial.done.get().is_some_and(|(_, effective)| sent > effective.plus(clock.grain()));
        found.afterwards += u64::from(must_not);
        let done = trial.done.get().filter(|(told, _)| *told <= sent);
        match (code.as_str(), done) {
            ("VALID", Some((told, _))) => {
                if trial.kind.may_pass == 0 {
                    let slowest = found.by_kind.entry(trial.kind.name).or_default();
                    *slowest = sent.since(*told).max(*slowest);
                }
                if must_not {
                    trial.passed.fetch_add(1, Ordering::Relaxed);
                }
            }
            ("VALID", None) => {}
            ("UNAVAILABLE", _) => found.unavailable += 1,
            // Whatever is told the admin: the change is at work already.
            (code, _) if code == trial.kind.code && trial.begun.get().is_some() => {}
            (code, done) => found.wrong.push(format!("{}: {code} ({done:?})", trial.kind.name)),
        }
    }
    found
}

/// Mostly one of the keys that are narrowed about now, sometimes any other.
fn choose(now: Timestamp, trials: &[Trial], random: &mut SmallRng) -> usize {
    let begin = trials.partition_point(|trial| trial.at.plus(AROUND.1) < now);
    let end = trials.partition_point(|trial| trial.at.plus(-AROUND.0) < now);
    if begin < end && random.random_range(0..8) > 0 {
        random.random_range(begin..end)
    } else {
        random.random_range(0..trials.len())
    }
}
