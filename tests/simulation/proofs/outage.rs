//! Outages: stores that fail, break the connection, or exceed the edge's timeout. The responses are
//! those of the table in `app/docs/operate/outages.md`, and no call passes that must be refused.

mod keys;
mod timeouts;

use crate::{figures::report, size::size};
use keys::{KeyKind, OutageKeys, RefusedCall};
use ownchat_domain::{
    time::{SECOND, Timestamp},
    vault::registry::ChangeSettings,
};
use ownchat_simulation::{EdgeClient, Fault, Latency, VerifyRequest, World, WorldConfig};

/// Faults of a store.
const FAULTS: [Fault; 3] = [Fault::Error, Fault::Cut, Fault::Slow(30 * SECOND)];
/// Longest response time under any fault, in milliseconds: far less than the slow store takes.
const RESPONSE_LIMIT: i64 = 12 * SECOND;
/// Outage grace period of the tolerant workspace, in seconds.
const FORGIVING: u32 = 90;
/// Number of calls with a key that passes, and with one that does not.
const CALLS: (usize, usize) = (10, 3);
/// Most `UNAVAILABLE` responses in one outage to calls that pass by the table. A busy machine may
/// fail once without a reason.
const MISSED_MAX: usize = 1;

/// A row of that table: the stores that are down, and the keys that get `UNAVAILABLE`. All other
/// keys pass.
struct OutageCase {
    down: &'static [&'static str],
    unavailable: &'static [KeyKind],
}

#[test]
fn without_kv_everything_passes() {
    expect(&OutageCase { down: &["kv"], unavailable: &[] });
}

#[test]
fn without_the_feed_everything_passes() {
    expect(&OutageCase { down: &["feed"], unavailable: &[] });
}

#[test]
fn without_the_registry_cached_and_replicated_keys_pass() {
    expect(&OutageCase { down: &["registry"], unavailable: &[KeyKind::RegistryOnly] });
}

#[test]
fn without_feed_and_registry_cached_keys_pass_if_tolerated() {
    let unavailable = &[
        KeyKind::TolerantReplicated,
        KeyKind::Cached,
        KeyKind::Replicated,
        KeyKind::RegistryOnly,
        KeyKind::RateLimited,
        KeyKind::WithQuota,
    ];
    expect(&OutageCase { down: &["feed", "registry"], unavailable });
}

#[test]
fn without_meters_keys_without_limits_pass() {
    let unavailable = &[KeyKind::TolerantLimited, KeyKind::RateLimited, KeyKind::WithQuota];
    expect(&OutageCase { down: &["meter"], unavailable });
}

#[test]
fn without_counts_everything_passes() {
    expect(&OutageCase { down: &["usage"], unavailable: &[] });
}

impl OutageCase {
    /// Returns true if the edges cannot learn of revocations.
    fn hides_revocations(&self) -> bool {
        self.down == ["feed", "registry"]
    }

    fn passes(&self, kind: KeyKind) -> bool {
        !self.unavailable.contains(&kind)
    }

    /// Number of calls with a key. Without KV at least 99.9 % of those with a cached key pass.
    fn calls(&self, kind: KeyKind) -> usize {
        match kind {
            KeyKind::Cached if self.down == ["kv"] => size(1_000, 10_000),
            // Each call waits for feed and registry, and the grace period ends.
            _ if self.passes(kind) && self.hides_revocations() => CALLS.0 / 2,
            _ if self.passes(kind) => CALLS.0,
            _ => CALLS.1,
        }
    }
}

/// Injects each fault into the stores of a row, and calls with every key.
fn expect(row: &OutageCase) {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&WorldConfig { staleness: 0, kv, wire, ..WorldConfig::default() });
    let (mut strict, mut tolerant) = (world.found(1), world.found(2));
    let outage_seconds = Some(FORGIVING);
    let call = ChangeSettings { origin: tolerant.origin(), version: 1, suspended: None, outage_seconds, reason: None };
    tolerant.ask(&call).unwrap().unwrap();
    for fault in FAULTS {
        let subjects = OutageKeys::make(&world, &mut strict, &mut tolerant);
        let mut caller = world.caller(0);
        subjects.warm_up(&world, &mut caller);
        break_down(&world, row.down, fault);
        let revoked_from = subjects.revoke(&world, [&mut strict, &mut tolerant]);
        // Nothing is fresh afterwards, and no permit is held.
        world.clock.wait(6 * SECOND);
        let mut outage =
            Outage { world: &world, row, caller: &mut caller, revoked_from, slowest: 0, passed: 0, missed: 0 };
        outage.expect(&subjects);
        outage.print(fault);
        repair(&world);
        subjects.expect_recovery(&world, &mut caller);
    }
}

/// One outage, as its callers see it.
struct Outage<'a> {
    world: &'a World,
    row: &'a OutageCase,
    caller: &'a mut EdgeClient,
    /// Effective time of the revocations, as the vault announced it.
    revoked_from: Timestamp,
    /// Longest response time, in milliseconds.
    slowest: i64,
    /// Calls that passed, and calls that should have but got `UNAVAILABLE`.
    passed: usize,
    missed: usize,
}

impl Outage<'_> {
    fn expect(&mut self, subjects: &OutageKeys) {
        let (passing, others): (Vec<_>, Vec<_>) =
            subjects.all.iter().partition(|subject| self.row.passes(subject.kind));
        for subject in passing.into_iter().chain(others) {
            let passes = self.row.passes(subject.kind);
            for _ in 0..self.row.calls(subject.kind) {
                let code = self.ask(&subject.request);
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
        let [(_, strict), (_, tolerant)] = &subjects.revoked;
        self.expect_refusals([strict], "a key");
        if self.row.hides_revocations() {
            let left = self.revoked_from.since(self.world.clock.now()) + self.world.clock.grain();
            self.world.clock.wait(left);
            for subject in &subjects.all {
                assert_eq!(self.ask(&subject.request), "UNAVAILABLE", "{:?}: tolerant for too long", subject.kind);
            }
        }
        self.expect_refusals([tolerant], "a key of a tolerant workspace");
    }

    fn expect_refusals<'c>(&mut self, calls: impl IntoIterator<Item = &'c RefusedCall>, whose: &str) {
        for call in calls {
            let code = self.ask(&call.request);
            let refused = code == call.code || code == "UNAVAILABLE";
            assert!(refused, "{:?} down: {whose}, {}: {code}", self.row.down, call.what);
        }
    }

    fn ask(&mut self, request: &VerifyRequest) -> String {
        let sent = self.world.clock.now();
        let code = self.caller.code(request);
        let took = self.world.clock.now().since(sent);
        assert!(took < RESPONSE_LIMIT, "{:?} down: an answer came after {took} ms", self.row.down);
        self.slowest = self.slowest.max(took);
        code
    }

    fn print(&self, fault: Fault) {
        let found = format!(
            "as in the table; {} calls passed, {} that should have were told UNAVAILABLE; the slowest answer took {} ms",
            self.passed, self.missed, self.slowest
        );
        report(&format!("{} down: {fault:?}", self.row.down.join(" and ")), &found);
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

fn repair(world: &World) {
    world.kv.fail(None, Fault::None);
    world.kv.clear();
    world.wire.repair();
}
