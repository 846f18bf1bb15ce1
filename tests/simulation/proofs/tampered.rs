//! Tampered records: a record in KV that is altered, or an older one put back, never decides a
//! call. The edge asks the registry instead, and responds correctly.

use crate::{figures::report, size::size};
use ownchat_domain::{
    feed::Affected,
    key::Key,
    record::kv_name,
    time::MINUTE,
    vault::{
        record_path,
        registry::{ChangeKey, DeleteKey},
    },
};
use ownchat_runtime::Admin;
use ownchat_simulation::{EdgeClient, Latency, Load, VerifyRequest, World, WorldConfig};
use serde_json::{Value, json};

/// The workspace of all keys.
const WORKSPACE: u32 = 1;

/// A key, a request with it, and the expected code.
struct AlteredKey {
    key: Key,
    request: VerifyRequest,
    edits: Edits,
    code: &'static str,
}

/// Two changes that an admin makes to a key, in order.
type Edits = [Edit; 2];

#[derive(Clone, Copy)]
enum Edit {
    Patch(fn() -> Value),
    Delete,
}

const DESCRIBE: Edit = Edit::Patch(|| json!({"description": "In use"}));
const DEACTIVATE: Edit = Edit::Patch(|| json!({"status": "inactive"}));
const ACTIVATE: Edit = Edit::Patch(|| json!({"status": "active"}));
const TAKE_SCOPE: Edit = Edit::Patch(|| json!({"scopes": ["contacts:read"]}));
const GIVE_SCOPE: Edit = Edit::Patch(|| json!({"scopes": ["contacts:read", "messages:send"]}));

/// Changes to a key, and the expected code after them. In some an older record would accept a call
/// that the newest refuses; in others the reverse.
const EDITS: [(Edits, &str); 5] = [
    ([DESCRIBE, TAKE_SCOPE], "SCOPE_MISSING"),
    ([DESCRIBE, DEACTIVATE], "INACTIVE"),
    ([DESCRIBE, Edit::Delete], "UNKNOWN_KEY"),
    ([DEACTIVATE, ACTIVATE], "VALID"),
    ([TAKE_SCOPE, GIVE_SCOPE], "VALID"),
];

/// Starts a world whose edges read a key from KV again after every eviction.
fn world() -> World {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    World::start(&WorldConfig { load: Load::Quarters(3), staleness: 0, kv, wire, ..WorldConfig::default() })
}

#[test]
fn no_bit_of_a_record_can_be_altered() {
    let world = world();
    let keys = subjects(&world, 100);
    let originals: Vec<Vec<u8>> = keys.iter().map(|key| world.kv.newest(&key.name()).unwrap()).collect();
    let bits = originals.iter().map(|bytes| bytes.len() * 8).max().unwrap();
    let step = size(bits / 20 + 1, 1);
    let (mut caller, mut tried) = (world.caller(0), 0);
    for round in (0..bits).step_by(step) {
        for (number, (key, original)) in keys.iter().zip(&originals).enumerate() {
            // Flip another bit of each record, so that few rounds cover many positions.
            let bit = (round + number * step / keys.len()) % (original.len() * 8);
            let mut bytes = original.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            world.kv.plant(&key.name(), Some(bytes));
        }
        tried += expect_the_registry_to_be_asked(&world, &mut caller, &keys);
    }
    report(
        "altered records",
        &format!("{tried} with one bit flipped, of 100 keys with up to {bits} bits: none decided"),
    );
}

#[test]
fn no_older_record_can_be_put_back() {
    let world = world();
    let keys = subjects(&world, size(20, 200));
    let histories: Vec<Vec<Vec<u8>>> = keys.iter().map(|key| world.kv.history(&key.name())).collect();
    let longest = histories.iter().map(Vec::len).max().unwrap();
    let (mut caller, mut tried) = (world.caller(0), 0);
    for place in 0..longest - 1 {
        let (some, older): (Vec<&AlteredKey>, Vec<&Vec<u8>>) = keys
            .iter()
            .zip(&histories)
            .filter_map(|(key, history)| history.split_last()?.1.get(place).map(|bytes| (key, bytes)))
            .unzip();
        for (key, bytes) in some.iter().zip(&older) {
            world.kv.plant(&key.name(), Some((*bytes).clone()));
        }
        tried += expect_the_registry_to_be_asked(&world, &mut caller, some.iter().copied());
    }
    report("older records", &format!("{tried} put back: none decided"));
    assert!(tried >= 2 * keys.len(), "records are missing");
}

/// Calls with each key until an edge has read its record from KV. Checks that the edge then asked
/// the registry, and that the response is correct. Returns the number of records tried.
fn expect_the_registry_to_be_asked<'a>(
    world: &World,
    caller: &mut EdgeClient,
    keys: impl IntoIterator<Item = &'a AlteredKey> + Clone,
) -> usize {
    let subjects = keys.clone().into_iter().map(|key| Affected::Key(key.key.id)).collect();
    world.wire.evict(subjects);
    let mut tried = 0;
    for key in keys {
        let (name, path) = (key.name(), record_path(WORKSPACE, key.key.id));
        let counts = || (world.kv.reads_of(&name), world.wire.asked_at(&path));
        // The edge evicts the cached record at its next read of the feed.
        let was_tried = world.clock.until(MINUTE, || {
            let before = counts();
            let code = caller.code(&key.request);
            let after = counts();
            assert!(after.0 == before.0 || after.1 > before.1, "{:?}: a record that is no good decided", key.key.id);
            // A busy machine may fail to reach the registry; `UNAVAILABLE` decides nothing.
            assert!(code == key.code || code == "UNAVAILABLE", "{:?} was told {code}", key.key.id);
            after.0 > before.0 && code == key.code
        });
        assert!(was_tried.is_some(), "{:?} was never read from KV", key.key.id);
        tried += 1;
    }
    tried
}

impl AlteredKey {
    fn name(&self) -> String {
        kv_name(self.key.id)
    }

    fn apply(&mut self, admin: &mut Admin, place: usize) {
        let (origin, id, version) = (admin.origin(), self.key.id, self.key.version);
        let changed = match self.edits[place] {
            Edit::Delete => admin.ask(&DeleteKey { origin, id, version }),
            Edit::Patch(patch) => {
                let patch = serde_json::from_value(patch()).unwrap();
                admin.ask(&ChangeKey { origin, id, version, patch })
            }
        };
        self.key = changed.unwrap().unwrap().key;
    }
}

/// Makes keys with two changes each, and waits for their records.
fn subjects(world: &World, count: usize) -> Vec<AlteredKey> {
    let mut admin = world.found(WORKSPACE);
    let mut keys: Vec<AlteredKey> = (0..count)
        .map(|number| {
            let made = admin.make(&format!("Altered {number}"), &["contacts:read", "messages:send"]);
            let request = VerifyRequest::with(&made.token, &json!({"scopes": ["messages:send"]}));
            let (edits, code) = EDITS[number % EDITS.len()];
            AlteredKey { key: made.key, request, edits, code }
        })
        .collect();
    wait_for_records(world, &keys);
    for place in 0..2 {
        for key in &mut keys {
            key.apply(&mut admin, place);
        }
        wait_for_records(world, &keys);
    }
    keys
}

/// Waits until KV has had a record of each version of each key.
fn wait_for_records(world: &World, keys: &[AlteredKey]) {
    for key in keys {
        let versions = usize::try_from(key.key.version).unwrap();
        let there = world.clock.until(5 * MINUTE, || world.kv.history(&key.name()).len() >= versions);
        assert!(there.is_some(), "{:?} did not reach KV\n{}", key.key.id, world.logs());
    }
}
