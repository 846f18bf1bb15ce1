//! Fixtures and generators: one valid value of each kind, and ways to damage it.

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
    token::Secret,
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{FailurePersistence, FileFailurePersistence, TestRunner},
};

pub const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

/// Number of cases, and the file that stores failed ones.
pub fn config() -> ProptestConfig {
    one_in(1)
}

/// The same configuration with `fewer` times fewer cases, for slow inputs of maximum length.
pub fn one_in(fewer: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PROVE").is_some() { 20_000 } else { 200 };
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/regressions");
    let failure_persistence: Option<Box<dyn FailurePersistence>> = Some(Box::new(FileFailurePersistence::Direct(kept)));
    ProptestConfig { cases: cases / fewer, failure_persistence, ..ProptestConfig::default() }
}

/// Generates 300 cases to measure their reach. Cases that all fail early test nothing after that
/// point.
pub fn some<T>(cases: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..300).map(|_| cases.new_tree(&mut runner).unwrap().current()).collect()
}

pub fn keyring() -> Keyring {
    Keyring::parse("2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=").unwrap()
}

pub fn locator() -> Locator {
    Locator::issue(&keyring(), KeyNumber { workspace: 7, number: 1 }, Environment::Live)
}

pub fn secret() -> Secret {
    "0123456789ABCDEFGHIJKLMN".parse().unwrap()
}

/// Record of a valid key with [`secret`].
pub fn record() -> Record {
    let digest = KeyDigest::of(&SecretHash::of(&secret()), locator(), &keyring().newest().pepper);
    Record {
        locator: locator(),
        workspace: Workspace { number: 7, version: 1, suspended: false, outage_seconds: 0 },
        environment: Environment::Live,
        version: 3,
        sealed_at: NOW,
        name: "Shop".into(),
        active: true,
        deleted: false,
        scopes: ScopeSet::full(),
        not_before: None,
        expires_at: Some(NOW.plus(1)),
        networks: Networks::default(),
        channels: vec!["ch_1".into()],
        limits: Limits::default(),
        metadata: vec![("a".into(), "b".into())],
        secrets: vec![RecordSecret { number: 1, master: 2, digest, ends_at: None }],
    }
}

/// Valid bytes with a few overwritten, and sometimes a missing end or extra bytes.
pub fn damaged(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let length = good.len();
    let end = prop_oneof![3 => Just(length), 1 => 0..=length];
    let more = prop_oneof![3 => Just(Vec::new()), 1 => vec(any::<u8>(), 0..8)];
    (vec((0..length, any::<u8>()), 0..4), end, more).prop_map(move |(writes, end, more)| {
        let mut bytes = good.clone();
        for (place, byte) in writes {
            bytes[place] = byte;
        }
        bytes.truncate(end.max(1));
        bytes.extend(more);
        bytes
    })
}

/// Random bytes, random bytes after a valid layout number, and damaged valid bytes.
pub fn near(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let layout = good[0];
    prop_oneof![
        vec(any::<u8>(), 0..400),
        vec(any::<u8>(), 0..400).prop_map(move |body| [vec![layout], body].concat()),
        damaged(good),
    ]
}

pub fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(NOW.millis())].prop_map(Timestamp::from_millis)
}
