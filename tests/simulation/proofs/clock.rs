//! Test of the simulation: its clock is the clock of the Workers.

use ownchat_domain::{keyring::Keyring, record::kv_name};
use ownchat_domain::{record::Record, time::Timestamp};
use ownchat_runtime::MASTER_KEYS;
use ownchat_simulation::{Latency, VerifyRequest, World, WorldConfig};

#[test]
fn the_workers_live_on_the_clock_of_the_simulation() {
    let world = World::start(&WorldConfig { kv: Latency::NONE, ..WorldConfig::default() });
    world.clock.wait(60_000);
    let before = world.clock.now();
    let made = world.found(7).make("Shop", &["contacts:read"]);
    assert_eq!(world.caller(0).code(&VerifyRequest::of(&made.token)), "VALID");
    let between = |what: &str, time: Timestamp| {
        let late = world.clock.now();
        assert!(before.plus(-world.clock.grain()) <= time && time <= late, "{what}: {before:?} {time:?} {late:?}");
    };
    between("when the key was made", made.key.created_at);
    // An alarm writes the record. The object sets it to a time of its own clock.
    world.clock.until(60_000, || world.kv.newest(&kv_name(made.id())).is_some());
    let bytes = world.kv.newest(&kv_name(made.id())).expect("no alarm went off within a minute");
    let record = Record::open(&bytes, made.id(), &Keyring::parse(MASTER_KEYS).unwrap()).unwrap();
    between("when the record was sealed", record.sealed_at);
}
