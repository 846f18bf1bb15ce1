//! All kinds of calls that an edge decides from its cache.

use ownchat_domain::{
    digest::SecretHash,
    environment::Environment,
    key::NewKey,
    keyring::Keyring,
    limit::{Period, Quota, RateLimit},
    locator::{KeyNumber, Locator},
    time::{DAY, SECOND},
    token::Token,
    vault::registry::{ChangeKey, RotateKey},
};
use ownchat_runtime::{Admin, JSON, Made, SERVICE, new_key, secret};
use ownchat_simulation::{EdgeClient, World};
use serde_json::{Value, json};

/// A call with its expected code.
pub struct CallKind {
    pub name: String,
    /// Expected code of the response.
    pub code: &'static str,
    /// Validity of a meter's response, in milliseconds; none if the call needs no store.
    pub holds: Option<i64>,
    endpoint: Endpoint,
    key: String,
    /// The key that authenticates the caller; none for a service.
    asker: Option<String>,
}

/// The endpoint of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Verify,
    OwnKey,
    Gateway,
}

/// Client IP address of the calls.
const HERE: &str = "192.0.2.1";

/// Validity of the remaining permits of a limit, in milliseconds.
const STANDING: Option<i64> = Some(2 * SECOND);
/// Lifetime of leased permits, in milliseconds. They run out sooner if the use of the limit rises.
const PERMITS: Option<i64> = Some(SECOND);
/// Time for which an edge repeats a meter's refusal, in milliseconds.
const REFUSAL: Option<i64> = Some(SECOND / 4);

/// A rate limit that no caller can reach.
const RATE: RateLimit = RateLimit { limit: 1_000_000, window_seconds: 60 };
/// A quota that one call uses up.
const QUOTA: Quota = Quota { limit: 1, period: Period::Month };

/// Master secrets of another deployment.
const OTHERS: &str = "1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

impl CallKind {
    /// Makes the call, and returns its code.
    pub fn call(&self, caller: &mut EdgeClient) -> String {
        let bearer = format!("Bearer {}", self.asker.as_ref().unwrap_or(&self.key));
        let bearer = ("Authorization", bearer.as_str());
        let headers = [
            ("CF-Connecting-IP", HERE),
            JSON,
            if self.endpoint == Endpoint::Verify && self.asker.is_none() { SERVICE } else { bearer },
        ];
        let headers = if self.endpoint != Endpoint::Verify && self.key.is_empty() { &headers[..2] } else { &headers };
        let request = json!({"key": self.key, "scopes": ["contacts:read"], "address": HERE, "channel": "shop"});
        let answer = match self.endpoint {
            Endpoint::Verify => caller.call("POST", "/v1/verify", headers, request.to_string().as_bytes()),
            Endpoint::OwnKey => caller.call("GET", "/v1/key", headers, b""),
            Endpoint::Gateway => caller.call("GET", "/v1/contacts", headers, b""),
        };
        answer.json()["code"].as_str().map_or_else(|| answer.text(), str::to_owned)
    }

    /// Returns true if the call awaits nothing: no body, no service.
    pub fn is_plain(&self) -> bool {
        self.endpoint != Endpoint::Verify && self.code != "SERVED"
    }
}

/// Builds calls of every kind, with keys of one workspace.
pub fn kinds(world: &World) -> Vec<CallKind> {
    let (admin, mut kinds) = (&mut world.found(1), Vec::new());
    let mut add = |name: &str, key: String, holds: [Option<i64>; 3], codes: [&'static str; 3]| {
        for ((endpoint, code), holds) in
            [Endpoint::Verify, Endpoint::OwnKey, Endpoint::Gateway].into_iter().zip(codes).zip(holds)
        {
            kinds.push(CallKind {
                name: format!("{name}, {endpoint:?}"),
                code,
                holds,
                endpoint,
                key: key.clone(),
                asker: None,
            });
        }
    };
    let plain = || new_key("Fast", &["contacts:read"]);
    let at = |later: i64| Some(world.clock.now().plus(later).rfc3339());
    let restrictions = |value: Value| serde_json::from_value(value).unwrap();

    let good = make(admin, plain());
    add("good", good.token.clone(), [None; 3], ["VALID", "VALID", "SERVED"]);
    let inactive = make(admin, plain());
    deactivate(admin, &inactive);
    add("inactive", inactive.token, [None; 3], ["INACTIVE"; 3]);
    let ended = make(admin, NewKey { expires_at: at(2 * SECOND), ..plain() });
    add("ended", ended.token, [None; 3], ["EXPIRED"; 3]);
    let begins = make(admin, NewKey { not_before: at(DAY), ..plain() });
    add("not begun", begins.token, [None; 3], ["NOT_YET_VALID"; 3]);
    let replaced = make(admin, plain());
    replace(admin, &replaced);
    add("with another secret since", replaced.token, [None; 3], ["EXPIRED"; 3]);
    let elsewhere = make(admin, NewKey { restrictions: restrictions(json!({"allow": ["10.0.0.0/8"]})), ..plain() });
    add("for elsewhere", elsewhere.token, [None; 3], ["ADDRESS_FORBIDDEN"; 3]);
    let narrow = make(admin, new_key("Narrow", &["messages:send"]));
    add("without the scope", narrow.token, [None; 3], ["SCOPE_MISSING", "VALID", "SCOPE_MISSING"]);
    let other = make(admin, NewKey { restrictions: restrictions(json!({"channels": ["other"]})), ..plain() });
    add("for another channel", other.token, [None; 3], ["CHANNEL_FORBIDDEN", "VALID", "SERVED"]);

    let limited = make(admin, NewKey { rate_limit: Some(RATE), ..plain() });
    add("limited", limited.token, [PERMITS, STANDING, PERMITS], ["VALID", "VALID", "SERVED"]);
    let used_up = make(admin, NewKey { quota: Some(QUOTA), ..plain() });
    add("used up", used_up.token, [REFUSAL, STANDING, REFUSAL], ["QUOTA_EXCEEDED", "VALID", "QUOTA_EXCEEDED"]);
    let inactive = make(admin, NewKey { rate_limit: Some(RATE), ..plain() });
    deactivate(admin, &inactive);
    add("limited and inactive", inactive.token, [STANDING; 3], ["INACTIVE"; 3]);

    add("forged", forged(), [None; 3], ["MALFORMED_KEY"; 3]);
    let mistyped = if good.token.ends_with('x') { "y" } else { "x" };
    let mistyped = format!("{}{mistyped}", &good.token[..good.token.len() - 1]);
    add("mistyped", mistyped, [None; 3], ["MALFORMED_KEY"; 3]);
    add("no key of ours", "sk_live_0123456789".into(), [None; 3], ["MALFORMED_KEY"; 3]);
    add("no key", String::new(), [None; 3], ["MISSING_KEY"; 3]);
    let asker = Some(make(admin, new_key("Asks", &["keys:verify"])).token);
    let foreign = Some(world.found(2).create(new_key("Asks", &["keys:verify"])).unwrap().unwrap().token);
    for (name, code, asker) in [("its workspace", "VALID", asker), ("another workspace", "UNKNOWN_KEY", foreign)] {
        let (name, key) = (format!("good, asked by a key of {name}"), good.token.clone());
        kinds.push(CallKind { name, code, holds: None, endpoint: Endpoint::Verify, key, asker });
    }
    kinds
}

fn make(admin: &mut Admin, key: NewKey) -> Made {
    admin.create(key).unwrap().unwrap()
}

fn deactivate(admin: &mut Admin, made: &Made) {
    let patch = serde_json::from_value(json!({"status": "inactive"})).unwrap();
    let call = ChangeKey { origin: admin.origin(), id: made.id(), version: made.key.version, patch };
    admin.ask(&call).unwrap().unwrap();
}

fn replace(admin: &mut Admin, made: &Made) {
    let (id, version, secret) = (made.id(), made.key.version, SecretHash::of(&secret()));
    let call =
        RotateKey { origin: admin.origin(), id, version, overlap_seconds: 0, end_earlier: true, secret, once: None };
    admin.ask(&call).unwrap().unwrap();
}

/// A well-formed key of another deployment.
fn forged() -> String {
    let (environment, address) = (Environment::Live, KeyNumber { workspace: 1, number: 1 });
    let locator = Locator::issue(&Keyring::parse(OTHERS).unwrap(), address, environment);
    Token { environment, locator, secret: secret() }.reveal().to_string()
}
