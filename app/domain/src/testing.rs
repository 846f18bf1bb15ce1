//! Test fixtures that several modules share.

use crate::{
    account::PersonId,
    audit::{Action, ActorId, Line},
    digest::{KeyDigest, SecretHash},
    environment::Environment,
    key::Details,
    keyring::Keyring,
    limit::Limits,
    locator::{KeyNumber, Locator},
    network::Networks,
    record::{Record, RecordSecret, Workspace},
    scope::ScopeSet,
    time::Timestamp,
    token::Secret,
};
use serde_json::value::RawValue;

/// A keyring with two master secrets, 2 (newest) and 1, each of 32 equal bytes.
pub fn keyring() -> Keyring {
    Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
        .unwrap_or_else(|error| unreachable!("{error}"))
}

/// Encodes bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Secret of [`record`].
pub fn secret() -> Secret {
    "0123456789ABCDEFGHIJKLMN".parse().unwrap_or_else(|_| unreachable!())
}

/// Record of an active key of workspace 7 with `contacts:read`.
pub fn record() -> Record {
    let ring = keyring();
    let locator = Locator::issue(&ring, KeyNumber { workspace: 7, number: 1 }, Environment::Live);
    let digest = KeyDigest::of(&SecretHash::of(&secret()), locator, &ring.newest().pepper);
    Record {
        locator,
        workspace: Workspace { number: 7, version: 1, suspended: false, outage_seconds: 0 },
        environment: Environment::Live,
        version: 3,
        sealed_at: Timestamp::from_millis(1_795_452_408_000),
        name: "Shop".into(),
        active: true,
        deleted: false,
        scopes: scopes(&["contacts:read"]),
        not_before: None,
        expires_at: Some(Timestamp::from_millis(1_800_000_000_000)),
        networks: Networks::default(),
        channels: Vec::new(),
        limits: Limits::default(),
        metadata: Vec::new(),
        secrets: vec![RecordSecret { number: 1, master: 2, digest, ends_at: None }],
    }
}

/// An entry of an audit trail.
pub fn line(sequence: u64, previous: &str, reason: &str) -> Line {
    Line {
        sequence,
        at: Timestamp::from_millis(1_795_452_408_000).into(),
        actor: Some(ActorId::Person(PersonId(1))),
        actor_name: "Ada".into(),
        action: Action::Deactivate,
        key: "JCgnh3DhfKRFKbvX".parse().ok(),
        reason: Some(reason.into()),
        before: RawValue::from_string(r#"{"status":"active"}"#.into()).ok(),
        after: RawValue::from_string(r#"{"status":"inactive"}"#.into()).ok(),
        address: "192.0.2.1".into(),
        request_id: "r1".into(),
        previous: previous.into(),
    }
}

/// Builds a scope set from names.
pub fn scopes(names: &[&str]) -> ScopeSet {
    ScopeSet::from_names(names.iter().copied()).unwrap_or_else(|_| unreachable!())
}

/// Details of a key without restrictions.
pub fn details() -> Details {
    Details {
        name: "Shop".into(),
        description: String::new(),
        integration: String::new(),
        environment: Environment::Live,
        scopes: scopes(&["contacts:read"]),
        not_before: None,
        expires_at: None,
        networks: Networks::default(),
        channels: Vec::new(),
        limits: Limits::default(),
        metadata: std::collections::BTreeMap::new(),
    }
}
