//! Rolls the master secret and retires the old one in the steps of
//! `app/docs/operate/master-secrets.md`, with keys in use. Every good key passes at every step.
//! Steps in a wrong order let no key pass that must be refused.

mod attacker;
mod holders;
mod wrong_order;

use crate::{crash::check::Truth, figures::report, size::size};
use attacker::Attacker;
use holders::{Holder, Holders};
use ownchat_domain::{
    keyring::{Keyring, Use, retire},
    record::{Record, kv_name},
    time::{DAY, HOUR, MINUTE},
    vault::masters::{Master, ReadMasters},
};
use ownchat_runtime::{Admin, MASTER_KEYS};
use ownchat_simulation::{Load, World, WorldConfig};
use serde_json::json;

/// The workspace of all keys.
const WORKSPACE: u32 = 1;
/// Id of the rolled secret, which stands in [`MASTER_KEYS`].
const OLD: u16 = 1;
/// The secret that replaces it.
const NEW: &str = "2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
/// Overlap of a rotated key's old secret, in seconds: longer than the first steps take.
const OVERLAP_SECONDS: u32 = 20 * 86_400;

/// Names of keys with a life of their own.
const FORGOTTEN: &str = "Never rotated";
const ROTATED: &str = "Rotated";
const OVERLAPPING: &str = "Rotated before, with an overlap";
const OFF: &str = "Off";

fn both() -> String {
    format!("{MASTER_KEYS},{NEW}")
}

#[test]
fn a_master_secret_is_rolled_and_nobody_is_refused() {
    // A lower factor than elsewhere: a first call must not time out on a busy machine.
    let mut world =
        World::start(&WorldConfig { load: Load::Quarters(2), edges: 2, factor: 2.0, ..WorldConfig::default() });
    let mut holders = prepare(&world);
    let off = (holders.of(OFF).made.id(), holders.of(OFF).request().clone());
    let needed = master(&world);
    assert!(needed.records > 0 && needed.secrets > 0 && needed.keys > 0, "{needed:?}");

    // The edges first, one after the other.
    world.master_keys = both();
    for (location, name) in ["Made meanwhile", "Made shortly before"].into_iter().enumerate() {
        world.start_edge(location);
        holders.expect_all(&world, "while the edges are given the new secret");
        holders.add_new(&world, name);
    }
    restart_vault(&mut world);
    holders.expect_all(&world, "with the vault on the new secret");
    holders.add_new(&world, "Made under the new secret");
    holders.of(ROTATED).rotate(&mut admin(&world), 0);
    holders.expect_all(&world, "after a rotation");
    assert!(master(&world).records > 0, "everything is under the new secret already: nothing is shown");

    // Without calls only the sweep rewrites records.
    world.skip(DAY + HOUR);
    let waited = world.clock.until(10 * MINUTE, || master(&world).records == 0);
    assert!(waited.is_some(), "{:?}\n{}", master(&world), world.logs());
    expect_only_new_records(&world, &holders);
    holders.expect_all(&world, "a day later");
    let attacker = Attacker::of(&world, off);
    attacker.expect_to_succeed(&world);

    let list = retire(&both(), OLD, &[Use::Locator, Use::Pepper]).unwrap();
    assert!(list.contains("1/locator:") && list.contains("1/pepper:") && !list.contains(MASTER_KEYS), "{list}");
    give(&mut world, &list);
    holders.expect_all(&world, "without the seal of the old secret");
    attacker.expect_to_fail(&world);

    // Every key gets a new secret, except a forgotten one.
    for holder in holders.tagged_with(OLD).filter(|holder| holder.made.key.name != FORGOTTEN) {
        holder.rotate(&mut admin(&world), 0);
    }
    assert_eq!(master(&world).secrets, 1, "one key was forgotten");
    give(&mut world, &retire(&list, OLD, &[Use::Locator]).unwrap());
    holders.of(FORGOTTEN).code = "UNKNOWN_KEY";
    holders.expect_all(&world, "without the pepper of the old secret");
    assert!(world.logs().contains("never matches"), "the log does not say of which secret the pepper is gone");

    // Keys made under the old secret are deleted and purged.
    for holder in holders.take_tagged_with(OLD) {
        holder.delete(&mut admin(&world));
    }
    world.skip(31 * DAY);
    let gone = world.clock.until(10 * MINUTE, || master(&world).keys == 0);
    assert!(gone.is_some(), "{:?}\n{}", master(&world), world.logs());
    give(&mut world, NEW);
    holders.expect_all(&world, "without the old secret");
    report(
        "rolling the master secret",
        &format!("{} calls, each told what it should be at every step", holders.calls()),
    );
}

/// Makes keys under the old secret, with records in KV.
fn prepare(world: &World) -> Holders {
    let mut admin = world.found(WORKSPACE);
    let mut holders = Holders::default();
    for number in 0..size(2, 60) {
        holders.add(Holder::make(&mut admin, &format!("Kept {number}")));
    }
    for name in [FORGOTTEN, ROTATED, OVERLAPPING, OFF] {
        holders.add(Holder::make(&mut admin, name));
    }
    holders.wait_for_records(world);
    holders.of(OVERLAPPING).rotate(&mut admin, OVERLAP_SECONDS);
    holders.of(OFF).change(&mut admin, json!({"status": "inactive"}));
    holders.of(OFF).code = "INACTIVE";
    holders.expect_all(world, "at first");
    holders
}

/// Restarts edges and vault with this list of master secrets.
fn give(world: &mut World, list: &str) {
    list.clone_into(&mut world.master_keys);
    restart_edges(world);
    restart_vault(world);
}

fn restart_vault(world: &mut World) {
    world.crash_vault();
    world.start_vault();
}

fn restart_edges(world: &mut World) {
    for location in 0..world.callers().len() {
        world.start_edge(location);
    }
}

fn admin(world: &World) -> Admin {
    Admin::of(world.vault(), WORKSPACE)
}

/// Remaining uses of the old secret, as counted by the sweep.
fn master(world: &World) -> Master {
    let mut admin = admin(world);
    let masters = admin.ask(&ReadMasters { caller: admin.person.into() }).unwrap().unwrap();
    assert_eq!(masters.unknown, 0);
    masters.data.into_iter().find(|master| master.id == OLD).unwrap()
}

/// Checks that the records in KV are right, and that the new secret seals each.
fn expect_only_new_records(world: &World, holders: &Holders) {
    let (truth, new) = (Truth::read(world.vault(), WORKSPACE), Keyring::parse(NEW).unwrap());
    assert!(truth.is_in_kv(world), "{:#?}", truth.different_in_kv(world));
    for id in holders.all().iter().map(|holder| holder.made.id()) {
        Record::open(&world.kv.newest(&kv_name(id)).unwrap(), id, &new).unwrap();
    }
}
