//! Somebody who changes keys all the time, and remembers what was acknowledged.

use super::check::Truth;
use ownchat_domain::{
    account::{PersonId, SessionToken},
    digest::SecretHash,
    failure::Failure,
    key::{Key, Status},
    keyring::Keyring,
    locator::Locator,
    record::{Record, kv_name},
    time::SECOND,
    vault::{
        Object, Outcome, person,
        registry::{
            ChangeKey, ChangeSettings, Changed, DeleteKey, DuplicateKey, EndOldSecrets, RestoreKey, RotateKey, Settings,
        },
    },
};
use ownchat_runtime::{Admin, MASTER_KEYS, new_key, secret, token};
use ownchat_simulation::{Caller, Clock, Question, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Most keys of one writer.
const KEYS: usize = 8;
/// How soon an edge knows what the registry knows, in milliseconds.
const KNOWN_WITHIN: i64 = 15 * SECOND;
const SCOPES: [&str; 4] = ["contacts:read", "contacts:write", "messages:read", "messages:send"];

/// What was acknowledged of one change.
pub struct Acknowledged {
    pub id: Locator,
    pub version: u64,
    /// The key afterwards; none when it was deleted.
    pub key: Option<Key>,
}

/// A key as its writer knows it.
struct Known {
    key: Key,
    is_deleted: bool,
    /// What opens it, the newest last.
    tokens: Vec<String>,
    /// Whether a change was asked for and not answered, and what opens the key if it was done.
    is_asked: bool,
    brings: Option<String>,
}

pub struct Writer {
    workspace: u32,
    owns_settings: bool,
    random: SmallRng,
    keys: BTreeMap<String, Known>,
    log: Vec<Acknowledged>,
    settings: Settings,
    sessions: Vec<SessionToken>,
    ended: Vec<SessionToken>,
    commands: u64,
    changes: usize,
}

impl Writer {
    pub fn begin(world: &World, number: u32) -> Self {
        let workspace = 1 + number / 2;
        let owns_settings = number.is_multiple_of(2);
        let mut admin = if owns_settings { world.found(workspace) } else { Admin::of(world.vault(), workspace) };
        let found = person::Found {
            name: "Ada".into(),
            email: format!("ada{number}@example.com"),
            password: String::new(),
            workspace,
            workspace_name: "Acme".into(),
        };
        admin.ask_object(Object::Person(person_of(number)), &found).unwrap().unwrap();
        Self {
            workspace,
            owns_settings,
            random: SmallRng::seed_from_u64(u64::from(number)),
            keys: BTreeMap::new(),
            log: Vec::new(),
            settings: Settings { name: "Acme".into(), version: 1, suspended: false, outage_seconds: 0 },
            sessions: vec![SessionToken::new(person_of(number), [0; 16])],
            ended: Vec::new(),
            commands: 0,
            changes: 0,
        }
    }

    pub fn workspace(&self) -> u32 {
        self.workspace
    }

    /// How many changes were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.changes
    }

    /// Gives one command after the other until one is not answered, and counts those that are.
    pub fn write_until_cut_off(&mut self, vault: SocketAddr, done: &AtomicUsize) {
        let mut admin = Admin::of(vault, self.workspace);
        while self.command(&mut admin).is_ok() {
            self.commands += 1;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn command(&mut self, admin: &mut Admin) -> io::Result<()> {
        if self.keys.len() < KEYS {
            return self.create(admin);
        }
        match self.random.random_range(0..12) {
            0 if self.sessions.len() > 2 && self.random.random() => self.end_session(admin),
            0 => self.open_session(admin),
            1 if self.owns_settings => self.change_settings(admin),
            _ => {
                let place = self.random.random_range(0..self.keys.len());
                let id = self.keys.keys().nth(place).unwrap().clone();
                self.change_key(admin, &id)
            }
        }
    }

    fn create(&mut self, admin: &mut Admin) -> io::Result<()> {
        let model = self.keys.values().find(|known| !known.is_deleted).filter(|_| self.random.random());
        let (key, token) = if let Some(known) = model {
            let (origin, id, fresh) = (admin.origin(), known.key.id, secret());
            let differences = serde_json::from_value(json!({"name": "Made", "metadata": null}))?;
            let secret = SecretHash::of(&fresh);
            let call = DuplicateKey { origin, id, differences, environment: None, secret, once: None };
            let key = admin.ask(&call)?.unwrap().key;
            (key.clone(), token(&key, fresh))
        } else {
            let made = admin.create(new_key("Made", &SCOPES[..1]))?.unwrap();
            (made.key, made.token)
        };
        self.note(&key, Some(key.clone()));
        let known = Known { key, is_deleted: false, tokens: vec![token], is_asked: false, brings: None };
        self.keys.insert(known.key.id.to_string(), known);
        Ok(())
    }

    fn change_key(&mut self, admin: &mut Admin, id: &str) -> io::Result<()> {
        let kind = self.random.random_range(0..6);
        let number = self.commands;
        let known = self.keys.get_mut(id).unwrap();
        let (origin, id, version) = (admin.origin(), known.key.id, known.key.version);
        let fresh = secret();
        known.is_asked = true;
        known.brings = (kind == 3 && !known.is_deleted).then(|| token(&known.key, fresh.clone()));
        let outcome: Outcome<Changed> = if known.is_deleted {
            admin.ask(&RestoreKey { origin, id })?
        } else {
            match kind {
                0 => admin.ask(&DeleteKey { origin, id, version })?,
                1 => {
                    let off = known.key.status == Status::Active;
                    let patch = json!({"status": if off { "inactive" } else { "active" }});
                    admin.ask(&ChangeKey { origin, id, version, patch: serde_json::from_value(patch)? })?
                }
                3 => {
                    let secret = SecretHash::of(&fresh);
                    admin.ask(&RotateKey { origin, id, version, overlap_seconds: 0, secret, once: None })?
                }
                4 => admin.ask(&EndOldSecrets { origin, id, version })?,
                // The number stands in several places: a torn change would show in one of them only.
                _ => {
                    let scopes: Vec<_> = SCOPES.iter().take(usize::try_from(number % 4).unwrap() + 1).collect();
                    let patch = json!({
                        "name": format!("Edited {number}"), "scopes": scopes,
                        "metadata": {"number": number.to_string()},
                    });
                    admin.ask(&ChangeKey { origin, id, version, patch: serde_json::from_value(patch)? })?
                }
            }
        };
        let is_deletion = kind == 0 && !known.is_deleted;
        match outcome {
            Ok(changed) => {
                known.is_asked = false;
                known.tokens.extend(known.brings.take());
                (known.is_deleted, known.key) = (is_deletion, changed.key.clone());
                if changed.key.version > version {
                    self.note(&changed.key, (!is_deletion).then(|| changed.key.clone()));
                }
                Ok(())
            }
            // Made, and the feed could not be told of it any more.
            Err(Failure::NotEffectiveYet) => Err(io::ErrorKind::Interrupted.into()),
            Err(failure) => panic!("{failure}: command {kind} on version {version} of {id}"),
        }
    }

    fn note(&mut self, key: &Key, after: Option<Key>) {
        self.changes += 1;
        self.log.push(Acknowledged { id: key.id, version: key.version, key: after });
    }

    fn change_settings(&mut self, admin: &mut Admin) -> io::Result<()> {
        let outage_seconds = Some(self.random.random_range(0..3_600));
        let call = ChangeSettings {
            origin: admin.origin(),
            version: self.settings.version,
            suspended: None,
            outage_seconds,
            reason: None,
        };
        match admin.ask(&call)? {
            Ok(changed) => {
                self.changes += usize::from(changed.settings.version > self.settings.version);
                self.settings = changed.settings;
                Ok(())
            }
            Err(Failure::NotEffectiveYet) => Err(io::ErrorKind::Interrupted.into()),
            Err(failure) => panic!("{failure}"),
        }
    }

    fn open_session(&mut self, admin: &mut Admin) -> io::Result<()> {
        let session = SessionToken::new(self.sessions[0].person, self.random.random());
        let call = person::OpenSession { session: session.hash(), address: "192.0.2.1".into() };
        admin.ask_object(Object::Person(session.person), &call)?.unwrap();
        self.changes += 1;
        self.sessions.push(session);
        Ok(())
    }

    fn end_session(&mut self, admin: &mut Admin) -> io::Result<()> {
        let place = self.random.random_range(1..self.sessions.len());
        // Without an answer nobody knows whether it has ended, and it is not asked for again.
        let session = self.sessions.swap_remove(place);
        let call = person::EndSession { session: session.hash() };
        admin.ask_object(Object::Person(session.person), &call)?.unwrap();
        self.changes += 1;
        self.ended.push(session);
        Ok(())
    }

    /// Whether every key in KV is as new as what was acknowledged last.
    pub fn kv_has_what_was_acknowledged(&self, world: &World) -> bool {
        self.keys.values().all(|known| {
            let record = in_kv(world, known.key.id);
            record.is_some_and(|record| record.version >= known.key.version)
        })
    }

    /// Compares what was acknowledged with what is there, and takes up what was done without an answer. Says how
    /// much that was.
    pub fn compare(&mut self, truth: &Truth) -> usize {
        for change in self.log.drain(..) {
            truth.holds(&change);
        }
        let mut unanswered = 0;
        for known in self.keys.values_mut() {
            let (key, is_deleted, version) = truth.key(known.key.id);
            let ahead = version - known.key.version;
            assert!(ahead <= u64::from(known.is_asked), "{:?} is {ahead} versions ahead", known.key.id);
            let brought = known.brings.take();
            known.is_asked = false;
            if ahead == 0 {
                assert_eq!(is_deleted, known.is_deleted, "{:?}", known.key.id);
                continue;
            }
            unanswered += 1;
            // Secrets that have ended are forgotten, so it is not their count that tells of a new one.
            if key.as_ref().is_some_and(|key| newest_secret(key) > newest_secret(&known.key)) {
                known.tokens.extend(brought);
            }
            known.is_deleted = is_deleted;
            known.key = key.unwrap_or_else(|| Key { version, ..known.key.clone() });
        }
        if self.owns_settings {
            let ahead = truth.settings.version - self.settings.version;
            assert!(ahead <= 1 && (ahead == 1 || truth.settings == self.settings), "{:?}", truth.settings);
            self.settings = truth.settings.clone();
        }
        unanswered
    }

    /// Whoever was signed in is signed in, and whoever signed out is out.
    pub fn check_sessions(&self, world: &World) {
        let mut admin = Admin::of(world.vault(), self.workspace);
        for session in self.sessions.iter().skip(1) {
            let call = person::Resume { session: session.hash() };
            let resumed = admin.ask_object(Object::Person(session.person), &call).unwrap();
            assert!(resumed.is_ok(), "an acknowledged session is lost: {resumed:?}");
        }
        for session in &self.ended {
            let call = person::Resume { session: session.hash() };
            let resumed = admin.ask_object(Object::Person(session.person), &call).unwrap();
            assert!(resumed.is_err(), "a session that has ended is back");
        }
    }

    /// An edge that has lived through the crash says of every key what holds.
    ///
    /// What gives something and was cut off may be told to the feed a second after the vault is back, and the edge
    /// reads the feed within five. Says how long it took at most, in milliseconds.
    pub fn check_calls(&self, caller: &mut Caller, clock: Clock) -> i64 {
        let mut slowest = 0;
        let mut expect = |token: &str, what: &str, is_right: &dyn Fn(&str) -> bool| {
            let mut code = String::new();
            let took = clock.until(KNOWN_WITHIN, || {
                code = caller.code(&Question::about(token));
                is_right(&code)
            });
            slowest = slowest.max(took.unwrap_or_else(|| panic!("{what} is told {code}")));
        };
        for known in self.keys.values() {
            let (newest, older) = known.tokens.split_last().unwrap();
            let expected = match (known.is_deleted, known.key.status) {
                (true, _) => "UNKNOWN_KEY",
                (false, Status::Active) => "VALID",
                (false, Status::Inactive) => "INACTIVE",
            };
            expect(newest, &format!("not {expected}: {:?}", known.key), &|code| code == expected);
            if let Some(old) = older.last() {
                expect(old, &format!("an old secret of {:?}", known.key), &|code| {
                    code != "VALID" && code != "UNAVAILABLE"
                });
            }
        }
        slowest
    }
}

fn newest_secret(key: &Key) -> Option<u32> {
    key.secrets.iter().map(|secret| secret.number).max()
}

fn person_of(number: u32) -> PersonId {
    PersonId(1_000 + u64::from(number))
}

/// The record that was written into KV last.
pub fn in_kv(world: &World, id: Locator) -> Option<Record> {
    let bytes = world.kv.newest(&kv_name(id))?;
    Some(Record::open(&bytes, id, &Keyring::parse(MASTER_KEYS).unwrap()).unwrap())
}
