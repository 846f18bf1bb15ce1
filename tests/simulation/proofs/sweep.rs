//! Daily sweep: the vault compares KV with the registry, and rewrites missing, altered and outdated
//! records without any calls. It leaves right records alone.

use crate::{crash::check::Truth, figures::report, size::size};
use ownchat_domain::{
    record::{Record, kv_name},
    time::{DAY, HOUR, MINUTE, SECOND},
    vault::registry::{ChangeKey, DeleteKey},
};
use ownchat_runtime::{Admin, Made};
use ownchat_simulation::{Fault, VerifyRequest, World, WorldConfig};
use serde_json::json;

/// The workspace of all keys.
const WORKSPACE: u32 = 1;

/// Changes to a key, and flaws of its record afterwards. The two counts are coprime, so that each
/// change meets each flaw.
const CHANGES: [KeyChange; 3] = [KeyChange::Renamed, KeyChange::Deactivated, KeyChange::Deleted];
const FLAWS: [RecordFlaw; 5] =
    [RecordFlaw::None, RecordFlaw::Removed, RecordFlaw::PutBack, RecordFlaw::Altered, RecordFlaw::Another];

#[derive(Clone, Copy, Debug)]
enum KeyChange {
    Renamed,
    Deactivated,
    Deleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordFlaw {
    None,
    Removed,
    PutBack,
    Altered,
    /// Well sealed and of the newest version, as a defect of the vault may leave it.
    Another,
}

struct SweptKey {
    made: Made,
    change: KeyChange,
    flaw: RecordFlaw,
}

impl SweptKey {
    fn name(&self) -> String {
        kv_name(self.made.id())
    }

    fn apply(&self, admin: &mut Admin) {
        let (origin, id, version) = (admin.origin(), self.made.id(), self.made.key.version);
        let patch = match self.change {
            KeyChange::Renamed => json!({"name": "Swept anew"}),
            KeyChange::Deactivated => json!({"status": "inactive"}),
            KeyChange::Deleted => {
                admin.ask(&DeleteKey { origin, id, version }).unwrap().unwrap();
                return;
            }
        };
        let patch = serde_json::from_value(patch).unwrap();
        admin.ask(&ChangeKey { origin, id, version, patch }).unwrap().unwrap();
    }

    /// Expected code of a call.
    fn code(&self) -> &'static str {
        match self.change {
            KeyChange::Renamed => "VALID",
            KeyChange::Deactivated => "INACTIVE",
            KeyChange::Deleted => "UNKNOWN_KEY",
        }
    }

    /// The flawed value in the place of the newest record.
    fn spoilt(&self, world: &World) -> Option<Vec<u8>> {
        let history = world.kv.history(&self.name());
        let (newest, older) = history.split_last().unwrap();
        match self.flaw {
            RecordFlaw::None => Some(newest.clone()),
            RecordFlaw::Removed => None,
            RecordFlaw::PutBack => Some(older[0].clone()),
            RecordFlaw::Altered => {
                let mut bytes = newest.clone();
                let place = bytes.len() / 2;
                bytes[place] ^= 1;
                Some(bytes)
            }
            RecordFlaw::Another => {
                let record = Record::open(newest, self.made.id(), &world.keyring()).unwrap();
                Some(Record { name: "Another".into(), ..record }.seal(&world.keyring()).unwrap())
            }
        }
    }
}

#[test]
fn a_wrong_record_in_kv_is_rewritten_within_a_day() {
    let mut world = World::start(&WorldConfig { staleness: 0, ..WorldConfig::default() });
    let begun = world.clock.now();
    let (subjects, truth) = prepare(&world);
    // The sweep leaves recently written records alone.
    world.skip(HOUR);
    let spoilt: Vec<&SweptKey> = subjects.iter().filter(|subject| subject.flaw != RecordFlaw::None).collect();
    for subject in &spoilt {
        world.kv.tamper(&subject.name(), subject.spoilt(&world));
    }
    let written = written(&world);
    world.skip(begun.plus(DAY - HOUR).since(world.clock.now()));
    world.clock.wait(10 * SECOND);
    let different = truth.different_in_kv(&world);
    assert_eq!(different.len(), spoilt.len(), "before the day was over: {different:#?}");
    assert_eq!(self::written(&world), written, "somebody wrote into KV before the day was over");

    world.skip(2 * HOUR);
    let mended = world.clock.until(5 * MINUTE, || truth.is_in_kv(&world));
    assert!(mended.is_some(), "after a day: {:#?}\n{}", truth.different_in_kv(&world), world.logs());
    expect_edges_to_decide_by_it(&world, &spoilt);
    let reads = reads(&world, &subjects);
    world.skip(DAY + HOUR);
    let looked = || self::reads(&world, &subjects).iter().zip(&reads).all(|(now, then)| now > then);
    assert!(world.clock.until(5 * MINUTE, looked).is_some(), "the day after KV was not looked at\n{}", world.logs());
    world.clock.wait(10 * SECOND);
    let more = self::written(&world) - written;
    report(
        "sweep",
        &format!(
            "{} keys, {} of them with a record that was wrong in KV: written anew {} ms after the vault was back a day later, \
             {more} writes in two days",
            subjects.len(),
            spoilt.len(),
            mended.unwrap(),
        ),
    );
    assert_eq!(more, u64::try_from(spoilt.len()).unwrap(), "what is right is not written");
}

/// Makes keys with one change each, with their records in KV, and reads the truth about them.
fn prepare(world: &World) -> (Vec<SweptKey>, Truth) {
    let mut admin = world.found(WORKSPACE);
    let subjects: Vec<SweptKey> = (0..size(120, 600))
        .map(|number| {
            let (change, flaw) = (CHANGES[number % CHANGES.len()], FLAWS[number % FLAWS.len()]);
            SweptKey { made: admin.make(&format!("Swept {number}"), &["contacts:read"]), change, flaw }
        })
        .collect();
    let wait_for = |records: usize| {
        let is_there = |subject: &SweptKey| world.kv.history(&subject.name()).len() >= records;
        let there = world.clock.until(5 * MINUTE, || subjects.iter().all(is_there));
        assert!(there.is_some(), "keys did not reach KV\n{}", world.logs());
    };
    wait_for(1);
    for subject in &subjects {
        subject.apply(&mut admin);
    }
    wait_for(2);
    let truth = Truth::read(world.vault(), WORKSPACE);
    assert!(world.clock.until(MINUTE, || truth.is_in_kv(world)).is_some(), "{:#?}", truth.different_in_kv(world));
    (subjects, truth)
}

/// Checks that an edge with an empty cache responds correctly from KV, without the registry.
fn expect_edges_to_decide_by_it(world: &World, subjects: &[&SweptKey]) {
    world.wire.fail("registry", Fault::Error);
    let mut caller = world.caller(0);
    for subject in subjects {
        let code = caller.settled(&VerifyRequest::of(&subject.made.token), world.clock);
        assert_eq!(code, subject.code(), "{:?}, {:?}\n{}", subject.change, subject.flaw, world.logs());
    }
    world.wire.repair();
}

fn written(world: &World) -> u64 {
    world.kv.counts().written
}

fn reads(world: &World, subjects: &[SweptKey]) -> Vec<u64> {
    subjects.iter().map(|subject| world.kv.reads_of(&subject.name())).collect()
}
