//! Every way in which something is taken from somebody.

use ownchat_domain::{
    digest::SecretHash,
    failure::Failure,
    key::NewKey,
    time::{DAY, SECOND, Timestamp},
    vault::{
        Outcome,
        registry::{ChangeKey, ChangeSettings, DeleteKey, EndOldSecrets, ReadKey, ReadSettings, RotateKey},
    },
};
use ownchat_runtime::{Admin, Made, new_key, secret};
use ownchat_simulation::{Question, World};
use serde_json::{Value, json};

/// One way.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// What callers are told afterwards.
    pub code: &'static str,
    /// How many calls may pass all the same.
    pub may_pass: u32,
    /// What the call is about, so that it passes before and not afterwards.
    about: fn() -> Value,
    /// What is done with the key beforehand.
    before: fn(&mut Admin, &mut Made),
    /// Takes it away, and says from when on it is gone everywhere, if that is said.
    pub change: fn(&World, &Subject) -> Outcome<Option<Timestamp>>,
}

/// A key, and a call that passes with it.
pub struct Subject {
    workspace: u32,
    key: Made,
    pub question: Question,
}

impl Subject {
    /// Sees what has become of the key, as an admin does who asks for the same again.
    pub fn look(&mut self, world: &World) {
        let mut admin = admin(world, self);
        let call = ReadKey { caller: admin.person.into(), id: self.key.id() };
        if let Ok(key) = admin.ask(&call).unwrap() {
            self.key.key = key;
        }
    }
}

const PLAIN: Kind = Kind {
    name: "",
    code: "",
    may_pass: 0,
    about: || json!({"scopes": ["messages:send"], "address": "192.0.2.1", "channel": "shop"}),
    before: |_, _| (),
    change: |_, _| Ok(None),
};

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "deactivated",
        code: "INACTIVE",
        change: |world, subject| edit(world, subject, json!({"status": "inactive"})),
        ..PLAIN
    },
    Kind { name: "deleted", code: "UNKNOWN_KEY", change: delete, ..PLAIN },
    Kind { name: "rotated", code: "EXPIRED", change: rotate, ..PLAIN },
    Kind {
        name: "old secret ended",
        code: "EXPIRED",
        before: |admin, made| {
            let call = RotateKey {
                origin: admin.origin(),
                id: made.id(),
                version: made.key.version,
                overlap_seconds: 86_400,
                secret: SecretHash::of(&secret()),
                once: None,
            };
            made.key = admin.ask(&call).unwrap().unwrap().key;
        },
        change: end_old_secrets,
        ..PLAIN
    },
    Kind {
        name: "scope removed",
        code: "SCOPE_MISSING",
        change: |world, subject| edit(world, subject, json!({"scopes": ["contacts:read"]})),
        ..PLAIN
    },
    Kind {
        name: "allowed elsewhere only",
        code: "ADDRESS_FORBIDDEN",
        change: |world, subject| edit(world, subject, json!({"restrictions": {"allow": ["10.0.0.0/8"]}})),
        ..PLAIN
    },
    Kind {
        name: "denied from there",
        code: "ADDRESS_FORBIDDEN",
        change: |world, subject| edit(world, subject, json!({"restrictions": {"deny": ["192.0.2.0/24"]}})),
        ..PLAIN
    },
    Kind {
        name: "for other channels only",
        code: "CHANNEL_FORBIDDEN",
        change: |world, subject| edit(world, subject, json!({"restrictions": {"channels": ["other"]}})),
        ..PLAIN
    },
    Kind { name: "expiring", code: "EXPIRED", change: expire, ..PLAIN },
    Kind {
        name: "put off",
        code: "NOT_YET_VALID",
        change: |world, subject| {
            edit(world, subject, json!({"not_before": world.clock.now().plus(30 * DAY).rfc3339()}))
        },
        ..PLAIN
    },
    Kind {
        name: "rate limited",
        code: "RATE_LIMITED",
        may_pass: 1,
        change: |world, subject| edit(world, subject, json!({"rate_limit": {"limit": 1, "window_seconds": 86_400}})),
        ..PLAIN
    },
    Kind {
        name: "given a quota",
        code: "QUOTA_EXCEEDED",
        may_pass: 1,
        change: |world, subject| edit(world, subject, json!({"quota": {"limit": 1, "period": "month"}})),
        ..PLAIN
    },
    Kind { name: "workspace suspended", code: "WORKSPACE_SUSPENDED", change: suspend, ..PLAIN },
];

/// Workspaces that keys of the other kinds are spread over, one for each shard of the feed.
const WORKSPACES: u32 = 16;

/// So many keys, of one kind after the other.
pub fn prepare(world: &World, count: usize) -> Vec<(Kind, Subject)> {
    let mut shared: Vec<Admin> = (1..=WORKSPACES).map(|number| world.found(number)).collect();
    (0..count)
        .map(|number| {
            let kind = KINDS[number % KINDS.len()];
            let own = u32::try_from(number).unwrap();
            let mut alone = (kind.name == "workspace suspended").then(|| world.found(1_000 + own));
            let place = number % shared.len();
            let admin = alone.as_mut().unwrap_or(&mut shared[place]);
            let key = NewKey { description: kind.name.into(), ..new_key("Shop", &["contacts:read", "messages:send"]) };
            let mut made = admin.create(key).unwrap().unwrap();
            (kind.before)(admin, &mut made);
            let question = Question::with(&made.token, &(kind.about)());
            (kind, Subject { workspace: admin.workspace, key: made, question })
        })
        .collect()
}

fn admin(world: &World, subject: &Subject) -> Admin {
    Admin::of(world.vault(), subject.workspace)
}

/// Changes the key as an admin asks for it.
fn edit(world: &World, subject: &Subject, patch: Value) -> Outcome<Option<Timestamp>> {
    let mut admin = admin(world, subject);
    let patch = serde_json::from_value(patch).unwrap();
    let (id, version) = (subject.key.id(), subject.key.key.version);
    admin.ask(&ChangeKey { origin: admin.origin(), id, version, patch }).unwrap().map(|changed| changed.effective_at)
}

/// The sooner it ends the better, if only that is still to come when the vault hears of it.
fn expire(world: &World, subject: &Subject) -> Outcome<Option<Timestamp>> {
    let end = |seconds| world.clock.now().plus(seconds * SECOND).rfc3339();
    let mut attempts = (1..).map(|seconds| edit(world, subject, json!({"expires_at": end(seconds)})));
    attempts.find(|outcome| !matches!(outcome, Err(Failure::Invalid { .. }))).unwrap()
}

fn delete(world: &World, subject: &Subject) -> Outcome<Option<Timestamp>> {
    let mut admin = admin(world, subject);
    let (id, version) = (subject.key.id(), subject.key.key.version);
    admin.ask(&DeleteKey { origin: admin.origin(), id, version }).unwrap().map(|changed| changed.effective_at)
}

fn rotate(world: &World, subject: &Subject) -> Outcome<Option<Timestamp>> {
    let mut admin = admin(world, subject);
    let (id, version) = (subject.key.id(), subject.key.key.version);
    let secret = SecretHash::of(&secret());
    let call = RotateKey { origin: admin.origin(), id, version, overlap_seconds: 0, secret, once: None };
    admin.ask(&call).unwrap().map(|changed| changed.effective_at)
}

fn end_old_secrets(world: &World, subject: &Subject) -> Outcome<Option<Timestamp>> {
    let mut admin = admin(world, subject);
    let (id, version) = (subject.key.id(), subject.key.key.version);
    admin.ask(&EndOldSecrets { origin: admin.origin(), id, version }).unwrap().map(|changed| changed.effective_at)
}

fn suspend(world: &World, subject: &Subject) -> Outcome<Option<Timestamp>> {
    let mut admin = admin(world, subject);
    let settings = admin.ask(&ReadSettings { caller: admin.person.into() }).unwrap()?;
    let call = ChangeSettings {
        origin: admin.origin(),
        version: settings.version,
        suspended: Some(true),
        outage_seconds: None,
        reason: None,
    };
    admin.ask(&call).unwrap().map(|changed| changed.effective_at)
}
