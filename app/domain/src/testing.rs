//! What several test modules need.

use crate::{
    digest::{KeyDigest, SecretHash},
    keyring::Keyring,
    locator::{Address, Locator},
    record::{Record, RecordSecret},
    scope::ScopeSet,
    time::Timestamp,
    token::{Environment, Secret},
};

/// A keyring with two masters, 2 (which writes) and 1, each of 32 equal bytes.
pub fn keyring() -> Keyring {
    Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
        .unwrap_or_else(|error| unreachable!("{error}"))
}

/// Small letters, two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The secret of [`record`].
pub fn secret() -> Secret {
    "0123456789ABCDEFGHIJKLMN".parse().unwrap_or_else(|_| unreachable!())
}

/// The record of an active key of workspace 7 with `contacts:read`.
pub fn record() -> Record {
    let ring = keyring();
    let locator = Locator::issue(&ring, Address { workspace: 7, number: 1 }, Environment::Live);
    let digest = KeyDigest::of(&SecretHash::of(&secret()), locator, &ring.newest().pepper);
    Record {
        locator,
        workspace: 7,
        environment: Environment::Live,
        version: 3,
        name: "Shop".into(),
        active: true,
        deleted: false,
        scopes: scopes(&["contacts:read"]),
        expires_at: Some(Timestamp::from_millis(1_800_000_000_000)),
        secrets: vec![RecordSecret { master: 2, digest }],
    }
}

/// A set of scopes by their names.
pub fn scopes(names: &[&str]) -> ScopeSet {
    ScopeSet::from_names(names.iter().copied()).unwrap_or_else(|_| unreachable!())
}
