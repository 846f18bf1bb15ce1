//! Outages: stores that fail, break the connection, or exceed the edge's timeout. The responses are
//! those of the table in `app/docs/operate/outages.md`, and no call passes that must be refused.

mod patience;
mod subjects;

use crate::{figures::tell, size::size};
use ownchat_domain::{
    time::{SECOND, Timestamp},
    vault::registry::ChangeSettings,
};
use ownchat_simulation::{Caller, Fault, Latency, Question, Settings, World};
use subjects::{Kind, Never, Subjects};

/// Faults of a store.
const FAULTS: [Fault; 3] = [Fault::Error, Fault::Cut, Fault::Slow(30 * SECOND)];
/// Longest response time under any fault, in milliseconds: far less than the slow store takes.
const PATIENCE: i64 = 12 * SECOND;
/// Outage grace period of the forgiving workspace, in seconds.
const FORGIVING: u32 = 90;
/// Number of calls with a key that passes, and with one that does not.
const CALLS: (usize, usize) = (10, 3);
/// Most `UNAVAILABLE` responses in one outage to calls that pass by the table. A busy machine may
/// fail once without a reason.
const MISSED_MAX: usize = 1;

/// A row of that table: the stores that are down, and the keys that get `UNAVAILABLE`. All other
/// keys pass.
struct Row {
    down: &'static [&'static str],
    unavailable: &'static [Kind],
}

#[test]
fn without_kv_everything_passes() {
    expect(&Row { down: &["kv"], unavailable: &[] });
}

#[test]
fn without_the_feed_everything_passes() {
    expect(&Row { down: &["feed"], unavailable: &[] });
}

#[test]
fn without_the_registry_cached_and_replicated_keys_pass() {
    expect(&Row { down: &["registry"], unavailable: &[Kind::Neither] });
}

#[test]
fn without_feed_and_registry_cached_keys_pass_if_tolerated() {
    let unavailable =
        &[Kind::ForgivingCopied, Kind::Remembered, Kind::Copied, Kind::Neither, Kind::RateLimited, Kind::WithQuota];
    expect(&Row { down: &["feed", "registry"], unavailable });
}

#[test]
fn without_meters_keys_without_limits_pass() {
    let unavailable = &[Kind::ForgivingLimited, Kind::RateLimited, Kind::WithQuota];
    expect(&Row { down: &["meter"], unavailable });
}

#[test]
fn without_counts_everything_passes() {
    expect(&Row { down: &["usage"], unavailable: &[] });
}

impl Row {
    /// Returns true if the edges cannot learn of revocations.
    fn is_deaf(&self) -> bool {
        self.down == ["feed", "registry"]
    }

    fn passes(&self, kind: Kind) -> bool {
        !self.unavailable.contains(&kind)
    }

    /// Number of calls with a key. Without KV at least 99.9 % of those with a cached key pass.
    fn calls(&self, kind: Kind) -> usize {
        match kind {
            Kind::Remembered if self.down == ["kv"] => size(1_000, 10_000),
            // Each call waits for feed and registry, and the grace period ends.
            _ if self.passes(kind) && self.is_deaf() => CALLS.0 / 2,
            _ if self.passes(kind) => CALLS.0,
            _ => CALLS.1,
        }
    }
}

/// Injects each fault into the stores of a row, and calls with every key.
fn expect(row: &Row) {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&Settings { staleness: 0, kv, wire, ..Settings::default() });
    let (mut strict, mut forgiving) = (world.found(1), world.found(2));
    let outage_seconds = Some(FORGIVING);
    let call = ChangeSettings { origin: forgiving.origin(), version: 1, suspended: None, outage_seconds, reason: None };
    forgiving.ask(&call).unwrap().unwrap();
    for fault in FAULTS {
        let subjects = Subjects::make(&world, &mut strict, &mut forgiving);
        let mut caller = world.caller(0);
        subjects.warm_up(&world, &mut caller);
        break_down(&world, row.down, fault);
        let revoked_from = subjects.revoke(&world, [&mut strict, &mut forgiving]);
        // Nothing is fresh afterwards, and no permit is held.
        world.clock.wait(6 * SECOND);
        let mut outage =
            Outage { world: &world, row, caller: &mut caller, revoked_from, slowest: 0, passed: 0, missed: 0 };
        outage.expect(&subjects);
        outage.print(fault);
        mend(&world);
        subjects.expect_recovery(&world, &mut caller);
    }
}

/// One outage, as its callers see it.
struct Outage<'a> {
    world: &'a World,
    row: &'a Row,
    caller: &'a mut Caller,
    /// Effective time of the revocations, as the vault announced it.
    revoked_from: Timestamp,
    /// Longest response time, in milliseconds.
    slowest: i64,
    /// Calls that passed, and calls that should have but got `UNAVAILABLE`.
    passed: usize,
    missed: usize,
}

impl Outage<'_> {
    fn expect(&mut self, subjects: &Subjects) {
        let (passing, others): (Vec<_>, Vec<_>) =
            subjects.all.iter().partition(|subject| self.row.passes(subject.kind));
        for subject in passing.into_iter().chain(others) {
            let passes = self.row.passes(subject.kind);
            for _ in 0..self.row.calls(subject.kind) {
                let code = self.ask(&subject.question);
                let (down, kind) = (self.row.down, subject.kind);
                match code.as_str() {
                    "VALID" if passes => self.passed += 1,
                    "UNAVAILABLE" if passes => self.missed += 1,
                    "UNAVAILABLE" => {}
                    _ => panic!("{down:?} down: {kind:?} was told {code}\n{}", self.world.logs()),
                }
            }
            self.expect_refusals(&subject.never, &format!("{:?}", subject.kind));
        }
        self.expect_refusals(&subjects.spent, "a key");
        let [(_, strict), (_, forgiven)] = &subjects.revoked;
        self.expect_refusals([strict], "a key");
        if self.row.is_deaf() {
            let left = self.revoked_from.since(self.world.clock.now()) + self.world.clock.grain();
            self.world.clock.wait(left);
            for subject in &subjects.all {
                assert_eq!(self.ask(&subject.question), "UNAVAILABLE", "{:?}: forgiven for too long", subject.kind);
            }
        }
        self.expect_refusals([forgiven], "a key of a forgiving workspace");
    }

    fn expect_refusals<'c>(&mut self, calls: impl IntoIterator<Item = &'c Never>, whose: &str) {
        for call in calls {
            let code = self.ask(&call.question);
            let refused = code == call.code || code == "UNAVAILABLE";
            assert!(refused, "{:?} down: {whose}, {}: {code}", self.row.down, call.what);
        }
    }

    fn ask(&mut self, question: &Question) -> String {
        let sent = self.world.clock.now();
        let code = self.caller.code(question);
        let took = self.world.clock.now().since(sent);
        assert!(took < PATIENCE, "{:?} down: an answer came after {took} ms", self.row.down);
        self.slowest = self.slowest.max(took);
        code
    }

    fn print(&self, fault: Fault) {
        let found = format!(
            "as in the table; {} calls passed, {} that should have were told UNAVAILABLE; the slowest answer took {} ms",
            self.passed, self.missed, self.slowest
        );
        tell(&format!("{} down: {fault:?}", self.row.down.join(" and ")), &found);
        assert!(self.missed <= MISSED_MAX, "{found}\n{}", self.world.logs());
    }
}

fn break_down(world: &World, down: &[&'static str], fault: Fault) {
    for store in down {
        match *store {
            "kv" => world.kv.fail(None, fault),
            kind => world.wire.fail(kind, fault),
        }
    }
}

fn mend(world: &World) {
    world.kv.fail(None, Fault::None);
    world.kv.clear();
    world.wire.mend();
}
