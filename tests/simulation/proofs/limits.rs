//! Rate limits and quotas across isolates: no limit is ever exceeded, and a quota is used up
//! exactly.

use crate::{figures::report, size::size};
use ownchat_domain::{
    key::NewKey,
    limit::{Period, Quota, RateLimit},
    time::{SECOND, Timestamp},
    vault::{Object, meter::ClearMeter, registry::ChangeKey},
};
use ownchat_runtime::{Admin, new_key};
use ownchat_simulation::{Clock, EdgeClient, Fault, Latency, Load, VerifyRequest, World, WorldConfig};
use serde_json::json;
use std::{sync::Barrier, thread};

const EDGES: usize = 4;

#[test]
fn a_quota_is_used_up_exactly() {
    const QUOTA: u32 = 500;
    const CALLS: usize = 1_000;
    for round in 0..size(2, 20) {
        // All calls share the processors of this machine, so they get ten times as long.
        let world = World::start(&WorldConfig {
            load: Load::Quarters(4),
            edges: EDGES,
            factor: 0.1,
            seed: round,
            ..WorldConfig::default()
        });
        let quota = Some(Quota { limit: QUOTA, period: Period::Month });
        let key = NewKey { quota, ..new_key("Limited", &["contacts:read"]) };
        let request = VerifyRequest::of(&world.found(1).create(key).unwrap().unwrap().token);
        let (ready, request) = (Barrier::new(CALLS), &request);
        let codes: Vec<String> = thread::scope(|scope| {
            let call = |number: usize| {
                let (mut caller, ready) = (world.caller(number % EDGES), &ready);
                scope.spawn(move || {
                    ready.wait();
                    caller.code(request)
                })
            };
            let callers: Vec<_> = (0..CALLS).map(call).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let count = |code: &str| codes.iter().filter(|other| *other == code).count();
        let (passed, refused) = (count("VALID"), count("QUOTA_EXCEEDED"));
        let found = format!("{CALLS} calls at once to {EDGES} edges: {passed} passed, {refused} were refused");
        report(&format!("quota of {QUOTA}"), &found);
        assert_eq!((passed, refused), (500, 500), "{codes:?}");
    }
}

/// A lease that arrives late or never is not lost: any caller can spend its permits afterwards.
#[test]
fn nothing_of_a_quota_is_lost_on_the_way() {
    const QUOTA: usize = 30;
    let world = World::start(&WorldConfig { edges: 2, factor: 1.0, ..WorldConfig::default() });
    let rate_limit = Some(RateLimit { limit: 1_000, window_seconds: 1 });
    let quota = Some(Quota { limit: 30, period: Period::Month });
    let key = NewKey { rate_limit, quota, ..new_key("Limited", &["contacts:read"]) };
    let request = VerifyRequest::of(&world.found(1).create(key).unwrap().unwrap().token);
    let mut callers = world.callers();
    let mut passed = 0;
    let mut call = |caller: &mut EdgeClient| {
        let code = caller.code(&request);
        assert!(["VALID", "QUOTA_EXCEEDED", "UNAVAILABLE"].contains(&code.as_str()), "{code}");
        passed += usize::from(code == "VALID");
        code
    };
    // A lease of this rate lasts 0.5 s; the edges wait 2 s for it.
    for fault in [Fault::Slow(700), Fault::Slow(2_500), Fault::Lost] {
        assert_eq!(call(&mut callers[0]), "VALID");
        world.wire.fail("meter", fault);
        for caller in &mut callers {
            assert_eq!(call(caller), "UNAVAILABLE", "{fault:?}");
        }
        world.wire.repair();
    }
    // An edge returns permits again within a few seconds if the first attempt fails.
    world.clock.wait(10 * SECOND);
    while call(&mut callers[1]) != "QUOTA_EXCEEDED" {}
    report("quota with leases that came late or never", &format!("{passed} of {QUOTA} passed"));
    assert_eq!(passed, QUOTA, "{}", world.logs());
}

/// A caller that hangs up while a meter is called loses no permits: the edge returns them later.
#[test]
fn nothing_of_a_quota_is_lost_by_hanging_up() {
    const QUOTA: usize = 30;
    let world = World::start(&WorldConfig { factor: 1.0, ..WorldConfig::default() });
    let quota = Some(Quota { limit: 30, period: Period::Month });
    let token =
        world.found(1).create(NewKey { quota, ..new_key("Limited", &["contacts:read"]) }).unwrap().unwrap().token;
    let (request, dear) = (VerifyRequest::of(&token), VerifyRequest::with(&token, &json!({"cost": 20})));
    let mut caller = world.caller(0);
    assert_eq!(caller.settled(&request, world.clock), "VALID", "{}", world.logs());
    // So soon after the first call the edge leases spare permits. All attempts to return them fail.
    assert_eq!(caller.code(&request), "VALID");
    world.wire.fail("meter", Fault::Error);
    world.clock.wait(12 * SECOND);
    world.wire.fail("meter", Fault::Slow(2_500));
    let asked = world.wire.asked("meter");
    let connection = caller.begin(&dear);
    assert!(world.clock.until(10 * SECOND, || world.wire.asked("meter") > asked).is_some());
    drop(connection);
    // The edge no longer waits for the meter then.
    world.clock.wait(3 * SECOND);
    world.wire.repair();
    world.clock.wait(10 * SECOND);
    let passed = 2 + (0..2 * QUOTA).filter(|_| caller.code(&request) == "VALID").count();
    report("quota of whoever hangs up", &format!("{passed} of {QUOTA} passed"));
    assert_eq!(passed, QUOTA, "{}", world.logs());
}

/// A purged key leaves nothing in its meter. The object works again if it is called later.
#[test]
fn a_meter_that_was_cleared_begins_anew() {
    let world = World::start(&WorldConfig { wire: Latency::NONE, ..WorldConfig::default() });
    let quota = Some(Quota { limit: 2, period: Period::Month });
    let mut admin = world.found(1);
    let made = admin.create(NewKey { quota, ..new_key("Limited", &["contacts:read"]) }).unwrap().unwrap();
    let request = VerifyRequest::of(&made.token);
    let mut caller = world.caller(0);
    for _ in 0..2 {
        let codes = [(); 3].map(|()| caller.settled(&request, world.clock));
        assert_eq!(codes, ["VALID", "VALID", "QUOTA_EXCEEDED"], "{}", world.logs());
        admin.ask_object(Object::Meter(made.id()), &ClearMeter {}).unwrap().unwrap();
        // The edge repeats the refusal for a moment.
        world.clock.wait(SECOND);
    }
}

/// A lost workspace is restored from a file with a smaller quota than it had since. The use before
/// the loss still counts.
#[test]
fn used_quota_stays_used_after_a_loss() {
    let mut world = World::start(&WorldConfig { factor: 4.0, wire: Latency::NONE, ..WorldConfig::default() });
    let quota = Some(Quota { limit: 10, period: Period::Month });
    let mut admin = world.found(1);
    let made = admin.create(NewKey { quota, ..new_key("Limited", &["contacts:read"]) }).unwrap().unwrap();
    let file = admin.export();
    let request = VerifyRequest::of(&made.token);
    let mut caller = world.caller(0);
    let set_quota = |admin: &mut Admin, limit: u32| {
        let patch = serde_json::from_value(json!({"quota": {"limit": limit}})).unwrap();
        admin.ask(&ChangeKey { origin: admin.origin(), id: made.id(), version: 1, patch }).unwrap().unwrap();
    };
    let mut passed = |world: &World| {
        // Wait until neither an edge nor the meter decides by an older record.
        world.clock.wait(20 * SECOND);
        (0..12).filter(|_| caller.settled(&request, world.clock) == "VALID").count()
    };
    set_quota(&mut admin, 20);
    assert_eq!(passed(&world), 12, "of 20\n{}", world.logs());
    world.lose_registries();
    world.start_vault();
    let mut admin = world.found(1);
    admin.import(&file).unwrap().unwrap();
    assert_eq!(passed(&world), 0, "12 of 10 were used\n{}", world.logs());
    set_quota(&mut admin, 15);
    assert_eq!(passed(&world), 3, "of 15\n{}", world.logs());
    report("quota after a loss", "what was used before counts");
}

/// A call as its caller saw it.
#[derive(Clone)]
struct Call {
    sent: Timestamp,
    answered: Timestamp,
    code: String,
}

impl Call {
    fn passed(&self) -> bool {
        self.code == "VALID"
    }
}

/// Minimum duration of the calls, in milliseconds, so that the cut-off at the end hardly counts.
const LONG_ENOUGH: i64 = 30 * SECOND;
/// Most `UNAVAILABLE` responses of a hundred calls.
const UNAVAILABLE_MAX: usize = 5;

#[test]
fn no_window_of_ten_seconds_sees_more_than_the_rate_limit() {
    exceed(50, 10, 8);
}

#[test]
fn no_window_of_two_seconds_sees_more_than_the_rate_limit() {
    exceed(20, 2, 8);
}

#[test]
fn no_window_of_twenty_seconds_sees_more_than_the_rate_limit() {
    exceed(300, 20, 4);
}

/// Calls three times as often as allowed, and checks every window.
fn exceed(limit: u32, window_seconds: u32, callers: usize) {
    let world =
        World::start(&WorldConfig { load: Load::Quarters(2), edges: EDGES, factor: 4.0, ..WorldConfig::default() });
    let rate = RateLimit { limit, window_seconds };
    let key = NewKey { rate_limit: Some(rate), ..new_key("Limited", &["contacts:read"]) };
    let request = VerifyRequest::of(&world.found(1).create(key).unwrap().unwrap().token);
    let window = i64::from(window_seconds) * SECOND;
    let end = world.clock.now().plus((window * size(4, 40)).max(LONG_ENOUGH));
    let mut calls: Vec<Call> = thread::scope(|scope| {
        let (clock, request) = (world.clock, &request);
        let start = |number: usize| {
            let caller = world.caller(number % EDGES);
            // Three times as many as allowed.
            let pause = window * i64::try_from(callers).unwrap() / i64::from(limit * 3);
            scope.spawn(move || call(caller, clock, request, pause, end))
        };
        let callers: Vec<_> = (0..callers).map(start).collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    calls.sort_by_key(|call| call.sent);
    let most = busiest(&calls, window);
    let count = |code: &str| calls.iter().filter(|call| call.code == code).count();
    let (passed, unavailable, possible) = (count("VALID"), count("UNAVAILABLE"), perfect(&calls, limit, window));
    let share = 100 * possible.saturating_sub(passed) / possible;
    let found = format!(
        "{} calls, {passed} passed, at most {most} in any window; \
         a limiter that knew everything at once would have passed {possible}: {share} % were wrongly refused; \
         {unavailable} were told UNAVAILABLE",
        calls.len()
    );
    report(&format!("{limit} in {window_seconds} s"), &found);
    let limit = usize::try_from(limit).unwrap();
    assert!(most <= limit, "{most} passed within {window_seconds} s");
    assert!(100 * unavailable <= UNAVAILABLE_MAX * calls.len(), "{unavailable} were told UNAVAILABLE");
    let least = least(possible, window);
    assert!(passed + limit >= least, "{passed} passed, and {least} should have, but for one window at the end");
}

fn call(mut caller: EdgeClient, clock: Clock, request: &VerifyRequest, pause: i64, end: Timestamp) -> Vec<Call> {
    let mut calls = Vec::new();
    while clock.now() < end {
        let sent = clock.now();
        let code = caller.code(request);
        let answered = clock.now();
        // A meter may exceed the edge's timeout on a busy machine.
        assert!(["VALID", "RATE_LIMITED", "UNAVAILABLE"].contains(&code.as_str()), "{code}");
        calls.push(Call { sent, answered, code });
        clock.wait(pause - answered.since(sent));
    }
    calls
}

/// Calls that a key always at its limit is sure to get, out of `possible`. The share is
/// `w / (w + l)`. A lease `l` lasts a quarter of the window `w`, at least 0.5 s and at most 2 s.
fn least(possible: usize, window: i64) -> usize {
    let lease = (window / 4).clamp(500, 2_000);
    possible * usize::try_from(window).unwrap() / usize::try_from(window + lease).unwrap()
}

/// Most calls that certainly passed within one window: sent after its start, answered before its
/// end.
fn busiest(calls: &[Call], window: i64) -> usize {
    let passed: Vec<&Call> = calls.iter().filter(|call| call.passed()).collect();
    let within = |first: &Call| {
        let end = first.sent.plus(window);
        passed.iter().filter(|call| call.sent >= first.sent && call.answered < end).count()
    };
    passed.iter().map(|first| within(first)).max().unwrap_or(0)
}

/// Calls that an ideal limiter accepts. It sees every call at once, in the order of sending.
fn perfect(calls: &[Call], limit: u32, window: i64) -> usize {
    let mut passed: Vec<Timestamp> = Vec::new();
    for call in calls {
        let recent = passed.iter().rev().take_while(|at| call.sent.since(**at) < window).count();
        if recent < usize::try_from(limit).unwrap() {
            passed.push(call.sent);
        }
    }
    passed.len()
}
