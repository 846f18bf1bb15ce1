//! Model-based random walk: random commands of every kind, each compared with a simple model that
//! has no tables.
//!
//! `WALK_SEED` chooses the seed; `PROVE=1` runs the full length.
#![allow(clippy::panic)]

mod caller;
mod compare;
mod create;
mod edit;
mod key;
mod model;
mod model_create;
mod random;
mod tampering;

use super::{
    end_secrets, feed_outbox, idempotency, keys, kv_outbox,
    kv_replica::memory::{MemoryKv, expect_ready},
    meters::memory::MemoryMeters,
    purge, purge_cleanup, restore, rotate,
    settings::{self, SettingsOutcome},
    testing::{NOW, STRANGER, WORKSPACE, count, keyring, origin, publish_all, workspace},
    trail::{LineFilter, lines},
};
use crate::database::memory::MemoryDatabase;
use caller::{ModelCaller, secret_of};
use compare::Actual;
use model::Model;
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    key::KeyPatch,
    locator::Locator,
    record::kv_name,
    time::{DAY, MINUTE, SECOND, Timestamp},
    vault::registry::{ChangeKey, ChangeSettings, DeleteKey, EndOldSecrets, RestoreKey, RotateKey},
};
use random::SeededRng;

/// A workspace, its model, and the records that were delivered.
pub struct Walk {
    pub database: MemoryDatabase,
    pub now: Timestamp,
    model: Model,
    rng: SeededRng,
    kv: MemoryKv,
    meters: MemoryMeters,
    /// Successful commands that a key gave.
    commands_by_keys: usize,
}

impl Walk {
    pub fn begin(seed: u64) -> Self {
        Self {
            database: workspace(),
            now: NOW,
            model: Model::default(),
            rng: SeededRng::new(seed),
            kv: MemoryKv::default(),
            meters: MemoryMeters::default(),
            commands_by_keys: 0,
        }
    }

    /// Runs one random command, and checks its result and its effects.
    pub fn step(&mut self) {
        self.now = self.now.plus(i64::try_from(self.rng.below(2_000)).unwrap());
        // Weeks pass now and then, so that deleted keys are purged and secrets end.
        if self.rng.below(150) == 0 {
            let days = self.rng.below(20);
            self.now = self.now.plus(i64::try_from(days).unwrap() * DAY);
        }
        self.model.caller = ModelCaller::Owner;
        self.model.caller = self.pick_caller();
        match self.rng.below(100) {
            0..10 => self.create(),
            10..15 => self.duplicate(),
            15..45 => self.change(),
            45..54 => self.delete(),
            54..60 => self.restore(),
            60..72 => self.rotate(),
            72..77 => self.end_old_secrets(),
            77..83 => self.settings(),
            83..86 => self.purge(),
            86..90 => self.publish(),
            90..94 => self.deliver(),
            94..97 => self.foreign(),
            _ => self.request_record(),
        }
        assert_eq!(count(&self.database, "trail"), i64::try_from(self.model.lines).unwrap(), "one change, one line");
    }

    /// Picks a key: mostly a present one, sometimes a purged one, often the caller itself.
    fn any_key(&mut self) -> (Locator, u64) {
        if let ModelCaller::Key { id, .. } = self.model.caller
            && self.rng.below(3) == 0
        {
            return (id, self.model.version(id));
        }
        if self.model.all_ids.is_empty() || self.rng.below(40) == 0 {
            return ("0000000000000001".parse().unwrap(), 1);
        }
        let there: Vec<Locator> = self.model.keys_that(|key| key.deleted_at.is_none());
        let id = if there.is_empty() || self.rng.below(5) == 0 {
            self.rng.pick(&self.model.all_ids)
        } else {
            self.rng.pick(&there)
        };
        let version = self.model.version(id);
        // Now and then the version is stale.
        (id, if self.rng.below(8) == 0 { version.saturating_sub(1) } else { version })
    }

    fn change(&mut self) {
        let (id, version) = self.any_key();
        let edit = self.any_edit();
        let patch: KeyPatch = serde_json::from_value(edit.json()).unwrap();
        let result =
            self.as_caller(|origin| keys::change(&self.database, &ChangeKey { origin, id, version, patch }, self.now));
        let expected = self.model.change(id, version, &edit, self.now);
        self.compare(&format!("{edit:?}"), expected, result.map(Actual::from), Some(id));
    }

    fn delete(&mut self) {
        let (id, version) = self.any_key();
        let result =
            self.as_caller(|origin| keys::delete(&self.database, &DeleteKey { origin, id, version }, self.now));
        let expected = self.model.delete(id, version, self.now);
        self.compare("delete", expected, result.map(Actual::from), Some(id));
    }

    fn restore(&mut self) {
        let deleted = self.model.keys_that(|key| key.deleted_at.is_some());
        let id = if deleted.is_empty() || self.rng.below(3) == 0 { self.any_key().0 } else { self.rng.pick(&deleted) };
        let result = self.as_caller(|origin| restore::restore(&self.database, &RestoreKey { origin, id }, self.now));
        let expected = self.model.restore(id, self.now);
        self.compare("restore", expected, result.map(Actual::from), Some(id));
    }

    fn rotate(&mut self) {
        let (id, version) = self.any_key();
        let overlap_seconds = self.rng.pick(&[0u32, 60, 86_400, 2_592_000, 2_592_001]);
        let secret = secret_of(self.model.keys.get(&id).map_or(1, |key| key.newest() + 1));
        let result = self.as_caller(|origin| {
            let command = RotateKey { origin, id, version, overlap_seconds, end_earlier: true, secret, once: None };
            rotate::rotate(&self.database, &keyring(), &command, self.now)
        });
        let expected = self.model.rotate(id, version, overlap_seconds, self.now);
        self.compare("rotate", expected, result.map(Actual::from), Some(id));
    }

    fn end_old_secrets(&mut self) {
        let (id, _) = self.any_key();
        let result = self
            .as_caller(|origin| end_secrets::end_old_secrets(&self.database, &EndOldSecrets { origin, id }, self.now));
        let expected = self.model.end_old_secrets(id, self.now);
        self.compare("end old secrets", expected, result.map(Actual::from), Some(id));
    }

    fn settings(&mut self) {
        let version = self.model.settings.0.saturating_sub(u64::from(self.rng.below(6) == 0));
        let suspended = self.rng.pick(&[None, Some(true), Some(false), Some(false), Some(false)]);
        let outage_seconds = self.rng.pick(&[None, Some(0), Some(600), Some(3_601)]);
        let result = self.as_caller(|origin| {
            let command = ChangeSettings { origin, version, suspended, outage_seconds, reason: None };
            settings::change(&self.database, &command, self.now)
        });
        let expected = self.model.change_settings(version, suspended, outage_seconds, self.now);
        let actual = |SettingsOutcome { settings, narrowed }| Actual {
            version: settings.version,
            narrowed: Some(narrowed),
            key: None,
        };
        self.compare("settings", expected, result.map(actual), None);
    }

    fn purge(&mut self) {
        let purged = purge::purge(&self.database, self.now).unwrap();
        assert_eq!(purged.errors, Vec::<String>::new());
        assert_eq!(purged.keys, self.model.purge(self.now), "purged keys, the oldest deletion first");
        let errors = expect_ready(purge_cleanup::run(&self.database, &self.meters, &self.kv, || self.now)).unwrap();
        assert_eq!(errors, Vec::<String>::new());
        let gone = self.model.all_ids.iter().filter(|id| !self.model.keys.contains_key(*id));
        for id in gone {
            assert!(!self.kv.records.borrow().contains_key(&kv_name(*id)), "a replica is left");
            assert!(self.meters.cleared.borrow().contains(id), "a meter is left");
        }
        // Responses expire as in an alarm.
        idempotency::expire(&self.database, self.now).unwrap();
    }

    /// Publishes every pending feed entry.
    fn publish(&mut self) {
        publish_all(&self.database, self.now);
        self.model.published();
        assert!(feed_outbox::pending(&self.database, WORKSPACE).unwrap().is_empty());
    }

    /// Delivers everything that is due within ten minutes.
    fn deliver(&mut self) {
        self.now = self.now.plus(10 * MINUTE);
        while kv_outbox::next_due(&self.database).unwrap().is_some_and(|due| due <= self.now) {
            let errors = expect_ready(kv_outbox::deliver(&self.database, &keyring(), &self.kv, || self.now)).unwrap();
            assert_eq!(errors, Vec::<String>::new());
        }
        self.model.delivered(self.now);
        self.check_delivered_records();
        self.now = self.now.plus(SECOND);
    }

    /// A stranger's commands find nothing and change nothing.
    fn foreign(&mut self) {
        let (id, version) = self.any_key();
        let stranger: PersonId = STRANGER;
        let outcome = match self.rng.below(3) {
            0 => keys::delete(&self.database, &DeleteKey { origin: origin(stranger), id, version }, self.now).map(drop),
            1 => restore::restore(&self.database, &RestoreKey { origin: origin(stranger), id }, self.now).map(drop),
            _ => {
                let command = EndOldSecrets { origin: origin(stranger), id };
                end_secrets::end_old_secrets(&self.database, &command, self.now).map(drop)
            }
        };
        assert_eq!(outcome, Err(Failure::NotFound.into()));
        self.check_key(Some(id));
    }

    /// An edge asks for a record: it is queued again, at most once an hour, and nothing else
    /// changes.
    fn request_record(&mut self) {
        let (id, _) = self.any_key();
        kv_outbox::enqueue_missing(&self.database, id, self.now).unwrap();
        self.model.requested(id, self.now);
        self.check_key(Some(id));
    }
}

fn trail(database: &MemoryDatabase) -> Vec<String> {
    let wanted = LineFilter { limit: 1_000_000, ..LineFilter::default() };
    lines(database, &wanted).unwrap().into_iter().map(|(_, line)| line).collect()
}

#[test]
fn a_random_walk_matches_the_model() {
    let seed = std::env::var("WALK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2_026);
    let steps = if std::env::var_os("PROVE").is_some() { 10_000 } else { 1_500 };
    println!("seed {seed}, {steps} commands");
    let mut walk = Walk::begin(seed);
    for step in 0..steps {
        walk.step();
        if step % 500 == 499 {
            walk.check_all();
        }
    }
    walk.check_all();
    let whole = trail(&walk.database);
    println!("{} keys, {} lines, {} commands by keys", walk.model.keys.len(), whole.len(), walk.commands_by_keys);
    assert!(walk.commands_by_keys > steps / 100, "few commands of keys succeeded");
    walk.deliver();
    walk.check_records();
    tampering::is_found(&mut walk);
}
