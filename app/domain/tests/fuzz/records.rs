//! Fuzz tests of records with a valid seal, which only the holder of a master secret can make.

use crate::{
    bounds::{CLAIMED, within, within_and},
    good::{NOW, any_time, config, damaged, keyring, locator, record, secret, some},
    networks::good as any_network,
};
use ownchat_domain::{
    checks::{AccessRequest, decide},
    digest::{KeyDigest, SecretHash},
    explain::{Case, Target, explain},
    limit::{Limits, RateLimit},
    network::Networks,
    record::{Record, RecordSecret, Workspace},
    scope::ScopeSet,
    time::Timestamp,
    verdict::{Code, Denial},
};
use proptest::{collection::vec, option, prelude::*};
use std::net::IpAddr;

/// Seals any body with a valid MAC, as only the holder of a master secret can.
fn sealed(layout: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![layout, 0, 2];
    bytes.extend_from_slice(body);
    let mac = keyring().newest().seal.mac(&[&bytes]);
    bytes.extend_from_slice(&mac[..16]);
    bytes
}

/// A record of the key with [`secret`]; its values are arbitrary but mostly valid.
fn any_record() -> impl Strategy<Value = Record> {
    let time = || option::weighted(0.3, any_time());
    let times = (any_time(), time(), time(), time());
    let network = || vec(any_network().prop_map(|text| text.parse().unwrap()), 0..3);
    let seldom = || prop_oneof![7 => Just(Vec::new()), 1 => network()];
    let networks = (seldom(), seldom()).prop_map(|(allow, deny)| Networks { allow, deny });
    let scopes = prop_oneof![Just(u64::MAX), any::<u64>()]
        .prop_map(|bits| ScopeSet::from_bits(bits & ScopeSet::full().bits()).unwrap());
    let rate = option::of((any::<u32>(), any::<u32>()))
        .prop_map(|rate| rate.map(|(limit, window_seconds)| RateLimit { limit, window_seconds }));
    let seldom = || prop::bool::weighted(0.1);
    let flags = (seldom(), seldom(), seldom());
    let channels = prop_oneof![3 => Just(Vec::new()), 1 => vec(".{0,20}", 0..4), 2 => Just(vec!["ch_1".to_owned()])];
    let texts = (".{0,40}", channels, vec((".{0,9}", ".{0,9}"), 0..4));
    let numbers = (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>());
    (times, numbers, (networks, scopes, rate), flags, texts).prop_map(
        |((sealed_at, not_before, expires_at, ends_at), numbers, (networks, scopes, rate), flags, texts)| {
            let (version, workspace_version, outage_seconds, number) = numbers;
            let (suspended, deleted, inactive) = flags;
            let (name, channels, metadata) = texts;
            let workspace = Workspace { version: workspace_version, suspended, outage_seconds, ..record().workspace };
            let digest = KeyDigest::of(&SecretHash::of(&secret()), locator(), &keyring().newest().pepper);
            let secrets = vec![RecordSecret { number, master: 2, digest, ends_at }];
            Record {
                workspace,
                version,
                sealed_at,
                name,
                active: !inactive,
                deleted,
                scopes,
                not_before,
                expires_at,
                networks,
                channels,
                limits: Limits { rate, quota: None },
                metadata,
                secrets,
                ..record()
            }
        },
    )
}

/// A request with [`secret`], from any address at any time.
fn any_case() -> impl Strategy<Value = Case> {
    let address = option::of(prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
    ]);
    let scopes = prop_oneof![3 => Just(0), 1 => any::<u64>()]
        .prop_map(|bits| ScopeSet::from_bits(bits & ScopeSet::full().bits()).unwrap());
    let channel = prop_oneof![3 => Just(Some("ch_1".to_owned())), 1 => option::of(".{0,20}")];
    let wanted = (scopes, channel).prop_map(|(scopes, channel)| Target::Scopes(scopes, channel));
    let at = prop_oneof![1 => any_time(), 1 => Just(NOW)];
    let cost = option::of(any::<u32>());
    (wanted, address, at, cost).prop_map(|(wanted, address, at, cost)| Case {
        wanted,
        address,
        environment: None,
        at: Some(at),
        cost,
    })
}

fn decided(record: &Record, case: &Case) -> Result<u32, Denial> {
    let channel = case.channel();
    let call = AccessRequest { required: case.required(), channel: channel.as_deref(), address: case.address };
    decide(record, &SecretHash::of(&secret()), &call, &keyring(), case.at.unwrap())
}

/// Body of a sealed record.
fn body(record: &Record) -> Vec<u8> {
    let bytes = record.seal(&keyring()).unwrap();
    bytes[3..bytes.len() - 16].to_vec()
}

#[test]
fn a_good_one_is_opened() {
    assert!(Record::open(&sealed(2, &body(&record())), locator(), &keyring()).is_ok());
}

#[test]
fn every_answer_is_tried() {
    let answers = some(&(any_record(), any_case()).prop_map(|(record, case)| decided(&record, &case)));
    let codes: Vec<Code> =
        answers.into_iter().map(|answer| answer.map_or_else(|denial| denial.code(), |_| Code::Valid)).collect();
    for expected in [
        Code::WorkspaceSuspended,
        Code::UnknownKey,
        Code::Inactive,
        Code::NotYetValid,
        Code::Expired,
        Code::AddressForbidden,
        Code::ScopeMissing,
        Code::ChannelForbidden,
        Code::Valid,
    ] {
        assert!(codes.iter().filter(|code| **code == expected).count() >= 3, "{expected:?}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sealed_records(
        layout in prop_oneof![0..4u8, Just(2)],
        body in prop_oneof![
            1 => vec(any::<u8>(), 0..400),
            1 => damaged(body(&record())),
            2 => any_record().prop_map(|record| body(&record)),
            2 => any_record().prop_flat_map(|record| damaged(body(&record))),
            1 => (vec(any::<u8>(), 1..40), 0..1_700usize).prop_map(|(piece, times)| piece.repeat(times)),
        ],
        case in any_case(),
    ) {
        // A validly sealed record may hold anything: a bug of another version must not crash an
        // isolate.
        let bytes = sealed(layout, &body);
        if let Ok(record) = within_and(CLAIMED, &bytes, || Record::open(&bytes, locator(), &keyring())) {
            prop_assert!(record.secrets.len() + record.channels.len() + record.metadata.len() <= body.len());
            let hash = SecretHash::of(&secret());
            within(&bytes, || {
                if let Err(denial) = decided(&record, &case) {
                    assert!(!denial.detail().is_empty());
                }
                let _ = (record.is_alive(case.at.unwrap()), decide(&record, &hash, &AccessRequest::default(), &keyring(), Timestamp::default()));
                let _ = explain(&record, Some(&hash), None, &case, &keyring(), NOW);
            });
        }
    }
}
