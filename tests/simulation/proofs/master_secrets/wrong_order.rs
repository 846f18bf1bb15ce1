//! Wrong order: the vault gets the new secret before the edges, so they cannot read its records.
//! They let no revoked key pass, and recover as soon as they know the secret.

use super::{
    WORKSPACE, both,
    holders::{Holder, Holders},
    restart_edges, restart_vault,
};
use crate::figures::report;
use ownchat_domain::{feed::FRESH_FOR, time::SECOND};
use ownchat_runtime::Admin;
use ownchat_simulation::{Latency, Load, World, WorldConfig};
use serde_json::json;

/// Time for which keys are called, in milliseconds: longer than anything is trusted without a
/// check.
const WATCHED: i64 = 20 * SECOND;

#[test]
fn the_vault_before_the_edges_lets_nobody_pass_who_must_not() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let mut world = World::start(&WorldConfig {
        load: Load::Quarters(3),
        edges: 2,
        factor: 4.0,
        staleness: 0,
        kv,
        wire,
        ..WorldConfig::default()
    });
    let mut admin = world.found(WORKSPACE);
    let mut holders = Holders::default();
    for name in ["Kept", "Changed", "Taken"] {
        holders.add(Holder::make(&mut admin, name));
    }
    holders.wait_for_records(&world);
    holders.expect_all(&world, "at first");

    world.master_keys = both();
    restart_vault(&mut world);
    let mut admin = Admin::of(world.vault(), WORKSPACE);
    holders.of("Changed").change(&mut admin, json!({"description": "Changed meanwhile"}));
    holders.of("Taken").change(&mut admin, json!({"status": "inactive"}));
    let holds_from = world.clock.now().plus(FRESH_FOR);
    let new = Holder::make(&mut admin, "New");
    let (mut callers, mut passed, mut unread) = (world.callers(), 0, 0);
    while world.clock.now() < holds_from.plus(WATCHED) {
        for caller in &mut callers {
            let sent = world.clock.now();
            let [kept, changed, taken] =
                ["Kept", "Changed", "Taken"].map(|name| caller.code(holders.of(name).request()));
            // `UNAVAILABLE` is no refusal: the caller may retry.
            let is_left_alone = |code: &str| ["VALID", "UNAVAILABLE"].contains(&code);
            assert!(is_left_alone(&kept) && is_left_alone(&changed), "{kept}, {changed}");
            let late = sent.since(holds_from) - world.clock.grain();
            assert!(taken != "VALID" || late <= 0, "a key passes {late} ms after it was taken away");
            assert_ne!(caller.code(new.request()), "VALID", "an edge knows a secret that it was not given");
            passed += u32::from(kept == "VALID");
            unread += u32::from(changed == "UNAVAILABLE" && taken == "UNAVAILABLE");
        }
    }
    assert!(passed > 0, "what was read under the old secret decides no more");
    assert!(unread > 0, "the edges could read everything: nothing was shown");

    restart_edges(&mut world);
    holders.of("Taken").code = "INACTIVE";
    holders.add(new);
    holders.expect_all(&world, "with the new secret everywhere");
    report(
        "the vault given the new master secret first",
        "nobody passes who must not; all is well once the edges have it",
    );
}
