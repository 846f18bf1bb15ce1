//! Loss of a workspace and its restore from a file. Keys made after the export pass no more, though
//! edges cache them and KV holds them. Later revocations hold from their effective time on.

use crate::figures::report;
use ownchat_domain::{
    feed::{FRESH_FOR, KEPT_FOR},
    record::{Record, kv_name},
    time::{HOUR, MINUTE, SECOND, Timestamp},
    vault::registry::{ChangeKey, Changed},
};
use ownchat_runtime::{Admin, Made};
use ownchat_simulation::{EdgeClient, Latency, Load, VerifyRequest, World, WorldConfig};
use serde_json::{Value, json};

/// Time for which keys are called after an event, in milliseconds: longer than a record is trusted
/// without a check.
const WATCHED: i64 = 20 * SECOND;

/// A key, and a request with it.
struct TrackedKey {
    made: Made,
    request: VerifyRequest,
}

impl TrackedKey {
    fn make(admin: &mut Admin, name: &str) -> Self {
        let made = admin.make(name, &["contacts:read"]);
        let request = VerifyRequest::of(&made.token);
        Self { made, request }
    }

    fn change(&self, admin: &mut Admin, version: u64, patch: Value) -> Changed {
        let patch = serde_json::from_value(patch).unwrap();
        admin.ask(&ChangeKey { origin: admin.origin(), id: self.made.id(), version, patch }).unwrap().unwrap()
    }

    /// Calls the edges for a while: the key passes nowhere after `moment`, and `code` is its final
    /// response.
    fn expect_to_end(&self, world: &World, callers: &mut [EdgeClient], code: &str, moment: Timestamp) {
        let end = world.clock.now().plus(WATCHED);
        while world.clock.now() < end {
            for caller in &mut *callers {
                let sent = world.clock.now();
                let told = caller.code(&self.request);
                let late = sent.since(moment) - world.clock.grain();
                assert!(told != "VALID" || late <= 0, "{} passes {late} ms too late", self.made.key.name);
            }
        }
        let last: Vec<String> = callers.iter_mut().map(|caller| caller.settled(&self.request, world.clock)).collect();
        assert!(last.iter().all(|told| told == code), "{} is told {last:?}, not {code}", self.made.key.name);
    }

    fn expect_to_pass(&self, world: &World, callers: &mut [EdgeClient]) {
        for caller in callers {
            let code = caller.settled(&self.request, world.clock);
            assert_eq!(code, "VALID", "{}\n{}", self.made.key.name, world.logs());
        }
    }
}

#[test]
fn keys_created_after_the_export_pass_no_more() {
    let mut world = World::start(&WorldConfig {
        load: Load::Quarters(4),
        edges: 2,
        factor: 4.0,
        wire: Latency::NONE,
        ..WorldConfig::default()
    });
    let mut admin = world.found(1);
    let mut make = |name| TrackedKey::make(&mut admin, name);
    let (kept, changed, off) = (make("Kept"), make("Changed"), make("Off"));
    let file = admin.export();
    let given = TrackedKey::make(&mut admin, "Given after the file");
    for version in 1..4 {
        changed.change(&mut admin, version, json!({"name": format!("Changed {version}")}));
    }
    off.change(&mut admin, 1, json!({"status": "inactive"}));
    let mut callers = world.callers();
    let is_copied = |subject: &TrackedKey| world.kv.newest(&kv_name(subject.made.id())).is_some();
    world.clock.until(MINUTE, || [&kept, &changed, &off, &given].into_iter().all(is_copied)).expect("KV lacks keys");
    for subject in [&kept, &changed, &given] {
        subject.expect_to_pass(&world, &mut callers);
    }
    world.lose_registries();
    world.start_vault();
    let mut admin = world.found(1);
    admin.import(&file).unwrap().unwrap();
    let holds_from = world.clock.now().plus(FRESH_FOR);
    given.expect_to_end(&world, &mut callers, "UNKNOWN_KEY", holds_from);
    // The state of the file is back, including keys that were revoked since.
    for subject in [&kept, &changed, &off] {
        subject.expect_to_pass(&world, &mut callers);
    }
    let told = changed.change(&mut admin, 1, json!({"status": "inactive"})).effective_at.unwrap();
    // The vault no longer knows the grace period of an edge that is cut off; these edges are not.
    let told = told.min(world.clock.now().plus(FRESH_FOR));
    changed.expect_to_end(&world, &mut callers, "INACTIVE", told);
    // A new key does not reuse the id of a lost one.
    let next = TrackedKey::make(&mut admin, "Next");
    assert_ne!(next.made.id(), given.made.id());
    next.expect_to_pass(&world, &mut callers);
    given.expect_to_end(&world, &mut callers, "UNKNOWN_KEY", told);
    report("loss", "the state of the file again; what was given out since passes nowhere from 5 s on");
}

/// After a restore a key gets versions that the feed knows from lost changes. Entries that the feed
/// has dropped since must not let a newer record pass.
#[test]
fn a_revocation_after_the_loss_still_holds_a_day_later() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let mut world = World::start(&WorldConfig {
        load: Load::Quarters(4),
        edges: 2,
        staleness: 0,
        kv,
        wire,
        ..WorldConfig::default()
    });
    let mut admin = world.found(1);
    let (taken, other) = (TrackedKey::make(&mut admin, "Taken"), TrackedKey::make(&mut admin, "Other"));
    let name = kv_name(taken.made.id());
    let file = admin.export();
    taken.change(&mut admin, 1, json!({"status": "inactive"}));
    let heard = world.clock.now();

    world.skip(2 * HOUR);
    world.lose_registries();
    world.start_vault();
    let mut admin = world.found(1);
    let lost = world.clock.now();
    admin.import(&file).unwrap().unwrap();
    let record = || Record::open(&world.kv.newest(&name)?, taken.made.id(), &world.keyring()).ok();
    let is_back = || record().is_some_and(|record| record.active && record.sealed_at >= lost);
    world.clock.until(MINUTE, is_back).expect("the key of the file is not in KV");
    taken.expect_to_pass(&world, &mut world.callers());
    let (before, record) = (world.kv.newest(&name), record().unwrap());
    taken.change(&mut admin, 1, json!({"status": "inactive"}));

    // The feed has dropped its entries from before the loss, and the record is still alive.
    world.skip(heard.plus(KEPT_FOR + MINUTE).since(world.clock.now()));
    other.change(&mut Admin::of(world.vault(), 1), 1, json!({"status": "inactive"}));
    let now = world.clock.now();
    assert!(record.is_alive(now), "it would decide nothing anyway");
    world.kv.plant(&name, before);
    taken.expect_to_end(&world, &mut world.callers(), "INACTIVE", now);
    report("loss, a day later", "a record from between the loss and the change decides nowhere");
}
