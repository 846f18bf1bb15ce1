//! Every call with a key is counted once, whatever happens to the counts on their way.

use crate::{figures::tell, proofs, size::size};
use ownchat_domain::{
    locator::Locator,
    time::{MINUTE, SECOND},
    vault::{
        Object,
        registry::ChangeKey,
        usage::{ReadUsage, UsageQuery},
    },
    verdict::Code,
};
use ownchat_runtime::Admin;
use ownchat_simulation::{Caller, Fault, Latency, Question, Settings, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

proofs![usage_is_what_was_called];

const EDGES: usize = 4;
const WORKSPACES: u32 = 2;
const KEYS: usize = 6;

/// Calls by key and outcome.
type Calls = BTreeMap<(String, u8), u64>;

/// A call with one of the keys.
struct Subject {
    id: Locator,
    question: Question,
}

fn usage_is_what_was_called() {
    let (kv, wire) = (Latency::NONE, Latency::OBJECT);
    let world = World::start(&Settings { edges: EDGES, kv, wire, ..Settings::default() });
    let mut admins: Vec<Admin> = (1..=WORKSPACES).map(|number| world.found(number)).collect();
    let subjects: Vec<Subject> = admins.iter_mut().flat_map(subjects).collect();
    let count = size(100_000, 1_000_000);
    let stop = AtomicBool::new(false);
    let called = thread::scope(|scope| {
        let (subjects, stop, world) = (&subjects, &stop, &world);
        let callers: Vec<_> = world
            .callers()
            .into_iter()
            .zip(0..)
            .map(|(caller, seed)| scope.spawn(move || call(caller, subjects, count / EDGES, seed)))
            .collect();
        // Meanwhile the way to the counts breaks now and then: before they are taken in, and after.
        let trouble = scope.spawn(move || {
            for fault in [Fault::Error, Fault::Cut, Fault::Lost, Fault::Slow(2 * SECOND)].into_iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                world.wire.fail("usage", fault);
                world.clock.wait(2 * SECOND);
                world.wire.mend();
                world.clock.wait(8 * SECOND);
            }
        });
        let mut called = Calls::new();
        for caller in callers {
            for (cell, calls) in caller.join().unwrap() {
                *called.entry(cell).or_default() += calls;
            }
        }
        stop.store(true, Ordering::Relaxed);
        trouble.join().unwrap();
        called
    });
    let mut counted = Calls::new();
    let drained = world.clock.until(2 * MINUTE, || {
        counted = admins.iter_mut().flat_map(|admin| read(admin, &subjects)).collect();
        counted == called
    });
    let (calls, questions) = (called.values().sum::<u64>(), world.wire.asked("usage"));
    tell(
        "usage",
        &format!("{calls} calls of {EDGES} edges, {questions} questions to the counts: equal after {drained:?} ms"),
    );
    assert_eq!(counted, called, "{}", world.logs());
}

/// Keys of one workspace; some calls with them are refused.
fn subjects(admin: &mut Admin) -> Vec<Subject> {
    (0..KEYS)
        .map(|number| {
            let made = admin.make("Counted", &["contacts:read"]);
            if number == 0 {
                let patch = serde_json::from_value(json!({"status": "inactive"})).unwrap();
                let call = ChangeKey { origin: admin.origin(), id: made.id(), version: 1, patch };
                admin.ask(&call).unwrap().unwrap();
            }
            let scope = if number == 1 { "messages:send" } else { "contacts:read" };
            Subject { id: made.id(), question: Question::with(&made.token, &json!({"scopes": [scope]})) }
        })
        .collect()
}

fn call(mut caller: Caller, subjects: &[Subject], count: usize, seed: u64) -> Calls {
    let (mut random, mut calls) = (SmallRng::seed_from_u64(seed), Calls::new());
    for _ in 0..count {
        let subject = &subjects[random.random_range(0..subjects.len())];
        let code = caller.code(&subject.question);
        // Of what is unavailable nobody knows whose it is.
        if code != Code::Unavailable.as_str() {
            let number = Code::ALL.iter().find(|known| known.as_str() == code).unwrap().number();
            *calls.entry((subject.id.to_string(), number)).or_default() += 1;
        }
    }
    calls
}

fn read(admin: &mut Admin, subjects: &[Subject]) -> Calls {
    let mut calls = Calls::new();
    for subject in subjects {
        let call = ReadUsage { key: Some(subject.id), query: UsageQuery::default() };
        let series = admin.ask_object(Object::Usage(admin.workspace), &call).unwrap().unwrap();
        for (outcome, count) in series.points.iter().flat_map(|point| &point.outcomes) {
            *calls.entry((subject.id.to_string(), *outcome)).or_default() += count;
        }
    }
    calls
}
