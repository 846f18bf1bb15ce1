//! Calls to be counted: with several keys and secrets, for no, one and two scopes.

use ownchat_domain::{
    digest::SecretHash,
    locator::Locator,
    scope::Scope,
    vault::registry::{ChangeKey, RotateKey},
};
use ownchat_runtime::{Admin, Made, secret, token};
use ownchat_simulation::VerifyRequest;
use serde_json::json;

const KEYS: usize = 6;

/// Scopes that calls require.
const SCOPES: [&[&str]; 3] = [&[], &["contacts:read"], &["contacts:read", "messages:send"]];

/// A call with a key.
pub struct CountedCall {
    pub workspace: u32,
    pub key: Locator,
    /// Number of the secret.
    pub secret: u32,
    pub scopes: Vec<Scope>,
    pub request: VerifyRequest,
}

/// Builds calls with keys of one workspace: one is inactive, one lacks a scope, one has two
/// secrets.
pub fn subjects(admin: &mut Admin) -> Vec<CountedCall> {
    (0..KEYS)
        .flat_map(|number| {
            let made = admin.make("Counted", SCOPES[if number == 1 { 1 } else { 2 }]);
            let mut all = of(admin, &made, 1, &made.token);
            if number == 0 {
                let patch = serde_json::from_value(json!({"status": "inactive"})).unwrap();
                let call = ChangeKey { origin: admin.origin(), id: made.id(), version: 1, patch };
                admin.ask(&call).unwrap().unwrap();
            }
            if number == 2 {
                let token = rotate(admin, &made);
                all.extend(of(admin, &made, 2, &token));
            }
            all
        })
        .collect()
}

/// Gives a key a second secret, and returns its token.
fn rotate(admin: &mut Admin, made: &Made) -> String {
    let secret = secret();
    let call = RotateKey {
        origin: admin.origin(),
        id: made.id(),
        version: 1,
        overlap_seconds: 86_400,
        end_earlier: true,
        secret: SecretHash::of(&secret),
        once: None,
    };
    admin.ask(&call).unwrap().unwrap();
    token(&made.key, secret)
}

fn of(admin: &Admin, made: &Made, secret: u32, token: &str) -> Vec<CountedCall> {
    let needing = |names: &&[&str]| CountedCall {
        workspace: admin.workspace,
        key: made.id(),
        secret,
        scopes: names.iter().map(|name| name.parse().unwrap()).collect(),
        request: VerifyRequest::with(token, &json!({"scopes": names})),
    };
    SCOPES.iter().map(needing).collect()
}
