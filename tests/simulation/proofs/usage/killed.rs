//! Killed edges: an edge loses at most the counts of its last two seconds. An edge that was idle
//! for so long loses none.

use super::counts::read_calls;
use crate::{figures::report, size::size};
use ownchat_domain::{
    key::NewKey,
    limit::RateLimit,
    locator::Locator,
    time::{SECOND, Timestamp},
};
use ownchat_runtime::{Admin, new_key};
use ownchat_simulation::{EdgeClient, Latency, Load, VerifyRequest, World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// The promised bound in milliseconds, independent of the product's constants, without any margin.
/// The clock is the real one, and the way to the counts takes only time of the machine.
const LOST_MAX: i64 = 2 * SECOND;
/// Concurrent edges. In each round another one is idle before it is killed.
const EDGES: usize = 4;
/// Time for which an edge is called, in milliseconds.
const CALLED: Range<i64> = 2_000..5_000;
/// Idle time after the calls, in milliseconds.
const QUIET: Range<i64> = LOST_MAX + 1..4_000;
/// A rate limit that no caller can reach.
const RATE: RateLimit = RateLimit { limit: 1_000_000, window_seconds: 60 };

#[test]
fn a_killed_edge_loses_at_most_its_last_two_seconds_of_counts() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let mut world = World::start(&WorldConfig {
        load: Load::Quarters(5),
        edges: EDGES,
        factor: 1.0,
        kv,
        wire,
        ..WorldConfig::default()
    });
    let mut admins = [1, 2].map(|number| world.found(number));
    let mut random = SmallRng::seed_from_u64(5);
    let mut runs = Vec::new();
    for round in 0..size(3, 30) {
        let plans = [(); EDGES].map(|()| (make(&mut admins), random.random_range(CALLED), random.random_range(QUIET)));
        runs.extend(thread::scope(|scope| {
            let world = &world;
            let start = |(edge, (keys, busy, quiet)): (usize, (Vec<CalledKey>, i64, i64))| {
                let quiet = (edge == round % EDGES).then_some(quiet);
                scope.spawn(move || run_edge(world, edge, keys, busy, quiet))
            };
            let running: Vec<_> = plans.into_iter().enumerate().map(start).collect();
            running.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
        }));
        (0..EDGES).for_each(|edge| world.start_edge(edge));
    }
    // Wait for counts in flight.
    world.clock.until(LOST_MAX, || runs.iter().all(|run| run.lost(&mut admins).age <= LOST_MAX));
    let (mut lost, mut oldest, mut most, mut calls) = (0, 0, 0, 0);
    for run in &runs {
        let Lost { age, count } = run.lost(&mut admins);
        assert!(age <= LOST_MAX, "a call was lost {age} ms after its answer\n{}", world.logs());
        assert!(count == 0 || !run.was_quiet, "{count} calls of an edge that was left alone were lost");
        calls += run.keys.iter().map(|key| key.answered.len()).sum::<usize>();
        (lost, oldest, most) = (lost + count, oldest.max(age), most.max(count));
    }
    let quiet = runs.iter().filter(|run| run.was_quiet).count();
    let found = format!(
        "{} with {calls} calls: {lost} were lost, at most {most} of one edge, those of the last {oldest} ms; {quiet} had been \
         left alone and lost nothing",
        runs.len(),
    );
    report("edges killed", &found);
    assert!(lost > 0, "nothing was lost: nothing was shown");
}

/// A key that is used at one edge only, with the records of its caller.
struct CalledKey {
    admin: usize,
    key: Locator,
    request: VerifyRequest,
    /// Times of the responses.
    answered: Vec<Timestamp>,
    /// Calls that may be counted as well: in flight when the edge was killed, or undecided.
    under_way: usize,
}

/// Makes keys of two workspaces, one of them with a limit.
fn make(admins: &mut [Admin]) -> Vec<CalledKey> {
    let kinds = [(0, None), (0, Some(RATE)), (1, None)];
    let made = kinds.map(|(admin, rate_limit)| {
        let key = NewKey { rate_limit, ..new_key("Counted", &["contacts:read"]) };
        let made = admins[admin].create(key).unwrap().unwrap();
        let request = VerifyRequest::of(&made.token);
        CalledKey { admin, key: made.id(), request, answered: Vec::new(), under_way: 0 }
    });
    made.into()
}

/// Calls of an edge until it was killed.
struct EdgeRun {
    keys: Vec<CalledKey>,
    was_quiet: bool,
    killed_at: Timestamp,
}

/// Lost calls of an edge: their number, and the age of the first at the kill, in milliseconds.
struct Lost {
    count: usize,
    age: i64,
}

impl EdgeRun {
    fn lost(&self, admins: &mut [Admin]) -> Lost {
        let mut lost = Lost { count: 0, age: 0 };
        for key in &self.keys {
            let (counted, answered) = (read_calls(&mut admins[key.admin], key.key), &key.answered);
            assert!(counted <= answered.len() + key.under_way, "{counted} of {} calls were counted", answered.len());
            lost.count += answered.len().saturating_sub(counted);
            // The last calls with a key are the lost ones.
            let age = answered.get(counted).map_or(0, |first| self.killed_at.since(*first));
            lost.age = lost.age.max(age);
        }
        lost
    }
}

/// Calls an edge for `busy` milliseconds, leaves it idle for `quiet` if given, and kills it.
fn run_edge(world: &World, edge: usize, keys: Vec<CalledKey>, busy: i64, quiet: Option<i64>) -> EdgeRun {
    let stop = AtomicBool::new(false);
    let kill = || {
        let now = world.clock.now();
        world.crash_edge(edge);
        now
    };
    thread::scope(|scope| {
        let caller = scope.spawn(|| call(world, world.caller(edge), keys, &stop));
        world.clock.wait(busy);
        let (killed_at, keys) = match quiet {
            Some(quiet) => {
                stop.store(true, Ordering::Relaxed);
                let keys = caller.join().unwrap();
                world.clock.wait(quiet);
                (kill(), keys)
            }
            None => (kill(), caller.join().unwrap()),
        };
        EdgeRun { keys, was_quiet: quiet.is_some(), killed_at }
    })
}

/// Calls with the keys in turn, until `stop` is set or there is no response.
fn call(world: &World, mut caller: EdgeClient, mut keys: Vec<CalledKey>, stop: &AtomicBool) -> Vec<CalledKey> {
    for place in (0..keys.len()).cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = &mut keys[place];
        let Ok(code) = caller.try_code(&key.request) else {
            key.under_way += 1;
            break;
        };
        if code == "UNAVAILABLE" && key.answered.is_empty() {
            // A new edge may be slow at first. It may have known the key and counted the call, or
            // not.
            key.under_way += 1;
            continue;
        }
        assert_eq!(code, "VALID", "{}", world.logs());
        key.answered.push(world.clock.now());
    }
    keys
}
