//! Nothing that was acknowledged is lost, torn or without its line in the trail when the vault is killed in the
//! middle of its work; and KV is what the registry is within a minute after it is back.

mod beginning;
mod check;
mod writer;

use crate::{figures::tell, proofs, size::size};
use beginning::a_beginning_that_was_cut_off_is_whole_or_made_again;
use check::Truth;
use ownchat_domain::{
    key::NewKey,
    limit::{Period, Quota},
    time::MINUTE,
};
use ownchat_runtime::new_key;
use ownchat_simulation::{Caller, Question, Settings, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};
use writer::Writer;

proofs![nothing_acknowledged_is_lost_in_a_crash, a_beginning_that_was_cut_off_is_whole_or_made_again];

/// Each writes into a workspace, two into the same one.
const WRITERS: u32 = 6;
/// How many changes the vault has acknowledged in a round when it is killed; at least as many are under way.
const LIFE: Range<usize> = 1..120;
/// A key whose use is counted across all crashes.
const QUOTA: u32 = 200;

fn nothing_acknowledged_is_lost_in_a_crash() {
    let rounds = size(20, 200);
    let mut random = SmallRng::seed_from_u64(3);
    let mut world = World::start(&Settings { edges: 2, factor: 3.0, ..Settings::default() });
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::begin(&world, number)).collect();
    let quota = Some(Quota { limit: QUOTA, period: Period::Month });
    let limited = NewKey { quota, ..new_key("Limited", &["contacts:read"]) };
    let limited = Question::about(&world.found(99).create(limited).unwrap().unwrap().token);
    let (mut changes, mut cut, mut passed, mut slowest, mut known) = (0, 0, 0, 0, 0);
    for round in 0..rounds {
        let (stop, vault, done) = (AtomicBool::new(false), world.vault(), AtomicUsize::new(0));
        let (life, moment) = (random.random_range(LIFE), random.random_range(0..20));
        passed += thread::scope(|scope| {
            let calls = scope.spawn(|| use_up(world.caller(0), &limited, &stop));
            let running: Vec<_> =
                writers.iter_mut().map(|writer| scope.spawn(|| writer.write_until_cut_off(vault, &done))).collect();
            let worked = world.clock.until(10 * MINUTE, || done.load(Ordering::Relaxed) >= life);
            assert!(worked.is_some(), "the vault does nothing\n{}", world.logs());
            world.clock.wait(moment);
            world.crash_vault();
            for writer in running {
                writer.join().unwrap();
            }
            stop.store(true, Ordering::Relaxed);
            calls.join().unwrap()
        });
        world.start_vault();
        let back = world.clock.now();
        // First without a word to the registry: it must go on by itself.
        for writer in &writers {
            let waited = world.clock.until(MINUTE, || writer.kv_has_what_was_acknowledged(&world));
            assert!(waited.is_some(), "round {round}: KV lacks an acknowledged change\n{}", world.logs());
        }
        for workspace in writers.iter().map(Writer::workspace).collect::<BTreeSet<_>>() {
            let truth = Truth::read(&world, workspace);
            for writer in writers.iter_mut().filter(|writer| writer.workspace() == workspace) {
                cut += writer.compare(&truth);
            }
            let left = MINUTE - world.clock.now().since(back);
            let equal = world.clock.until(left, || truth.is_in_kv(&world));
            let different = truth.different_in_kv(&world);
            assert!(equal.is_some(), "round {round}: KV is not what the registry is after a minute: {different:?}");
        }
        slowest = slowest.max(world.clock.now().since(back));
        for writer in &writers {
            writer.check_sessions(&world);
            known = known.max(writer.check_calls(&mut world.caller(1), world.clock));
        }
        changes = writers.iter().map(Writer::acknowledged).sum();
    }
    let found = format!(
        "{rounds}, {changes} acknowledged changes, {cut} that were done without an answer; none lost, torn or \
         without its line; KV equal to the registry after {slowest} ms at most, edges after {known} ms more; {passed} calls passed with a quota of {QUOTA}"
    );
    tell("crashes", &found);
    assert!(changes > rounds * LIFE.end / 4, "there was too little to lose");
    assert!(passed <= QUOTA, "a crash gave back what was used up");
}

/// Calls all the time, and says how many calls passed.
fn use_up(mut caller: Caller, question: &Question, stop: &AtomicBool) -> u32 {
    let mut passed = 0;
    while !stop.load(Ordering::Relaxed) {
        passed += u32::from(caller.code(question) == "VALID");
    }
    passed
}
