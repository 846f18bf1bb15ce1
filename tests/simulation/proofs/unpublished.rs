//! Unpublished changes: the vault does not acknowledge a narrowing change that the feed has not
//! confirmed. It publishes the change by itself once the feed is back.

use crate::{figures::report, revocation::kinds};
use kinds::{ChangeKind, KINDS, NarrowedKey};
use ownchat_domain::{
    failure::Failure,
    feed::FRESH_FOR,
    time::{SECOND, Timestamp},
};
use ownchat_simulation::{EdgeClient, Fault, Latency, Load, World, WorldConfig};
use std::collections::{BTreeMap, BTreeSet};

/// Longest time until a change holds everywhere once the feed is back, in milliseconds. The vault
/// retries once a second, and edges read the change like any other.
const HELD_WITHIN: i64 = SECOND + FRESH_FOR;
/// Duration of the feed's outage, in milliseconds: longer than the platform retries an alarm.
const AWAY: i64 = 20 * SECOND;

#[test]
fn a_change_that_the_feed_failed_to_store_is_published_later() {
    tell_nobody(Fault::Error);
}

#[test]
fn a_change_that_never_reached_the_feed_is_published_later() {
    tell_nobody(Fault::Cut);
}

#[test]
fn a_change_that_the_feed_did_not_confirm_is_published_later() {
    tell_nobody(Fault::Lost);
}

/// Makes narrowing changes of every kind while the feed is down.
fn tell_nobody(fault: Fault) {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    let world = World::start(&WorldConfig {
        load: Load::Quarters(2),
        factor: 2.0,
        staleness: 0,
        kv,
        wire,
        ..WorldConfig::default()
    });
    let subjects = prepare(&world);
    let mut caller = world.caller(0);
    expect_all_to_pass(&world, &mut caller, &subjects);
    world.inside.fail("feed", fault);
    for (kind, subject) in &subjects {
        expect_not_done(&world, kind, subject);
    }
    world.clock.wait(AWAY);
    if fault != Fault::Lost {
        // The changes have had no effect, as the admin was told.
        expect_all_to_pass(&world, &mut caller, &subjects);
    }
    world.inside.repair();
    let held = world
        .clock
        .until(HELD_WITHIN, || subjects.iter().all(|(kind, subject)| caller.code(&subject.request) == kind.code));
    report(
        &format!("feed unheard of changes: {fault:?}"),
        &format!("{} changes held {held:?} ms after it was back", subjects.len()),
    );
    assert!(held.is_some(), "{fault:?}: not everything holds\n{}", world.logs());
}

/// A retry of an unpublished change fails, too. Once the feed is back, a retry returns its
/// effective time.
#[test]
fn who_asks_again_is_told_the_truth() {
    let (kv, wire) = (Latency::NONE, Latency::NONE);
    // A lower factor than elsewhere, so that the vault does not publish everything before the
    // retry.
    let world = World::start(&WorldConfig {
        load: Load::Quarters(2),
        factor: 1.0,
        staleness: 0,
        kv,
        wire,
        ..WorldConfig::default()
    });
    let mut subjects = prepare(&world);
    // A retry of these is another change: nothing to delete, a later time, another secret.
    subjects.retain(|(kind, _)| !["deleted", "expiring", "put off", "rotated"].contains(&kind.name));
    let mut caller = world.caller(0);
    expect_all_to_pass(&world, &mut caller, &subjects);
    world.inside.fail("feed", Fault::Error);
    for _ in 0..2 {
        for (kind, subject) in &mut subjects {
            subject.look(&world);
            expect_not_done(&world, kind, subject);
        }
    }
    for (_, subject) in &mut subjects {
        subject.look(&world);
    }
    expect_all_to_pass(&world, &mut caller, &subjects);
    // The edge gets no later page of the feed than its last one, so it learns as late as possible.
    world.wire.fail("feed", Fault::Error);
    world.inside.repair();
    let ask = |(kind, subject): &(ChangeKind, NarrowedKey)| (kind.change)(&world, subject).unwrap();
    let told: Vec<Option<Timestamp>> = subjects.iter().map(ask).collect();
    // A retry returns no effective time for changes that the vault has published meanwhile.
    let latest = world.clock.now().plus(FRESH_FOR);
    let (mut refused, mut late) = (BTreeSet::new(), BTreeMap::<&str, u32>::new());
    world.clock.until(2 * HELD_WITHIN, || {
        for ((kind, subject), told) in subjects.iter().zip(&told) {
            let sent = world.clock.now();
            match caller.code(&subject.request).as_str() {
                "VALID" if sent > told.unwrap_or(latest).plus(world.clock.grain()) => {
                    *late.entry(kind.name).or_default() += 1;
                }
                code if code == kind.code => drop(refused.insert(kind.name)),
                _ => {}
            }
        }
        refused.len() == subjects.len() && world.clock.now() > latest.plus(SECOND)
    });
    let moments = told.iter().flatten().count();
    report(
        "feed unheard of changes, asked again",
        &format!("{moments} of {} were told from when on it holds", told.len()),
    );
    assert!(moments > 0, "nobody was told from when on it holds");
    assert_eq!(refused.len(), subjects.len(), "{refused:?}\n{}", world.logs());
    for (kind, _) in &subjects {
        let late = late.get(kind.name).copied().unwrap_or(0);
        assert!(late <= kind.may_pass, "{}: {late} calls passed after they must not", kind.name);
    }
}

/// Makes a key for each kind that shows its effect at the first call.
fn prepare(world: &World) -> Vec<(ChangeKind, NarrowedKey)> {
    let mut subjects = kinds::prepare(world, KINDS.len());
    subjects.retain(|(kind, _)| kind.left_for == 0 && !kind.refused_before && !kind.kept_by_meter);
    subjects
}

fn expect_not_done(world: &World, kind: &ChangeKind, subject: &NarrowedKey) {
    match (kind.change)(world, subject) {
        Err(Failure::NotEffectiveYet) => {}
        // A new secret is shown once. Without an effective time beside it the old secret still
        // works.
        Ok(None) if kind.name == "rotated" => {}
        other => panic!("{}: {other:?}, while the feed knew nothing of it", kind.name),
    }
}

fn expect_all_to_pass(world: &World, caller: &mut EdgeClient, subjects: &[(ChangeKind, NarrowedKey)]) {
    for (kind, subject) in subjects {
        assert_eq!(caller.settled(&subject.request, world.clock), "VALID", "{}\n{}", kind.name, world.logs());
    }
}
