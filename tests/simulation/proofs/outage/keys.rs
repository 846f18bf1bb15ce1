//! Keys under test in an outage, with calls that pass and calls that never may.

use ownchat_domain::{
    key::NewKey,
    record::kv_name,
    time::{MINUTE, SECOND, Timestamp},
    token::Token,
    vault::registry::ChangeKey,
};
use ownchat_runtime::{Admin, Made, secret};
use ownchat_simulation::{EdgeClient, VerifyRequest, World};
use serde_json::{Value, json};

/// Stores that know the key when the outage begins, and its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Cached, in a workspace with an outage grace period.
    Tolerant,
    /// In KV only, in such a workspace.
    TolerantReplicated,
    /// Cached, with a rate limit, in such a workspace.
    TolerantLimited,
    /// Cached.
    Cached,
    /// In KV only.
    Replicated,
    /// In the registry only.
    RegistryOnly,
    /// Cached, with a rate limit.
    RateLimited,
    /// Cached, with a quota.
    WithQuota,
}

/// Order of the calls: tolerant kinds first, since a grace period ends.
const KINDS: [KeyKind; 8] = [
    KeyKind::Tolerant,
    KeyKind::TolerantReplicated,
    KeyKind::TolerantLimited,
    KeyKind::Cached,
    KeyKind::Replicated,
    KeyKind::RegistryOnly,
    KeyKind::RateLimited,
    KeyKind::WithQuota,
];

impl KeyKind {
    /// Returns true if its workspace has an outage grace period.
    pub fn tolerates_outages(self) -> bool {
        matches!(self, Self::Tolerant | Self::TolerantReplicated | Self::TolerantLimited)
    }

    fn is_cached(self) -> bool {
        !matches!(self, Self::TolerantReplicated | Self::Replicated | Self::RegistryOnly)
    }
}

/// Client IP addresses from which calls pass, and from which they never do.
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.1";

/// A key with the call that passes without an outage, and calls that never do.
pub struct OutageKey {
    pub kind: KeyKind,
    pub made: Made,
    pub request: VerifyRequest,
    pub never: Vec<RefusedCall>,
}

/// A call that never passes.
pub struct RefusedCall {
    pub what: &'static str,
    /// Expected code, if the edge can decide.
    pub code: &'static str,
    pub request: VerifyRequest,
}

/// All keys, of a strict workspace and of one with an outage grace period.
pub struct OutageKeys {
    pub all: Vec<OutageKey>,
    /// Calls with keys whose limits are used up.
    pub spent: Vec<RefusedCall>,
    /// Calls with a key of each workspace that is revoked during the outage, the strict one first.
    pub revoked: [(Made, RefusedCall); 2],
}

impl OutageKeys {
    /// Makes the keys, and waits until KV has a record of each.
    pub fn make(world: &World, strict: &mut Admin, tolerant: &mut Admin) -> Self {
        let all: Vec<OutageKey> = KINDS
            .into_iter()
            .map(|kind| {
                let limits = match kind {
                    KeyKind::RateLimited | KeyKind::TolerantLimited => {
                        json!({"rate_limit": {"limit": 1_000, "window_seconds": 60}})
                    }
                    KeyKind::WithQuota => json!({"quota": {"limit": 1_000, "period": "month"}}),
                    _ => json!({}),
                };
                OutageKey::of(kind, make(if kind.tolerates_outages() { tolerant } else { strict }, &limits))
            })
            .collect();
        let mut spent = Vec::new();
        for admin in [&mut *strict, &mut *tolerant] {
            let rate = make(admin, &json!({"rate_limit": {"limit": 2, "window_seconds": 86_400}}));
            let quota = make(admin, &json!({"quota": {"limit": 2, "period": "month"}}));
            spent.push(RefusedCall::with(&rate.token, "rate limit used up", "RATE_LIMITED", &json!({})));
            spent.push(RefusedCall::with(&quota.token, "quota used up", "QUOTA_EXCEEDED", &json!({})));
        }
        let revoked = [strict, tolerant].map(|admin| {
            let made = make(admin, &json!({}));
            let call = RefusedCall::with(&made.token, "revoked", "INACTIVE", &json!({}));
            (made, call)
        });
        for made in all.iter().map(|subject| &subject.made).chain(revoked.iter().map(|(made, _)| made)) {
            let there = world.clock.until(5 * MINUTE, || world.kv.newest(&kv_name(made.id())).is_some());
            assert!(there.is_some(), "{} did not reach KV\n{}", made.key.name, world.logs());
        }
        let neither = all.iter().find(|subject| subject.kind == KeyKind::RegistryOnly).unwrap();
        world.kv.plant(&kv_name(neither.made.id()), None);
        Self { all, spent, revoked }
    }

    /// Fills the cache, and uses up the limits of the spent keys.
    pub fn warm_up(&self, world: &World, caller: &mut EdgeClient) {
        for subject in self.all.iter().filter(|subject| subject.kind.is_cached()) {
            assert_eq!(caller.settled(&subject.request, world.clock), "VALID", "{}", world.logs());
        }
        for (_, call) in &self.revoked {
            assert_eq!(caller.settled(&call.request, world.clock), "VALID", "{}", world.logs());
        }
        for call in &self.spent {
            let refused = world.clock.until(30 * SECOND, || caller.code(&call.request) == call.code);
            assert!(refused.is_some(), "a {} passes\n{}", call.what, world.logs());
        }
    }

    /// Revokes keys, and puts their old records back into KV. Returns the latest effective time.
    pub fn revoke(&self, world: &World, admins: [&mut Admin; 2]) -> Timestamp {
        let revoke = |((made, _), admin): (&(Made, RefusedCall), &mut Admin)| {
            let name = kv_name(made.id());
            let before = world.kv.newest(&name);
            let patch = serde_json::from_value(json!({"status": "inactive"})).unwrap();
            let call = ChangeKey { origin: admin.origin(), id: made.id(), version: made.key.version, patch };
            let changed = admin.ask(&call).unwrap().unwrap();
            world.kv.plant(&name, before);
            changed.effective_at.expect("the vault does not know that this takes something from somebody")
        };
        self.revoked.iter().zip(admins).map(revoke).max().unwrap()
    }

    /// Checks that all responses are right again after the outage.
    pub fn expect_recovery(&self, world: &World, caller: &mut EdgeClient) {
        for subject in &self.all {
            let kind = subject.kind;
            assert_eq!(caller.settled(&subject.request, world.clock), "VALID", "{kind:?}, after the outage");
        }
        for call in self.never() {
            assert_eq!(caller.settled(&call.request, world.clock), call.code, "{}, after the outage", call.what);
        }
    }

    fn never(&self) -> impl Iterator<Item = &RefusedCall> {
        let revoked = self.revoked.iter().map(|(_, call)| call);
        self.all.iter().flat_map(|subject| &subject.never).chain(&self.spent).chain(revoked)
    }
}

impl OutageKey {
    fn of(kind: KeyKind, made: Made) -> Self {
        let other = Token { secret: secret(), ..Token::parse(&made.token).unwrap() }.reveal().to_string();
        let never = vec![
            RefusedCall::with(&other, "another secret", "UNKNOWN_KEY", &json!({})),
            RefusedCall::with(
                &made.token,
                "a scope that is missing",
                "SCOPE_MISSING",
                &json!({"scopes": ["messages:send"]}),
            ),
            RefusedCall::with(&made.token, "an address elsewhere", "ADDRESS_FORBIDDEN", &json!({"address": ELSEWHERE})),
        ];
        Self { kind, request: request(&made.token, &json!({})), made, never }
    }
}

impl RefusedCall {
    fn with(token: &str, what: &'static str, code: &'static str, more: &Value) -> Self {
        Self { what, code, request: request(token, more) }
    }
}

/// Makes a key with these limits, for callers from `192.0.2.0/24`.
fn make(admin: &mut Admin, limits: &Value) -> Made {
    let mut key = json!({
        "name": "Outage", "environment": "live", "scopes": ["contacts:read"],
        "restrictions": {"allow": ["192.0.2.0/24"]},
    });
    key.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
    admin.create(serde_json::from_value::<NewKey>(key).unwrap()).unwrap().unwrap()
}

/// A request that passes with a key of [`make`], unless `more` says otherwise.
fn request(token: &str, more: &Value) -> VerifyRequest {
    let mut about = json!({"scopes": ["contacts:read"], "address": HERE});
    about.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    VerifyRequest::with(token, &about)
}
