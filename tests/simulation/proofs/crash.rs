//! Crashes of the vault in the middle of its work. No acknowledged change is lost, torn or without
//! its line in the audit trail. KV equals the registries within a minute after the restart.

pub mod check;
mod purge;
mod set_up;
mod writer;

use crate::{figures::report, size::size};
use check::Truth;
use ownchat_domain::{
    key::NewKey,
    limit::{Period, Quota},
    time::MINUTE,
};
use ownchat_runtime::new_key;
use ownchat_simulation::{EdgeClient, Load, VerifyRequest, World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};
use writer::Writer;

/// Concurrent writers, two for each workspace.
const WRITERS: u32 = 6;
/// Acknowledged changes of a round after which the vault is killed, while others are in flight.
const LIFE: Range<usize> = 1..120;
/// Quota of a key that is used across all crashes.
const QUOTA: u32 = 200;

#[test]
fn nothing_acknowledged_is_lost_in_a_crash() {
    crash(3);
}

/// The same with another seed, concurrently.
#[test]
fn nothing_acknowledged_is_lost_in_another_crash() {
    crash(4);
}

fn crash(seed: u64) {
    let rounds = size(10, 100);
    let mut random = SmallRng::seed_from_u64(seed);
    let mut world =
        World::start(&WorldConfig { load: Load::Quarters(3), edges: 2, factor: 3.0, ..WorldConfig::default() });
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::begin(&world, number)).collect();
    let workspaces: BTreeSet<u32> = writers.iter().map(Writer::workspace).collect();
    let quota = Some(Quota { limit: QUOTA, period: Period::Month });
    let limited = NewKey { quota, ..new_key("Limited", &["contacts:read"]) };
    let limited = VerifyRequest::of(&world.found(99).create(limited).unwrap().unwrap().token);
    let (mut cut, mut again, mut passed, mut slowest, mut known) = (0, 0, 0, 0, 0);
    for round in 0..rounds {
        let (stop, vault, clock, done) = (AtomicBool::new(false), world.vault(), world.clock, AtomicUsize::new(0));
        let (life, moment) = (random.random_range(LIFE), random.random_range(0..20));
        passed += thread::scope(|scope| {
            let calls = scope.spawn(|| use_up(world.caller(0), &limited, &stop));
            let running: Vec<_> = writers
                .iter_mut()
                .map(|writer| scope.spawn(|| writer.write_until_cut_off(vault, clock, &done)))
                .collect();
            let worked = clock.until(10 * MINUTE, || done.load(Ordering::Relaxed) >= life);
            assert!(worked.is_some(), "the vault does nothing\n{}", world.logs());
            clock.wait(moment);
            world.crash_vault();
            for writer in running {
                writer.join().unwrap();
            }
            stop.store(true, Ordering::Relaxed);
            calls.join().unwrap()
        });
        let twin = world.twin();
        let truths: BTreeMap<u32, Truth> =
            workspaces.iter().map(|workspace| (*workspace, Truth::read(twin.address(), *workspace))).collect();
        drop(twin);
        cut += writers.iter_mut().map(|writer| writer.compare(&truths[&writer.workspace()])).sum::<usize>();
        let back = clock.now();
        world.start_vault();
        // Send no request: the registries must resume by themselves. All of them have one minute.
        let left = back.plus(MINUTE).since(clock.now());
        let equal = clock.until(left, || truths.values().all(|truth| truth.is_in_kv(&world)));
        let different: Vec<String> = truths.values().flat_map(|truth| truth.different_in_kv(&world)).collect();
        assert!(equal.is_some(), "round {round}: KV is not what the registries are after a minute: {different:#?}");
        slowest = slowest.max(clock.now().since(back));
        for truth in truths.values() {
            truth.expect_same(world.vault());
        }
        for writer in &mut writers {
            again += writer.send_again(&world, &truths[&writer.workspace()]);
            writer.check_sessions(&world);
            known = known.max(writer.check_calls(&mut world.caller(1), clock));
        }
    }
    // The repeated requests of the last round have made nothing twice, either.
    for workspace in workspaces {
        Truth::read(world.vault(), workspace);
    }
    let changes: usize = writers.iter().map(Writer::acknowledged).sum();
    let found = format!(
        "{rounds}, {changes} acknowledged changes, {cut} that were done without an answer; none lost, torn or \
         without its line, {again} sent again and not done again; KV equal to the registries after {slowest} ms at most, edges after \
         {known} ms more; {passed} calls passed with a quota of {QUOTA}"
    );
    report("crashes", &found);
    assert!(changes > rounds * LIFE.end / 4, "there was too little to lose");
    assert!(cut > 0, "no change was cut off: nothing was shown");
    assert!(again > rounds, "hardly anything was sent again");
    assert!(passed <= QUOTA, "a crash gave back what was used up");
}

/// Calls in a loop, and returns the number of calls that passed.
fn use_up(mut caller: EdgeClient, request: &VerifyRequest, stop: &AtomicBool) -> u32 {
    let mut passed = 0;
    while !stop.load(Ordering::Relaxed) {
        passed += u32::from(caller.code(request) == "VALID");
    }
    passed
}
