//! A key and a gate that knows its master secret, for the tests.

use crate::gate::Gate;
use ownchat_domain::{
    digest::{KeyDigest, SecretHash},
    keyring::Keyring,
    locator::{Address, Locator},
    record::{Record, RecordSecret},
    scope::ScopeSet,
    time::Timestamp,
    token::{Environment, Secret, Token},
};

fn keyring() -> Keyring {
    Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
}

fn secret() -> Secret {
    "0123456789ABCDEFGHIJKLMN".parse().unwrap()
}

/// A gate that remembers nothing.
pub fn gate() -> Gate {
    Gate::new(keyring())
}

/// The key of [`record`], whole.
pub fn token(gate: &Gate) -> Token {
    let locator = Locator::issue(gate.keyring(), Address { workspace: 7, number: 1 }, Environment::Live);
    Token { environment: Environment::Live, locator, secret: secret() }
}

/// An active key of workspace 7 with `contacts:read`.
pub fn record() -> Record {
    let locator = token(&gate()).locator;
    let digest = KeyDigest::of(&SecretHash::of(&secret()), locator, &keyring().newest().pepper);
    Record {
        locator,
        workspace: 7,
        environment: Environment::Live,
        version: 3,
        name: "Shop".into(),
        active: true,
        deleted: false,
        scopes: ScopeSet::from_names(["contacts:read"]).unwrap(),
        expires_at: Some(Timestamp::from_millis(1_800_000_000_000)),
        secrets: vec![RecordSecret { master: 1, digest }],
    }
}
