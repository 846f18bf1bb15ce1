//! Fast path: one call of `decide` decides every request with a cached key or a malformed one. It
//! waits for nothing, and the edge reads the feed in the background.

mod counts;
mod kinds;

use crate::{figures::report, size::size};
use counts::{CallCounts, counting};
use kinds::{CallKind, kinds};
use ownchat_domain::{feed::FRESH_FOR, time::MINUTE};
use ownchat_simulation::{EdgeClient, Latency, Load, World, WorldConfig};

/// Consecutive calls of one kind.
const IN_A_ROW: u64 = 50;
/// Minimum duration of the calls, in milliseconds: more than twice the time that a read of the feed
/// stays fresh.
const LONG_ENOUGH: i64 = 2 * FRESH_FOR + 1;

#[test]
fn a_cached_key_is_decided_in_one_synchronous_call() {
    let (kv, wire) = (Latency::NONE, Latency::OBJECT);
    let mut world =
        World::start(&WorldConfig { load: Load::Quarters(3), factor: 1.0, kv, wire, ..WorldConfig::default() });
    world.start_edge_as(0, counting);
    let (kinds, mut caller) = (kinds(&world), world.caller(0));
    for kind in &kinds {
        let settled = world.clock.until(MINUTE, || kind.call(&mut caller) == kind.code);
        assert!(settled.is_some(), "{}: {}\n{}", kind.name, kind.call(&mut caller), world.logs());
    }
    // Warm up: the edge learns the use of a limit only after a while.
    for kind in &kinds {
        call(kind, &mut caller);
    }
    let asked = || ["feed", "meter", "registry"].map(|store| world.wire.asked(store));
    let (count, begin, asked_before, kv) = (size(400, 10_000), world.clock.now(), asked(), world.kv.counts_of(0));
    let mut all = vec![CallCounts::default(); kinds.len()];
    while all[0].calls < count || world.clock.now().since(begin) < LONG_ENOUGH {
        for (kind, counts) in kinds.iter().zip(&mut all) {
            *counts = *counts + call(kind, &mut caller);
        }
    }
    let passed = world.clock.now().since(begin);
    let [feed, meter, registry] = std::array::from_fn(|store| asked()[store] - asked_before[store]);
    let [unlimited, limited] = [false, true].map(|is_limited| {
        let of = kinds.iter().zip(&all).filter(|(kind, _)| kind.holds.is_some() == is_limited);
        of.fold(CallCounts::default(), |sum, (_, counts)| sum + *counts)
    });
    let found = format!(
        "{} kinds, {} calls of each in {passed} ms, beside which the feed was read {feed} times: {} of {} calls without limits \
         waited, and {} of {} with limits, for {meter} questions to meters",
        kinds.len(),
        all[0].calls,
        unlimited.looked_up,
        unlimited.calls,
        limited.looked_up,
        limited.calls,
    );
    report("calls that are decided at once", &found);
    for (kind, counts) in kinds.iter().zip(&all) {
        expect(kind, *counts, passed);
    }
    assert!(limited.looked_up <= meter, "calls waited for something else than a meter");
    assert_eq!((registry, world.kv.counts_of(0)), (0, kv), "something was not remembered");
}

/// Makes consecutive calls of one kind, and returns their counts.
fn call(kind: &CallKind, caller: &mut EdgeClient) -> CallCounts {
    let before = CallCounts::read(caller);
    for _ in 0..IN_A_ROW {
        assert_eq!(kind.call(caller), kind.code, "{}", kind.name);
    }
    CallCounts::read(caller) - before
}

/// Checks the counts of one kind of call, made within `passed` milliseconds.
fn expect(kind: &CallKind, counts: CallCounts, passed: i64) {
    let CallCounts { calls, promised, asked, decided, looked_up } = counts;
    let most = kind.holds.map_or(0, |holds| passed / holds + 1);
    let told = format!("{}: {counts:?}", kind.name);
    assert_eq!((asked, decided + looked_up), (calls, calls), "{told}");
    assert!(looked_up <= u64::try_from(most).unwrap(), "{most} may wait, {told}");
    assert!(!kind.is_plain() || promised == looked_up, "waited outside of the compiled code, {told}");
}
