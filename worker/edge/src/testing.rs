//! Test fixtures: a key, its record, and an authorizer with its master secret.

use crate::authorizer::Authorizer;
use ownchat_domain::{
    digest::{KeyDigest, SecretHash},
    environment::Environment,
    keyring::Keyring,
    limit::Limits,
    locator::{KeyNumber, Locator},
    network::Networks,
    record::{Record, RecordSecret, Workspace},
    scope::ScopeSet,
    time::Timestamp,
    token::{Secret, Token},
};

/// The time in the tests.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn keyring() -> Keyring {
    Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
}

fn secret() -> Secret {
    "0123456789ABCDEFGHIJKLMN".parse().unwrap()
}

/// Creates an authorizer with empty caches.
pub fn authorizer() -> Authorizer {
    Authorizer::new(keyring())
}

/// The whole key of [`record`].
pub fn token(authorizer: &Authorizer) -> Token {
    let locator = Locator::issue(authorizer.keyring(), KeyNumber { workspace: 7, number: 1 }, Environment::Live);
    Token { environment: Environment::Live, locator, secret: secret() }
}

/// An active key of workspace 7 with `contacts:read`.
pub fn record() -> Record {
    let locator = token(&authorizer()).locator;
    let digest = KeyDigest::of(&SecretHash::of(&secret()), locator, &keyring().newest().pepper);
    Record {
        locator,
        workspace: Workspace { number: 7, version: 1, suspended: false, outage_seconds: 0 },
        environment: Environment::Live,
        version: 3,
        sealed_at: NOW,
        name: "Shop".into(),
        active: true,
        deleted: false,
        scopes: ScopeSet::from_names(["contacts:read"]).unwrap(),
        not_before: None,
        expires_at: Some(Timestamp::from_millis(1_800_000_000_000)),
        networks: Networks::default(),
        channels: Vec::new(),
        limits: Limits::default(),
        metadata: Vec::new(),
        secrets: vec![RecordSecret { number: 1, master: 1, digest, ends_at: None }],
    }
}
