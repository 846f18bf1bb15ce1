//! Usage counts: every call with a key is counted once, under its key, outcome and scopes. Faults
//! on the way to the vault make no difference.

mod calls;
mod counts;
mod isolation;
mod killed;

use crate::{figures::report, size::size};
use calls::{CountedCall, subjects};
use counts::{CallLog, UsageCounts, read, read_last_uses};
use ownchat_domain::{
    time::{MINUTE, SECOND},
    verdict::Code,
};
use ownchat_runtime::Admin;
use ownchat_simulation::{Clock, EdgeClient, Fault, Latency, Load, World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const EDGES: usize = 4;
const WORKSPACES: u32 = 2;

#[test]
fn usage_equals_the_calls_made() {
    let (kv, wire) = (Latency::NONE, Latency::OBJECT);
    let world =
        World::start(&WorldConfig { load: Load::Quarters(6), edges: EDGES, kv, wire, ..WorldConfig::default() });
    let mut admins: Vec<Admin> = (1..=WORKSPACES).map(|number| world.found(number)).collect();
    let subjects: Vec<CountedCall> = admins.iter_mut().flat_map(subjects).collect();
    let count = size(40_000, 1_000_000);
    let stop = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let (subjects, stop, world) = (&subjects, &stop, &world);
        let callers: Vec<_> = world
            .callers()
            .into_iter()
            .zip(0..)
            .map(|(caller, seed)| scope.spawn(move || call(caller, world.clock, subjects, count / EDGES, seed)))
            .collect();
        // Meanwhile requests to the usage object fail now and then: before it stores the counts,
        // and after.
        let trouble = scope.spawn(move || {
            for fault in [Fault::Error, Fault::Cut, Fault::Lost, Fault::Slow(2 * SECOND)].into_iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                world.wire.fail("usage", fault);
                world.clock.wait(2 * SECOND);
                world.wire.repair();
                world.clock.wait(8 * SECOND);
            }
        });
        let mut seen = CallLog::default();
        for caller in callers {
            seen.add(caller.join().unwrap());
        }
        stop.store(true, Ordering::Relaxed);
        trouble.join().unwrap();
        seen
    });
    let mut counted = || -> UsageCounts { admins.iter_mut().flat_map(|admin| read(admin, &subjects)).collect() };
    let drained = world.clock.until(2 * MINUTE, || counted() == seen.calls);
    let (calls, questions) = (seen.all(), world.wire.asked("usage"));
    let found =
        format!("{calls} calls of {EDGES} edges, {questions} questions to the counts: equal after {drained:?} ms");
    report("usage", &found);
    assert_eq!(counted(), seen.calls, "{}", world.logs());
    // Neither retries nor moves within the storage count a call again.
    world.clock.wait(size(MINUTE, 6 * MINUTE));
    assert_eq!(counted(), seen.calls, "later\n{}", world.logs());
    let last_uses = admins.iter_mut().flat_map(|admin| read_last_uses(admin, &subjects)).collect();
    seen.expect_last_uses(&last_uses, world.clock.grain());
}

fn call(mut caller: EdgeClient, clock: Clock, subjects: &[CountedCall], count: usize, seed: u64) -> CallLog {
    let (mut random, mut calls) = (SmallRng::seed_from_u64(seed), CallLog::default());
    for _ in 0..count {
        let subject = &subjects[random.random_range(0..subjects.len())];
        let sent = clock.now();
        let code = caller.code(&subject.request);
        // Some unavailable calls belong to no known key.
        if code != Code::Unavailable.as_str() {
            let outcome = *Code::ALL.iter().find(|known| known.as_str() == code).unwrap();
            calls.count(subject, outcome, (sent, clock.now()));
        }
    }
    calls
}
