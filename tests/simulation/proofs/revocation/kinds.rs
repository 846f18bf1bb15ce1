//! All kinds of narrowing changes.

use super::changes::{
    ChangeOutcome, OVERLAP_SECONDS, admin, delete, edit, end_old_secrets, expire, give_a_secret, put_off, rotate,
    rotate_with_overlap, suspend,
};
use ownchat_domain::{
    key::NewKey,
    limit::{Period, Quota, RateLimit},
    time::SECOND,
    vault::registry::ReadKey,
};
use ownchat_runtime::{Admin, Made, new_key};
use ownchat_simulation::{VerifyRequest, World};
use serde_json::{Value, json};

/// One kind of change.
#[derive(Clone, Copy)]
pub struct ChangeKind {
    pub name: &'static str,
    /// Expected code after the change.
    pub code: &'static str,
    /// Calls that may pass all the same.
    pub may_pass: u32,
    /// Overlap that the change itself leaves to the holder, in milliseconds.
    pub left_for: i64,
    /// True if some calls get the same refusal before the change.
    pub refused_before: bool,
    /// True if the meter enforces the change on all edges as soon as one of them knows it.
    pub kept_by_meter: bool,
    /// Fields of a verify request that passes before the change, and not afterwards.
    about: fn() -> Value,
    /// Adapts the key to be created.
    like: fn(NewKey) -> NewKey,
    /// Prepares the created key.
    before: fn(&mut Admin, &mut Made),
    /// Makes the change, and returns its effective time, if any.
    pub change: fn(&World, &NarrowedKey) -> ChangeOutcome,
}

/// A key, and a request that passes with it.
pub struct NarrowedKey {
    pub workspace: u32,
    pub key: Made,
    pub request: VerifyRequest,
}

impl NarrowedKey {
    /// Reads the key again, as an admin does before a retry.
    pub fn look(&mut self, world: &World) {
        let mut admin = admin(world, self);
        let call = ReadKey { caller: admin.person.into(), id: self.key.id() };
        if let Ok(key) = admin.ask(&call).unwrap() {
            self.key.key = key;
        }
    }
}

const PLAIN: ChangeKind = ChangeKind {
    name: "",
    code: "",
    may_pass: 0,
    left_for: 0,
    refused_before: false,
    kept_by_meter: false,
    about: || json!({"scopes": ["messages:send"], "address": "192.0.2.1", "channel": "shop"}),
    like: |key| key,
    before: |_, _| (),
    change: |_, subject| panic!("nothing is taken from {}", subject.key.key.name),
};

/// All kinds.
pub const KINDS: &[ChangeKind] = &[
    ChangeKind {
        name: "deactivated",
        code: "INACTIVE",
        change: |world, subject| edit(world, subject, json!({"status": "inactive"})),
        ..PLAIN
    },
    ChangeKind { name: "deleted", code: "UNKNOWN_KEY", change: delete, ..PLAIN },
    ChangeKind { name: "rotated", code: "EXPIRED", change: rotate, ..PLAIN },
    ChangeKind {
        name: "rotated with an overlap",
        code: "EXPIRED",
        left_for: OVERLAP_SECONDS as i64 * SECOND,
        change: rotate_with_overlap,
        ..PLAIN
    },
    ChangeKind {
        name: "old secret ended",
        code: "EXPIRED",
        before: |admin, made| made.key = give_a_secret(admin, made, 86_400).unwrap().key,
        change: end_old_secrets,
        ..PLAIN
    },
    ChangeKind {
        name: "scope removed",
        code: "SCOPE_MISSING",
        change: |world, subject| edit(world, subject, json!({"scopes": ["contacts:read"]})),
        ..PLAIN
    },
    ChangeKind {
        name: "may read instead of write",
        code: "SCOPE_MISSING",
        about: || json!({"scopes": ["contacts:write"]}),
        like: |key| NewKey { scopes: vec!["contacts:write".into()], ..key },
        change: |world, subject| edit(world, subject, json!({"scopes": ["contacts:read"]})),
        ..PLAIN
    },
    ChangeKind {
        name: "allowed elsewhere only",
        code: "ADDRESS_FORBIDDEN",
        change: |world, subject| edit(world, subject, json!({"restrictions": {"allow": ["10.0.0.0/8"]}})),
        ..PLAIN
    },
    ChangeKind {
        name: "one network fewer",
        code: "ADDRESS_FORBIDDEN",
        like: |key| restricted(key, &json!({"allow": ["192.0.2.0/24", "10.0.0.0/8"]})),
        change: |world, subject| edit(world, subject, json!({"restrictions": {"allow": ["10.0.0.0/8"]}})),
        ..PLAIN
    },
    ChangeKind {
        name: "denied from there",
        code: "ADDRESS_FORBIDDEN",
        change: |world, subject| edit(world, subject, json!({"restrictions": {"deny": ["192.0.2.0/24"]}})),
        ..PLAIN
    },
    ChangeKind {
        name: "for other channels only",
        code: "CHANNEL_FORBIDDEN",
        change: |world, subject| edit(world, subject, json!({"restrictions": {"channels": ["other"]}})),
        ..PLAIN
    },
    ChangeKind {
        name: "one channel fewer",
        code: "CHANNEL_FORBIDDEN",
        like: |key| restricted(key, &json!({"channels": ["shop", "other"]})),
        change: |world, subject| edit(world, subject, json!({"restrictions": {"channels": ["other"]}})),
        ..PLAIN
    },
    ChangeKind { name: "expiring", code: "EXPIRED", change: expire, ..PLAIN },
    ChangeKind { name: "put off", code: "NOT_YET_VALID", change: put_off, ..PLAIN },
    ChangeKind {
        name: "rate limited",
        code: "RATE_LIMITED",
        may_pass: 1,
        change: |world, subject| edit(world, subject, json!({"rate_limit": {"limit": 1, "window_seconds": 86_400}})),
        ..PLAIN
    },
    ChangeKind {
        name: "rate limit lowered",
        code: "RATE_LIMITED",
        may_pass: 1,
        kept_by_meter: true,
        like: |key| NewKey { rate_limit: Some(RateLimit { limit: 1_000_000, window_seconds: 86_400 }), ..key },
        change: |world, subject| edit(world, subject, json!({"rate_limit": {"limit": 1, "window_seconds": 86_400}})),
        ..PLAIN
    },
    ChangeKind {
        name: "rate limit for longer",
        code: "RATE_LIMITED",
        may_pass: OFTEN,
        refused_before: true,
        kept_by_meter: true,
        like: |key| NewKey { rate_limit: Some(RateLimit { limit: OFTEN, window_seconds: 1 }), ..key },
        change: |world, subject| {
            edit(world, subject, json!({"rate_limit": {"limit": OFTEN, "window_seconds": 86_400}}))
        },
        ..PLAIN
    },
    ChangeKind {
        name: "given a quota",
        code: "QUOTA_EXCEEDED",
        may_pass: 1,
        change: |world, subject| edit(world, subject, json!({"quota": {"limit": 1, "period": "month"}})),
        ..PLAIN
    },
    ChangeKind {
        name: "quota lowered",
        code: "QUOTA_EXCEEDED",
        may_pass: 1,
        kept_by_meter: true,
        like: |key| NewKey { quota: Some(Quota { limit: 1_000_000, period: Period::Month }), ..key },
        change: |world, subject| edit(world, subject, json!({"quota": {"limit": 1, "period": "month"}})),
        ..PLAIN
    },
    ChangeKind {
        name: "quota by the month",
        code: "QUOTA_EXCEEDED",
        may_pass: 1,
        kept_by_meter: true,
        like: |key| NewKey { quota: Some(Quota { limit: 1_000_000, period: Period::Day }), ..key },
        change: |world, subject| edit(world, subject, json!({"quota": {"limit": 1, "period": "month"}})),
        ..PLAIN
    },
    ChangeKind { name: "workspace suspended", code: "WORKSPACE_SUSPENDED", change: suspend, ..PLAIN },
];

/// A limit that a key reaches repeatedly while it is called.
const OFTEN: u32 = 5;

fn restricted(key: NewKey, restrictions: &Value) -> NewKey {
    NewKey { restrictions: serde_json::from_value(restrictions.clone()).unwrap(), ..key }
}

/// Workspaces that share the keys of the other kinds, one for each shard of the feed.
const WORKSPACES: u32 = 16;

/// Makes this many keys, of one kind after the other.
pub fn prepare(world: &World, count: usize) -> Vec<(ChangeKind, NarrowedKey)> {
    let mut shared: Vec<Admin> = (1..=WORKSPACES).map(|number| world.found(number)).collect();
    (0..count)
        .map(|number| {
            let kind = KINDS[number % KINDS.len()];
            let own = u32::try_from(number).unwrap();
            let mut alone = (kind.name == "workspace suspended").then(|| world.found(1_000 + own));
            let place = number % shared.len();
            let admin = alone.as_mut().unwrap_or(&mut shared[place]);
            let key = NewKey { description: kind.name.into(), ..new_key("Shop", &["contacts:read", "messages:send"]) };
            let mut made = admin.create((kind.like)(key)).unwrap().unwrap();
            (kind.before)(admin, &mut made);
            let request = VerifyRequest::with(&made.token, &(kind.about)());
            (kind, NarrowedKey { workspace: admin.workspace, key: made, request })
        })
        .collect()
}
