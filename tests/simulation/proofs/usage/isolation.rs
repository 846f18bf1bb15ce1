//! Isolation of usage counts: faults of one workspace do not delay another, and its calls are
//! counted later.

use crate::figures::report;
use ownchat_domain::{
    key::NewKey,
    limit::{Period, Quota},
    time::{MINUTE, SECOND},
    vault::{
        Object,
        usage::{ReadUsage, UsageQuery},
    },
    verdict::Code,
};
use ownchat_runtime::{Admin, new_key};
use ownchat_simulation::{EdgeClient, Fault, Latency, VerifyRequest, World, WorldConfig};

/// Longest time until a call is counted, in milliseconds: counts are flushed within 2 s of a
/// response. A round trip and a busy machine come on top.
const COUNTED_WITHIN: i64 = 4 * SECOND;
/// Time after which an isolate has stopped its retries, in milliseconds.
const LONG: i64 = 25 * SECOND;
const CALLS: u64 = 20;
const QUOTA: Quota = Quota { limit: 100, period: Period::Day };

/// A workspace, a request with one of its keys, and the number of calls.
struct CalledWorkspace {
    admin: Admin,
    request: VerifyRequest,
    calls: u64,
}

impl CalledWorkspace {
    fn make(world: &World, number: u32) -> Self {
        let mut admin = world.found(number);
        let request = VerifyRequest::of(&admin.make("Counted", &["contacts:read"]).token);
        Self { admin, request, calls: 0 }
    }

    fn call(&mut self, world: &World, caller: &mut EdgeClient) {
        assert_eq!(caller.settled(&self.request, world.clock), "VALID");
        self.calls += 1;
    }

    fn is_counted(&mut self) -> bool {
        let call = ReadUsage { key: None, query: UsageQuery::default() };
        let series = self.admin.ask_object(Object::Usage(self.admin.workspace), &call).unwrap().unwrap();
        let outcomes = series.points.iter().flat_map(|point| &point.outcomes);
        let valid = outcomes.filter(|(outcome, _)| *outcome == Code::Valid.number());
        valid.map(|(_, count)| count).sum::<u64>() == self.calls
    }
}

#[test]
fn uncounted_calls_of_one_workspace_hold_up_no_other() {
    let (kv, wire) = (Latency::NONE, Latency::OBJECT);
    let world = World::start(&WorldConfig { factor: 4.0, kv, wire, ..WorldConfig::default() });
    let [mut broken, mut whole] = [1, 2].map(|number| CalledWorkspace::make(&world, number));
    let mut caller = world.caller(0);
    let mut slowest = 0;
    for fault in [Fault::Error, Fault::Cut, Fault::Slow(MINUTE)] {
        world.wire.fail("usage/1", fault);
        for pause in [LONG, 0] {
            for _ in 0..CALLS {
                broken.call(&world, &mut caller);
                whole.call(&world, &mut caller);
            }
            let counted = world.clock.until(COUNTED_WITHIN, || whole.is_counted());
            slowest = slowest.max(counted.unwrap_or_else(|| panic!("{fault:?} of one workspace keeps another")));
            world.clock.wait(pause);
        }
        assert!(!broken.is_counted(), "{fault:?} has kept nothing from being counted");
        world.wire.repair();
        // An isolate that has stopped its retries resumes with its next call, for any workspace.
        whole.call(&world, &mut caller);
        let counted = world.clock.until(MINUTE, || broken.is_counted() && whole.is_counted());
        assert!(counted.is_some(), "{fault:?} has lost what was counted\n{}", world.logs());
    }
    // A meter that does not respond delays no counts, either.
    let limited = world.found(3).create(NewKey { quota: Some(QUOTA), ..new_key("Limited", &["contacts:read"]) });
    let limited = VerifyRequest::of(&limited.unwrap().unwrap().token);
    world.wire.fail("meter", Fault::Slow(MINUTE));
    for _ in 0..2 {
        assert_eq!(caller.code(&limited), "UNAVAILABLE");
        whole.call(&world, &mut caller);
        let counted = world.clock.until(COUNTED_WITHIN, || whole.is_counted());
        slowest = slowest.max(counted.expect("a meter keeps calls from being counted"));
    }
    report("usage of one workspace down", &format!("calls of another are counted within {slowest} ms"));
}
