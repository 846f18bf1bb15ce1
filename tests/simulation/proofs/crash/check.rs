//! What a workspace holds after a crash, and whether it holds together.

use super::writer::{Acknowledged, in_kv};
use ownchat_domain::{
    audit::{self, Action, Line},
    key::Key,
    keyring::Keyring,
    locator::Locator,
    record::Record,
    vault::{
        record_path,
        registry::{ReadKey, ReadSettings, ReadTrail, Settings, TrailQuery},
    },
};
use ownchat_runtime::{Admin, Client, MASTER_KEYS};
use ownchat_simulation::World;
use std::collections::BTreeMap;

/// All that the registry says of one workspace.
pub struct Truth {
    /// By key, one line for each version.
    lines: BTreeMap<String, Vec<Line>>,
    /// By key: as the registry shows it, unless it was deleted, and its record.
    keys: BTreeMap<String, (Option<Key>, Record)>,
    pub settings: Settings,
}

impl Truth {
    /// Reads it, and checks that trail, keys and records are of one mind.
    pub fn read(world: &World, workspace: u32) -> Self {
        let mut admin = Admin::of(world.vault(), workspace);
        let person = admin.person;
        let settings = admin.ask(&ReadSettings { caller: person.into() }).unwrap().unwrap();
        let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let mut of_settings = 1;
        for text in trail(&mut admin) {
            let line: Line = serde_json::from_str(&text).unwrap();
            match line.key {
                Some(key) => lines.entry(key.to_string()).or_default().push(line),
                None => of_settings += 1,
            }
        }
        assert_eq!(settings.version, of_settings, "settings and trail");
        let keys = lines
            .iter()
            .map(|(id, lines)| {
                let id: Locator = id.parse().unwrap();
                let key = admin.ask(&ReadKey { caller: person.into(), id }).unwrap().ok();
                let record = record(world, workspace, id);
                check(key.as_ref(), &record, lines);
                (id.to_string(), (key, record))
            })
            .collect();
        Self { lines, keys, settings }
    }

    /// The key as it is shown, whether it was deleted, and its version.
    pub fn key(&self, id: Locator) -> (Option<Key>, bool, u64) {
        let (key, record) = self.keys.get(&id.to_string()).expect("a key that was acknowledged is lost");
        (key.clone(), record.deleted, record.version)
    }

    /// An acknowledged change stands in the trail as it was acknowledged.
    pub fn holds(&self, change: &Acknowledged) {
        let lines = self.lines.get(&change.id.to_string()).expect("a key that was acknowledged is lost");
        let line = lines.get(usize::try_from(change.version).unwrap() - 1);
        let line = line
            .unwrap_or_else(|| panic!("version {} of {:?} was acknowledged and is lost", change.version, change.id));
        assert_eq!(
            after(line),
            change.key,
            "version {} of {:?} is another than was acknowledged",
            change.version,
            change.id
        );
    }

    /// Whether KV holds the same.
    pub fn is_in_kv(&self, world: &World) -> bool {
        self.different_in_kv(world).is_empty()
    }

    /// What KV holds of the keys of which it holds something else: versions of the key and of the settings.
    pub fn different_in_kv(&self, world: &World) -> Vec<(Locator, Option<(u64, u64)>)> {
        let versions = |record: &Record| (record.version, record.workspace.version);
        self.keys
            .values()
            .map(|(_, truth)| (truth, in_kv(world, truth.locator).as_ref().map(versions)))
            .filter(|(truth, there)| *there != Some(versions(truth)))
            .map(|(truth, there)| (truth.locator, there))
            .collect()
    }
}

/// One line for each version; the last one, the key and its record say the same.
fn check(key: Option<&Key>, record: &Record, lines: &[Line]) {
    let id = record.locator;
    assert_eq!(u64::try_from(lines.len()).unwrap(), record.version, "versions and lines of {id:?}");
    assert!([Action::Create, Action::Duplicate].contains(&lines[0].action), "{id:?}");
    let last = lines.last().unwrap();
    assert_eq!(last.action == Action::Delete, record.deleted, "{id:?}");
    assert_eq!(after(last).as_ref(), key, "{id:?} and its last line");
    if let Some(key) = key {
        assert_eq!((&key.name, key.scopes, key.version), (&record.name, record.scopes, record.version), "{id:?}");
        assert_eq!(key.secrets.len(), record.secrets.len(), "{id:?}");
        let edited = key.name.strip_prefix("Edited ");
        assert_eq!(edited, key.metadata.get("number").map(String::as_str), "{id:?} is torn");
    }
}

fn after(line: &Line) -> Option<Key> {
    line.after.as_ref().map(|after| serde_json::from_str(after.get()).unwrap())
}

/// The whole trail, with its chain unbroken.
fn trail(admin: &mut Admin) -> Vec<String> {
    let mut lines = Vec::new();
    let mut cursor = None;
    loop {
        let query = TrailQuery { cursor, limit: Some(100), ..TrailQuery::default() };
        let page = admin.ask(&ReadTrail { caller: admin.person.into(), query }).unwrap().unwrap();
        lines.extend(page.lines);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let (count, _) = audit::verify(lines.iter().map(String::as_str)).unwrap();
    assert_eq!(count, u64::try_from(lines.len()).unwrap());
    lines
}

fn record(world: &World, workspace: u32, id: Locator) -> Record {
    let answer = Client::new(world.vault()).call("GET", &record_path(workspace, id), &[], b"").unwrap();
    assert_eq!(answer.status, 200, "{id:?} has no record");
    Record::open(&answer.body, id, &Keyring::parse(MASTER_KEYS).unwrap()).unwrap()
}
