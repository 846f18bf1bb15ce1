//! Crashes of the vault during a purge, which removes keys deleted thirty days ago.

use crate::{figures::report, size::size};
use ownchat_domain::{
    audit::{self, Action, Line},
    key::RESTORE_WITHIN,
    locator::Locator,
    record::kv_name,
    time::{MINUTE, SECOND, Timestamp},
    transfer::{ExportLine, KeyFacts, LineHash},
    vault::registry::DeleteKey,
};
use ownchat_runtime::{Admin, new_key};
use ownchat_simulation::{World, WorldConfig};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    thread,
};

/// Keys of each workspace that were deleted thirty days ago, and keys in use.
const DELETED: usize = 20;
const KEPT: usize = 4;
/// Time from the import of a workspace to its purge, in milliseconds.
const LEAD: i64 = 20 * SECOND;

/// Distance of the kill from the due time of a purge, before or after, in milliseconds.
const AROUND: i64 = 60;
/// Pause between two keys that are created meanwhile, in milliseconds.
const PAUSE: i64 = 400;

/// Progress of the purges when the vault was killed.
#[derive(Debug, Default)]
struct PurgeProgress {
    /// Nothing was removed yet.
    before: u32,
    /// The registry had removed the keys, and KV still had the records of some of them.
    between: u32,
    /// Nothing was left of them.
    after: u32,
}

#[test]
fn a_purge_that_was_cut_off_is_whole_or_made_again() {
    let rounds = size(6, 60);
    let mut random = SmallRng::seed_from_u64(6);
    let mut figures = PurgeProgress::default();
    let files = files(rounds);
    let mut world = World::start(&WorldConfig { edges: 0, factor: 4.0, ..WorldConfig::default() });
    // Duration of an undisturbed purge, and the longest time from a restart until KV is clean, in
    // milliseconds.
    let (mut whole, mut slowest) = (0, 0);
    for (file, workspace) in files.iter().zip(1..) {
        let due = world.clock.now().plus(LEAD);
        let file = deleted_at(file, due.plus(-RESTORE_WITHIN));
        let (gone, kept): (Vec<_>, Vec<_>) = keys(&file).into_values().partition(|key| key.deleted_at.is_some());
        world.found(workspace).import(&file).unwrap().unwrap();
        let copied = world.clock.until(MINUTE, || left(&world, &gone) == DELETED && left(&world, &kept) == KEPT);
        assert!(copied.is_some() && world.clock.now() < due, "it took too long until KV had them");
        if whole == 0 {
            let removed = world.clock.until(MINUTE, || left(&world, &gone) == 0);
            assert!(removed.is_some(), "nothing is removed");
            whole = world.clock.now().since(due);
            check(world.vault(), workspace, &file, &[]);
            continue;
        }
        // The kill alternates between the purge of the registry and that of KV.
        let moments = if workspace % 2 == 0 { -AROUND..=AROUND } else { 0..=whole };
        let made = cut_off(&world, workspace, due.plus(random.random_range(moments)));
        let (killed, left_then) = (world.clock.now(), left(&world, &gone));
        world.start_vault();
        let back = world.clock.now();
        let removed = world.clock.until(MINUTE, || left(&world, &gone) == 0);
        slowest = slowest.max(removed.unwrap_or_else(|| {
            panic!("KV has {} keys a minute after the vault is back at {back:?}", left(&world, &gone))
        }));
        let removed_at = check(world.vault(), workspace, &file, &made);
        match (removed_at < killed, left_then) {
            (false, _) => figures.before += 1,
            (true, 0) => figures.after += 1,
            (true, _) => figures.between += 1,
        }
        assert_eq!(left(&world, &kept), KEPT, "keys in use are gone from KV");
    }
    report(
        "purges",
        &format!(
            "{rounds} of {DELETED} keys, killed within {whole} ms: {figures:?}; nothing left {slowest} ms after the vault was back"
        ),
    );
    assert!(figures.between > 0, "no purge was cut off: {figures:?}");
}

/// Creates keys until the vault is killed at a moment. Returns the acknowledged ones.
fn cut_off(world: &World, workspace: u32, moment: Timestamp) -> Vec<Locator> {
    let mut admin = Admin::of(world.vault(), workspace);
    thread::scope(|scope| {
        let clock = world.clock;
        let writing = scope.spawn(move || {
            let mut made = Vec::new();
            while let Ok(outcome) = admin.create(new_key("Made meanwhile", &["contacts:read"])) {
                made.push(outcome.unwrap().id());
                // More keys would keep the alarm so busy that the purge comes after all of them.
                clock.wait(PAUSE);
            }
            made
        });
        world.clock.wait(moment.since(world.clock.now()));
        world.crash_vault();
        writing.join().unwrap()
    })
}

/// Checks that the due keys are gone, each with one line in the audit trail. The other keys equal
/// the file, and new keys are there. Returns the time of the last purge.
fn check(vault: SocketAddr, workspace: u32, file: &[String], made: &[Locator]) -> Timestamp {
    let now = Admin::of(vault, workspace).export();
    let (before, after) = (keys(file), keys(&now));
    for (id, key) in &before {
        let same = after.get(id).map(|key| ExportLine::Key(Box::new(key.clone())).write());
        let expected = key.deleted_at.is_none().then(|| ExportLine::Key(Box::new(key.clone())).write());
        assert_eq!(same, expected, "{id}");
    }
    for id in made {
        assert!(after.contains_key(&id.to_string()), "{id:?} was acknowledged and is lost");
    }
    let trail: Vec<String> = now.iter().filter_map(|line| trail_line(line)).collect();
    audit::verify(trail.iter().map(String::as_str)).unwrap();
    let lines = trail.iter().map(|line| serde_json::from_str::<Line>(line).unwrap());
    let purged: Vec<Line> = lines.filter(|line| line.action == Action::Purge).collect();
    let once: BTreeSet<String> = purged.iter().map(|line| line.key.unwrap().to_string()).collect();
    let due: BTreeSet<String> =
        before.iter().filter(|(_, key)| key.deleted_at.is_some()).map(|(id, _)| id.clone()).collect();
    assert_eq!((purged.len(), once), (DELETED, due), "each key that was due has one line");
    purged.iter().map(|line| line.at.moment()).max().unwrap()
}

/// Number of these keys that have a record in KV.
fn left(world: &World, keys: &[KeyFacts]) -> usize {
    keys.iter().filter(|key| world.kv.newest(&kv_name(key.locator)).is_some()).count()
}

fn keys(file: &[String]) -> BTreeMap<String, KeyFacts> {
    let entries = file.iter().map(|line| serde_json::from_str::<ExportLine>(line).unwrap());
    let keys = entries.filter_map(|entry| if let ExportLine::Key(facts) = entry { Some(*facts) } else { None });
    keys.map(|facts| (facts.locator.to_string(), facts)).collect()
}

fn trail_line(line: &str) -> Option<String> {
    match serde_json::from_str(line).unwrap() {
        ExportLine::Line(line) => Some(line.get().to_owned()),
        _ => None,
    }
}

/// Rewrites a file as if its deleted keys had been deleted at this moment.
fn deleted_at(file: &[String], moment: Timestamp) -> Vec<String> {
    let mut hash = LineHash::default();
    let mut write = |line: &String| {
        let line = match serde_json::from_str(line).unwrap() {
            ExportLine::Key(facts) if facts.deleted_at.is_some() => {
                ExportLine::Key(Box::new(KeyFacts { deleted_at: Some(moment), ..*facts })).write()
            }
            ExportLine::End(_) => ExportLine::End(hash.trailer()).write(),
            _ => line.clone(),
        };
        hash.add(&line);
        line
    };
    file.iter().map(&mut write).collect()
}

/// Exports this many workspaces, numbered from 1.
fn files(count: usize) -> Vec<Vec<String>> {
    let world = World::start(&WorldConfig { edges: 0, ..WorldConfig::default() });
    let file = |workspace| {
        let mut admin = world.found(workspace);
        for number in 0..DELETED + KEPT {
            let made = admin.make(&format!("Key {number}"), &["contacts:read"]);
            if number < DELETED {
                let call = DeleteKey { origin: admin.origin(), id: made.id(), version: made.key.version };
                admin.ask(&call).unwrap().unwrap();
            }
        }
        admin.export()
    };
    (1..).take(count).map(file).collect()
}
