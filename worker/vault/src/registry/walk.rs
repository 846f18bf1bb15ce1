//! A random walk: commands of every kind, one after the other, each compared with a simple model that knows
//! nothing of tables.
//!
//! `WALK_SEED` chooses the walk; `PROVE=1` makes it as long as it is promised.
#![allow(clippy::panic, clippy::too_many_lines)]

mod asking;
mod making;
mod model;

use super::{
    announce,
    copies::memory::{Memory as Kv, at_once},
    idempotency, keys, leftovers, life,
    meters::memory::Memory as Meters,
    outbox,
    rows::find,
    settings,
    testing::{NOW, STRANGER, WORKSPACE, count, keyring, origin, tell, workspace},
    trail::{Wanted, lines},
};
use crate::{
    answer::{Done, Refusal},
    database::{Database, memory::Memory},
};
use asking::{Asker, NETWORKS, SCOPES, secret_of};
use model::{Change, Model, Said};
use ownchat_domain::{
    account::PersonId,
    audit::{Flaw, verify},
    failure::Failure,
    feed::Subject,
    key::KeyPatch,
    locator::Locator,
    record::{Record, kv_name},
    time::{DAY, MINUTE, SECOND, Timestamp},
    vault::registry::{ChangeKey, ChangeSettings, DeleteKey, EndOldSecrets, RestoreKey, RotateKey},
};
use std::collections::BTreeMap;

/// Random numbers that a seed decides (`SplitMix64`).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let place = self.roll(from.len() as u64);
        from[usize::try_from(place).unwrap()]
    }
}

/// A workspace on its way, with its model and the records that were delivered.
pub struct Walk {
    pub database: Memory,
    pub now: Timestamp,
    model: Model,
    dice: Dice,
    kv: Kv,
    meters: Meters,
    /// How many commands of keys were carried out.
    done_for_keys: usize,
}

impl Walk {
    pub fn begin(seed: u64) -> Self {
        Self {
            database: workspace(),
            now: NOW,
            model: Model::default(),
            dice: Dice::new(seed),
            kv: Kv::default(),
            meters: Meters::default(),
            done_for_keys: 0,
        }
    }

    /// One command, and whether it did what it should and nothing else.
    pub fn step(&mut self) {
        self.now = self.now.plus(i64::try_from(self.dice.roll(2_000)).unwrap());
        // Weeks pass now and then, so that what is deleted is removed and secrets end.
        if self.dice.roll(150) == 0 {
            let days = self.dice.roll(20);
            self.now = self.now.plus(i64::try_from(days).unwrap() * DAY);
        }
        self.model.asker = Asker::Owner;
        self.model.asker = self.asker();
        match self.dice.roll(100) {
            0..10 => self.create(),
            10..15 => self.duplicate(),
            15..45 => self.change(),
            45..54 => self.delete(),
            54..60 => self.restore(),
            60..72 => self.rotate(),
            72..77 => self.end_old_secrets(),
            77..83 => self.settings(),
            83..86 => self.purge(),
            86..90 => self.tell(),
            90..94 => self.deliver(),
            94..97 => self.foreign(),
            _ => self.ask(),
        }
        assert_eq!(count(&self.database, "trail"), i64::try_from(self.model.lines).unwrap(), "one change, one line");
    }

    /// Any key, also one that is gone; often the one that asks.
    fn any(&mut self) -> (Locator, u64) {
        if let Asker::Key { id, .. } = self.model.asker
            && self.dice.roll(3) == 0
        {
            return (id, self.model.version(id));
        }
        if self.model.ever.is_empty() || self.dice.roll(40) == 0 {
            return ("0000000000000001".parse().unwrap(), 1);
        }
        let id = self.dice.pick(&self.model.ever);
        let version = self.model.version(id);
        // Now and then somebody has seen an older one.
        (id, if self.dice.roll(8) == 0 { version.saturating_sub(1) } else { version })
    }

    fn scopes(&mut self) -> Vec<&'static str> {
        let mask = self.dice.roll((1 << SCOPES.len()) - 1) + 1;
        SCOPES.into_iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1).map(|(_, scope)| scope).collect()
    }

    fn change(&mut self) {
        let (id, version) = self.any();
        let (json, change) = match self.dice.roll(8) {
            0 => {
                let name = self.dice.pick(&["Shop", "Store", "Market"]);
                (format!(r#"{{"name":"{name}"}}"#), Change::Name(name))
            }
            1 => (r#"{"status":"active"}"#.into(), Change::Status(true, None)),
            2 => {
                let reason = self.dice.pick(&[None, Some("leaked"), Some("moved")]);
                let json = reason.map_or_else(
                    || r#"{"status":"inactive"}"#.into(),
                    |reason| format!(r#"{{"status":"inactive","reason":"{reason}"}}"#),
                );
                (json, Change::Status(false, reason))
            }
            3 => {
                let scopes = self.scopes();
                (format!(r#"{{"scopes":{}}}"#, serde_json::to_string(&scopes).unwrap()), Change::Scopes(scopes))
            }
            4 => {
                let end = self.dice.pick(&[None, Some(DAY), Some(40 * DAY)]).map(|wait| self.now.plus(wait));
                let json = end.map_or_else(|| "null".into(), |end| format!("\"{}\"", end.rfc3339()));
                (format!(r#"{{"expires_at":{json}}}"#), Change::End(end))
            }
            5 => {
                let limit = self.dice.pick(&[None, Some(5u32), Some(50)]);
                let json =
                    limit.map_or_else(|| "null".into(), |limit| format!(r#"{{"limit":{limit},"window_seconds":10}}"#));
                (format!(r#"{{"rate_limit":{json}}}"#), Change::Rate(limit))
            }
            6 => {
                let allow = self.dice.pick(&[None, Some(NETWORKS[0].0), Some(NETWORKS[1].0)]);
                let json = allow.map_or_else(|| "null".into(), |allow| format!("[\"{allow}\"]"));
                (format!(r#"{{"restrictions":{{"allow":{json}}}}}"#), Change::Allow(allow))
            }
            _ => (r#"{"name":"  "}"#.into(), Change::Wrong),
        };
        let patch: KeyPatch = serde_json::from_str(&json).unwrap();
        let done =
            self.asking(|origin| keys::change(&self.database, &ChangeKey { origin, id, version, patch }, self.now));
        let said = self.model.change(id, version, &change, self.now);
        self.compare("change", said, done.map(|outcome| outcome.key.version), Some(id));
    }

    fn delete(&mut self) {
        let (id, version) = self.any();
        let done = self.asking(|origin| keys::delete(&self.database, &DeleteKey { origin, id, version }, self.now));
        let said = self.model.delete(id, version, self.now);
        self.compare("delete", said, done.map(|outcome| outcome.key.version), Some(id));
    }

    fn restore(&mut self) {
        let (id, _) = self.any();
        let done = self.asking(|origin| life::restore(&self.database, &RestoreKey { origin, id }, self.now));
        let said = self.model.restore(id, self.now);
        self.compare("restore", said, done.map(|outcome| outcome.key.version), Some(id));
    }

    fn rotate(&mut self) {
        let (id, version) = self.any();
        let overlap_seconds = self.dice.pick(&[0u32, 60, 86_400, 2_592_000, 2_592_001]);
        let secret = secret_of(self.model.keys.get(&id).map_or(1, |key| key.newest() + 1));
        let done = self.asking(|origin| {
            let call = RotateKey { origin, id, version, overlap_seconds, secret, once: None };
            life::rotate(&self.database, &keyring(), &call, self.now)
        });
        let said = self.model.rotate(id, version, overlap_seconds, self.now);
        self.compare("rotate", said, done.map(|outcome| outcome.key.version), Some(id));
    }

    fn end_old_secrets(&mut self) {
        let (id, version) = self.any();
        let done = self
            .asking(|origin| life::end_old_secrets(&self.database, &EndOldSecrets { origin, id, version }, self.now));
        let said = self.model.end_old_secrets(id, version, self.now);
        self.compare("end old secrets", said, done.map(|outcome| outcome.key.version), Some(id));
    }

    fn settings(&mut self) {
        let version = self.model.settings.0.saturating_sub(u64::from(self.dice.roll(6) == 0));
        let suspended = self.dice.pick(&[None, Some(true), Some(false), Some(false), Some(false)]);
        let outage_seconds = self.dice.pick(&[None, Some(0), Some(600), Some(3_601)]);
        let done = self.asking(|origin| {
            let call = ChangeSettings { origin, version, suspended, outage_seconds, reason: None };
            settings::change(&self.database, &call, self.now)
        });
        let said = self.model.change_settings(version, suspended, outage_seconds, self.now);
        self.compare("settings", said, done.map(|(settings, _)| settings.version), None);
    }

    fn purge(&mut self) {
        let purged = life::purge(&self.database, self.now).unwrap();
        assert_eq!(purged.troubles, Vec::<String>::new());
        assert_eq!(purged.gone, self.model.purge(self.now), "what is removed for good, the eldest deletion first");
        let troubles = at_once(leftovers::clear(&self.database, &self.meters, &self.kv, || self.now)).unwrap();
        assert_eq!(troubles, Vec::<String>::new());
        let gone = self.model.ever.iter().filter(|id| !self.model.keys.contains_key(*id));
        for id in gone {
            assert!(!self.kv.records.borrow().contains_key(&kv_name(*id)), "a copy is left");
            assert!(self.meters.cleared.borrow().contains(id), "a meter is left");
        }
        // What was answered long ago is forgotten, as an alarm does it.
        idempotency::forget(&self.database, self.now).unwrap();
    }

    /// The feed hears everything.
    fn tell(&mut self) {
        tell(&self.database, self.now);
        self.model.told();
        assert!(announce::waiting(&self.database, WORKSPACE).unwrap().is_empty());
    }

    /// KV is given everything that is due ten minutes later.
    fn deliver(&mut self) {
        self.now = self.now.plus(10 * MINUTE);
        while outbox::next_due(&self.database).unwrap().is_some_and(|due| due <= self.now) {
            let troubles = at_once(outbox::deliver(&self.database, &keyring(), &self.kv, || self.now)).unwrap();
            assert_eq!(troubles, Vec::<String>::new());
        }
        self.model.delivered(self.now);
        let records = self.kv.records.borrow();
        for (id, version) in self.model.records() {
            let bytes = records.get(&format!("k/{id}")).unwrap_or_else(|| panic!("no record of {id}"));
            let record = Record::open(bytes, id, &keyring()).unwrap();
            assert_eq!((record.version, record.workspace.version), (version, self.model.settings.0));
        }
        drop(records);
        self.now = self.now.plus(SECOND);
    }

    /// Somebody else's commands find nothing and change nothing.
    fn foreign(&mut self) {
        let (id, version) = self.any();
        let stranger: PersonId = STRANGER;
        let outcome = match self.dice.roll(3) {
            0 => keys::delete(&self.database, &DeleteKey { origin: origin(stranger), id, version }, self.now).map(drop),
            1 => life::restore(&self.database, &RestoreKey { origin: origin(stranger), id }, self.now).map(drop),
            _ => {
                let call = EndOldSecrets { origin: origin(stranger), id, version };
                life::end_old_secrets(&self.database, &call, self.now).map(drop)
            }
        };
        assert_eq!(outcome, Err(Failure::NotFound.into()));
        self.same(Some(id));
    }

    /// An edge asks for a record: it is written again, but not within a minute, and nothing else happens.
    fn ask(&mut self) {
        let (id, _) = self.any();
        outbox::enqueue_missing(&self.database, id, self.now).unwrap();
        self.model.asked(id, self.now);
        self.same(Some(id));
    }

    /// The registry said what the model says, and did what the model did.
    fn compare(&mut self, what: &str, said: Said, done: Done<u64>, id: Option<Locator>) {
        let answer = match done {
            Ok(version) => Said::Done(version),
            Err(Refusal::Failure(Failure::Reused)) => Said::Reused,
            Err(Refusal::Failure(Failure::NotFound)) => Said::NotFound,
            Err(Refusal::Failure(Failure::Stale)) => Said::Stale,
            Err(Refusal::Failure(Failure::Invalid { .. })) => Said::Invalid,
            Err(Refusal::Failure(Failure::KeyRefused { code, .. })) => Said::Refused(code),
            Err(Refusal::Failure(Failure::NotHeld { .. })) => Said::NotHeld,
            Err(Refusal::Failure(Failure::Beyond { .. })) => Said::Beyond,
            Err(Refusal::Failure(Failure::ScopeMissing { required, .. })) => {
                let lacking = ["keys:self", "keys:write", "account:write"];
                Said::Lacks(lacking.into_iter().find(|scope| required.names() == [*scope]).unwrap())
            }
            Err(refusal) => panic!("{what}: {refusal:?}"),
        };
        assert_eq!(answer, said, "{what}");
        if matches!((answer, self.model.asker), (Said::Done(_), Asker::Key { .. })) {
            self.done_for_keys += 1;
        }
        if let Some(action) = self.model.last_action {
            let sql = "SELECT action, actor FROM trail ORDER BY sequence DESC LIMIT 1";
            let mut line = self.database.first(sql, &[]).unwrap().unwrap();
            let written = (line.text().unwrap(), line.text().unwrap());
            assert_eq!(written, (action.to_owned(), self.model.asker.actor()), "{what}");
        }
        self.same(id);
    }

    /// A key, or the settings, are as in the model, and so is what waits for feed and KV.
    fn same(&self, id: Option<Locator>) {
        if let Some(id) = id {
            let row = find(&self.database, id).unwrap();
            assert_eq!(row.map(|row| model::Key::of(&row)), self.model.keys.get(&id).cloned());
        }
        let waiting = announce::waiting(&self.database, WORKSPACE).unwrap().into_iter().map(|entry| {
            let subject = match entry.subject {
                Subject::Key(id) => id.to_string(),
                Subject::Workspace(_) => String::new(),
            };
            (subject, entry.version)
        });
        assert_eq!(waiting.collect::<BTreeMap<_, _>>(), self.model.untold, "what the feed must be told");
        assert_eq!(count(&self.database, "outbox"), i64::try_from(self.model.undelivered()).unwrap());
    }

    /// Everything is as in the model.
    pub fn all_the_same(&self) {
        for id in &self.model.ever {
            self.same(Some(*id));
        }
        assert_eq!(count(&self.database, "keys"), i64::try_from(self.model.keys.len()).unwrap());
        let settings = super::rows::workspace(&self.database).unwrap();
        let (version, suspended, outage) = self.model.settings;
        assert_eq!((settings.version, settings.suspended, settings.outage_seconds), (version, suspended, outage));
        let trail = trail(&self.database);
        let (lines, _) = verify(trail.iter().map(String::as_str)).unwrap();
        assert_eq!(lines, self.model.lines);
    }
}

fn trail(database: &Memory) -> Vec<String> {
    let wanted = Wanted { limit: 1_000_000, ..Wanted::default() };
    lines(database, &wanted).unwrap().into_iter().map(|(_, line)| line).collect()
}

#[test]
fn a_random_walk_does_what_the_model_does() {
    let seed = std::env::var("WALK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2_026);
    let steps = if std::env::var_os("PROVE").is_some() { 10_000 } else { 1_500 };
    println!("seed {seed}, {steps} commands");
    let mut walk = Walk::begin(seed);
    for step in 0..steps {
        walk.step();
        if step % 500 == 499 {
            walk.all_the_same();
        }
    }
    walk.all_the_same();
    let whole = trail(&walk.database);
    println!("{} keys, {} lines, {} commands of keys done", walk.model.keys.len(), whole.len(), walk.done_for_keys);
    assert!(walk.done_for_keys > steps / 100, "keys were hardly heard");
    // Whichever line is touched is found.
    for _ in 0..20 {
        let place = usize::try_from(walk.dice.roll(whole.len() as u64)).unwrap();
        let number = place as u64 + 1;
        let touched = whole[place].replacen("\"at\":\"2", "\"at\":\"3", 1);
        let touch = "UPDATE trail SET line = ? WHERE sequence = ?";
        let at = i64::try_from(number).unwrap();
        walk.database.run(touch, &[touched.into(), at.into()]).unwrap();
        let found = verify(trail(&walk.database).iter().map(String::as_str));
        assert_eq!(found, Err(Flaw::Altered(number)));
        walk.database.run(touch, &[whole[place].as_str().into(), at.into()]).unwrap();
    }
}
