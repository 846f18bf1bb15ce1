//! What the feed was not told takes nothing from anybody yet, so nobody is told that it is done. It is told by itself
//! when the feed can be reached again.

use crate::{figures::tell, proofs, revocation::kinds};
use kinds::{KINDS, Kind, Subject};
use ownchat_domain::{failure::Failure, feed::FRESH_FOR, time::SECOND};
use ownchat_simulation::{Caller, Fault, Latency, Settings, World};

proofs![what_the_feed_was_not_told_is_not_done_and_is_told_by_itself];

/// How soon a change holds everywhere once the feed can be reached: the vault tries once a second, and is heard like
/// any other change.
const HELD_WITHIN: i64 = SECOND + FRESH_FOR;
/// For how long the feed is away: longer than an alarm is repeated by the platform.
const AWAY: i64 = 20 * SECOND;

fn what_the_feed_was_not_told_is_not_done_and_is_told_by_itself() {
    for fault in [Fault::Error, Fault::Cut, Fault::Lost] {
        let (kv, wire) = (Latency::NONE, Latency::NONE);
        let world = World::start(&Settings { factor: 4.0, staleness: 0, kv, wire, ..Settings::default() });
        let subjects = kinds::prepare(&world, KINDS.len());
        let mut caller = world.caller(0);
        expect_all_to_pass(&world, &mut caller, &subjects);
        world.inside.fail("feed", fault);
        for (kind, subject) in &subjects {
            match (kind.change)(&world, subject) {
                Err(Failure::NotEffectiveYet) => {}
                // A new secret is shown once; that no time stands beside it says that the old one goes on working.
                Ok(None) if kind.name == "rotated" => {}
                other => panic!("{}: {other:?}, while the feed knew nothing of it", kind.name),
            }
        }
        world.clock.wait(AWAY);
        if fault != Fault::Lost {
            // Nothing else was said than what is.
            expect_all_to_pass(&world, &mut caller, &subjects);
        }
        world.inside.mend();
        let held = world
            .clock
            .until(HELD_WITHIN, || subjects.iter().all(|(kind, subject)| caller.code(&subject.question) == kind.code));
        tell(
            &format!("feed unheard of changes: {fault:?}"),
            &format!("{} changes held {held:?} ms after it was back", KINDS.len()),
        );
        assert!(held.is_some(), "{fault:?}: not everything holds\n{}", world.logs());
    }
}

fn expect_all_to_pass(world: &World, caller: &mut Caller, subjects: &[(Kind, Subject)]) {
    for (kind, subject) in subjects {
        assert_eq!(caller.settled(&subject.question, world.clock), "VALID", "{}\n{}", kind.name, world.logs());
    }
}
