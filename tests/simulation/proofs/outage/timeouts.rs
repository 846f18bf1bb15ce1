//! Timeouts of the edge for slow stores, and the end of an outage grace period.

use super::{
    break_down,
    keys::{KeyKind, OutageKeys},
    repair,
};
use crate::figures::report;
use ownchat_domain::{
    time::SECOND,
    vault::{record_path, registry::ChangeSettings},
};
use ownchat_runtime::Admin;
use ownchat_simulation::{Fault, Latency, VerifyRequest, World, WorldConfig};

/// Timeout of the edge for each store (`worker/edge/src/timeouts.rs`), in milliseconds.
const WAITS: [(&str, i64); 4] = [("kv", 1_000), ("feed", 1_000), ("meter", 2_000), ("registry", 3_000)];

/// A store that responds just before the timeout is not down: everything passes without a fallback.
#[test]
fn a_response_just_before_the_timeout_is_used() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    // A lower factor than elsewhere, so that it is in time on a busy machine.
    let world = World::start(&WorldConfig { factor: 2.0, staleness: 0, kv, wire, ..WorldConfig::default() });
    let (mut strict, mut tolerant) = (world.found(1), world.found(2));
    for (store, wait) in WAITS {
        let subjects = OutageKeys::make(&world, &mut strict, &mut tolerant);
        let mut caller = world.caller(0);
        subjects.warm_up(&world, &mut caller);
        let late = wait * 4 / 5;
        break_down(&world, &[store], Fault::Slow(late));
        // Nothing is fresh afterwards, and no permit is held.
        world.clock.wait(6 * SECOND);
        for subject in &subjects.all {
            let (kind, id) = (subject.kind, subject.made.id());
            let path = record_path(if kind.tolerates_outages() { tolerant.workspace } else { strict.workspace }, id);
            let before = world.wire.asked_at(&path);
            let code = caller.code(&subject.request);
            assert_eq!(code, "VALID", "{store} late by {late} ms: {kind:?}\n{}", world.logs());
            let asked = world.wire.asked_at(&path) - before;
            assert_eq!(asked, u64::from(kind == KeyKind::RegistryOnly), "{store} late by {late} ms: {kind:?}");
        }
        report(&format!("{store} late by {late} ms"), "everything passes, and nobody is asked in its place");
        repair(&world);
    }
}

/// The end of an outage grace period takes something from every holder of a key. Edges with a
/// cached key must learn of it, though nothing else has changed. Without the feed they do not.
#[test]
fn less_patience_with_an_outage_is_heard_of_in_time() {
    for (heard, expected) in [(false, "VALID"), (true, "UNAVAILABLE")] {
        let (kv, wire) = (Latency::NONE, Latency::NONE);
        let world = World::start(&WorldConfig { staleness: 0, kv, wire, ..WorldConfig::default() });
        let mut admin = world.found(1);
        let set = |admin: &mut Admin, version, seconds| {
            let outage_seconds = Some(seconds);
            let origin = admin.origin();
            let call = ChangeSettings { origin, version, suspended: None, outage_seconds, reason: None };
            admin.ask(&call).unwrap().unwrap().effective_at
        };
        set(&mut admin, 1, 60);
        let request = VerifyRequest::of(&admin.make("remembered", &["contacts:read"]).token);
        let mut caller = world.caller(0);
        assert_eq!(caller.settled(&request, world.clock), "VALID", "{}", world.logs());
        world.wire.drop_feed_entries(!heard);
        let effective_at =
            set(&mut admin, 2, 0).expect("the vault does not know that this takes something from everybody");
        // Calls never pause. The last one before the outage comes after the change has taken
        // effect.
        while world.clock.now() <= effective_at {
            assert_eq!(caller.settled(&request, world.clock), "VALID");
            world.clock.wait(SECOND / 2);
        }
        assert_eq!(caller.settled(&request, world.clock), "VALID");
        break_down(&world, &["feed", "registry"], Fault::Error);
        world.clock.wait(6 * SECOND);
        for _ in 0..3 {
            assert_eq!(caller.code(&request), expected, "heard of: {heard}\n{}", world.logs());
        }
    }
}
