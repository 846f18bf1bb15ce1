//! A writer that changes keys in a loop, and logs the acknowledged changes.

mod idempotency;
mod recovery;

use idempotency::SentRequest;
use ownchat_domain::{
    account::{PersonId, SessionToken},
    digest::SecretHash,
    failure::Failure,
    key::{Key, KeySecret, Status},
    locator::Locator,
    time::Timestamp,
    vault::{
        Object, Outcome, person,
        registry::{ChangeKey, ChangeSettings, Changed, DeleteKey, DuplicateKey, EndOldSecrets, RestoreKey, Settings},
    },
};
use ownchat_runtime::{Admin, secret, token};
use ownchat_simulation::{Clock, World};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Most keys of one writer, without those that a request has created without a response.
const KEYS: usize = 8;
/// Most open sessions of a writer. The vault evicts sessions beyond 20 of an account, and counts
/// those whose opening was not acknowledged.
const SESSIONS: usize = 10;
/// Overlap of old secrets, in seconds: longer than the whole test.
const OVERLAP_SECONDS: u32 = 86_400;
/// Most working secrets of a key before a rotation with an overlap.
const WORKING_MAX: usize = 3;
const SCOPES: [&str; 4] = ["contacts:read", "contacts:write", "messages:read", "messages:send"];

/// An acknowledged change.
pub struct Acknowledged {
    pub id: Locator,
    pub version: u64,
    /// The key after the change; none if it is deleted.
    pub key: Option<Key>,
}

/// A key as its writer knows it.
struct Known {
    key: Key,
    is_deleted: bool,
    /// Tokens of the key with the numbers of their secrets, newest last.
    tokens: Vec<(u32, String)>,
    /// True if a change has had no response yet. `brings` is the token that it adds.
    is_asked: bool,
    brings: Option<String>,
}

pub struct Writer {
    number: u32,
    workspace: u32,
    owns_settings: bool,
    random: SmallRng,
    keys: BTreeMap<String, Known>,
    log: Vec<Acknowledged>,
    /// Requests with an idempotency key, since the last start of the vault.
    sent: Vec<SentRequest>,
    settings: Settings,
    sessions: Vec<SessionToken>,
    ended: Vec<SessionToken>,
    commands: u64,
    requests: u64,
    changes: usize,
}

impl Writer {
    pub fn begin(world: &World, number: u32) -> Self {
        let workspace = 1 + number / 2;
        let owns_settings = number.is_multiple_of(2);
        let mut admin = if owns_settings { world.found(workspace) } else { Admin::of(world.vault(), workspace) };
        let found = person::CreateAccount {
            name: "Ada".into(),
            email: format!("ada{number}@example.com"),
            password: String::new(),
            workspace,
            workspace_name: "Acme".into(),
        };
        admin.ask_object(Object::Person(person_of(number)), &found).unwrap().unwrap();
        Self {
            number,
            workspace,
            owns_settings,
            random: SmallRng::seed_from_u64(u64::from(number)),
            keys: BTreeMap::new(),
            log: Vec::new(),
            sent: Vec::new(),
            settings: Settings { name: "Acme".into(), version: 1, suspended: false, outage_seconds: 0 },
            sessions: vec![SessionToken::new(person_of(number), [0; 16])],
            ended: Vec::new(),
            commands: 0,
            requests: 0,
            changes: 0,
        }
    }

    pub fn workspace(&self) -> u32 {
        self.workspace
    }

    /// Number of acknowledged changes.
    pub fn acknowledged(&self) -> usize {
        self.changes
    }

    /// Issues commands one by one until one gets no response, and counts the acknowledged ones.
    pub fn write_until_cut_off(&mut self, vault: SocketAddr, clock: Clock, done: &AtomicUsize) {
        let mut admin = Admin::of(vault, self.workspace);
        while self.command(&mut admin, clock).is_ok() {
            self.commands += 1;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn command(&mut self, admin: &mut Admin, clock: Clock) -> io::Result<()> {
        if self.keys.len() < KEYS {
            return if self.random.random() { self.create_once(admin) } else { self.duplicate(admin) };
        }
        match self.random.random_range(0..14) {
            0 if self.sessions.len() > SESSIONS => self.end_session(admin),
            0 if self.sessions.len() > 2 && self.random.random() => self.end_session(admin),
            0 => self.open_session(admin),
            1 if self.owns_settings => self.change_settings(admin),
            2 => match self.keys.iter().find(|(_, known)| known.is_deleted).map(|(id, _)| id.clone()) {
                // A new key replaces the deleted one.
                Some(id) => {
                    self.keys.remove(&id);
                    self.create_once(admin)
                }
                None => self.open_session(admin),
            },
            kind => {
                let place = self.random.random_range(0..self.keys.len());
                let id = self.keys.keys().nth(place).unwrap().clone();
                let known = &self.keys[&id];
                if kind < 5 && !known.is_deleted {
                    let working = known.working(clock.now()).count();
                    let overlap = if self.random.random() && working <= WORKING_MAX { OVERLAP_SECONDS } else { 0 };
                    self.rotate_once(admin, &id, overlap)
                } else {
                    self.change_key(admin, &id)
                }
            }
        }
    }

    /// Duplicates a key, if there is any to duplicate.
    fn duplicate(&mut self, admin: &mut Admin) -> io::Result<()> {
        let Some(model) = self.keys.values().find(|known| !known.is_deleted) else { return self.create_once(admin) };
        let (origin, id, fresh) = (admin.origin(), model.key.id, secret());
        let differences = serde_json::from_value(json!({"name": "Made", "description": null, "metadata": null}))?;
        let secret = SecretHash::of(&fresh);
        let call = DuplicateKey { origin, id, differences, environment: None, secret, once: None };
        let key = admin.ask(&call)?.unwrap().key;
        self.take_up(&key, token(&key, fresh));
        Ok(())
    }

    /// Adopts a created key.
    fn take_up(&mut self, key: &Key, token: String) {
        self.note(key, Some(key.clone()));
        let known =
            Known { key: key.clone(), is_deleted: false, tokens: vec![(1, token)], is_asked: false, brings: None };
        self.keys.insert(key.id.to_string(), known);
    }

    fn change_key(&mut self, admin: &mut Admin, id: &str) -> io::Result<()> {
        let kind = self.random.random_range(0..5);
        let number = self.commands;
        let known = self.keys.get_mut(id).unwrap();
        let (origin, id, version) = (admin.origin(), known.key.id, known.key.version);
        known.is_asked = true;
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
                2 => admin.ask(&EndOldSecrets { origin, id })?,
                _ => admin.ask(&ChangeKey { origin, id, version, patch: serde_json::from_value(edit(number))? })?,
            }
        };
        let is_deletion = kind == 0 && !known.is_deleted;
        match outcome {
            Ok(changed) => {
                known.is_asked = false;
                (known.is_deleted, known.key) = (is_deletion, changed.key.clone());
                if changed.key.version > version {
                    self.note(&changed.key, (!is_deletion).then(|| changed.key.clone()));
                }
                Ok(())
            }
            // Done, but the vault could no longer publish it to the feed.
            Err(Failure::NotEffectiveYet) => Err(io::ErrorKind::Interrupted.into()),
            Err(failure) => panic!("{failure}: command {kind} on version {version} of {id}"),
        }
    }

    fn note(&mut self, key: &Key, after: Option<Key>) {
        self.changes += 1;
        self.log.push(Acknowledged { id: key.id, version: key.version, key: after });
    }

    fn change_settings(&mut self, admin: &mut Admin) -> io::Result<()> {
        let suspends = self.random.random::<bool>().then_some(!self.settings.suspended);
        let call = ChangeSettings {
            origin: admin.origin(),
            version: self.settings.version,
            suspended: suspends,
            outage_seconds: Some(self.random.random_range(0..3_600)),
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
        // Without a response its state is unknown, so it is not checked later.
        let session = self.sessions.swap_remove(place);
        let call = person::EndSession { session: session.hash() };
        admin.ask_object(Object::Person(session.person), &call)?.unwrap();
        self.changes += 1;
        self.ended.push(session);
        Ok(())
    }
}

impl Known {
    /// Numbers of the secrets that open the key.
    fn working(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        let works = move |secret: &&KeySecret| secret.ends_at.is_none_or(|end| end > now);
        self.key.secrets.iter().filter(works).map(|secret| secret.number)
    }
}

/// Puts the number into many fields, so that a torn change shows. Callers from 192.0.2.1 pass.
fn edit(number: u64) -> Value {
    let scopes: Vec<_> = SCOPES.iter().take(usize::try_from(number % 4).unwrap() + 1).collect();
    let network = format!("10.{}.{}.0/24", number / 256 % 256, number % 256);
    json!({
        "name": format!("Edited {number}"),
        "scopes": scopes,
        "expires_at": Timestamp::from_millis(FAR + i64::try_from(number).unwrap()).rfc3339(),
        "restrictions": {
            "allow": ["192.0.2.0/24", network], "deny": [network], "channels": [number.to_string()],
        },
        "rate_limit": {"limit": 1_000_000 + number, "window_seconds": 60},
        "quota": {"limit": 2_000_000 + number, "period": if number.is_multiple_of(2) { "day" } else { "month" }},
        "metadata": {"number": number.to_string()},
    })
}

/// 1 January 2030, in milliseconds since 1970.
const FAR: i64 = 1_893_456_000_000;

fn newest_secret(key: &Key) -> Option<u32> {
    key.secrets.iter().map(|secret| secret.number).max()
}

fn person_of(number: u32) -> PersonId {
    PersonId(1_000 + u64::from(number))
}
