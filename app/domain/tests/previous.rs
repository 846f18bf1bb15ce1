//! Backward compatibility: this version reads all that earlier versions wrote. Workers and objects
//! are deployed at different times, and stores hold records and meters.
//!
//! The files in `fixtures` come from the version that wrote the layout in their names. They are
//! never regenerated: a new layout adds new files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "previous/answers.rs"]
mod answers;
#[path = "previous/questions.rs"]
mod questions;

use ownchat_domain::{
    account::PersonId,
    audit::Action,
    checks::{AccessRequest, decide},
    digest::SecretHash,
    environment::Environment,
    feed::{self, Affected, Entry},
    key::{Sort, Status},
    keyring::Keyring,
    limit::{Limits, Period, Quota, RateLimit},
    locator::{KeyNumber, Locator},
    meter::{self, Lease, LeaseRequest, LeaseResponse, LimitState, MeterState, NAMED, Refusal, ReturnedPermits},
    network::Network,
    record::Record,
    time::Timestamp,
    token::Secret,
    usage::{self, Cell},
    vault::{self, feed::Announce, registry::*},
    verdict::Denial,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fs, path::Path};

fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn keyring() -> Keyring {
    let list = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    Keyring::parse(list).unwrap()
}

fn locator() -> Locator {
    Locator::issue(&keyring(), KeyNumber { workspace: 7, number: 1 }, Environment::Live)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_452_408_000 + millis)
}

fn hash() -> SecretHash {
    SecretHash::of(&"0123456789ABCDEFGHIJKLMN".parse::<Secret>().unwrap())
}

const LIMITS: Limits = Limits {
    rate: Some(RateLimit { limit: 100, window_seconds: 60 }),
    quota: Some(Quota { limit: 5_000, period: Period::Month }),
};

#[test]
fn a_record_of_the_first_layout_is_read_and_does_not_decide() {
    let record = Record::open(&bytes("record-1.bin"), locator(), &keyring()).unwrap();
    assert_eq!((record.version, record.name.as_str(), record.workspace.number), (3, "Shop", 7));
    assert!(record.recognise(&hash(), &keyring()).is_some() && !record.is_alive(at(0)));
}

#[test]
fn a_record_of_the_second_layout_is_read_and_decides() {
    let record = Record::open(&bytes("record-2.bin"), locator(), &keyring()).unwrap();
    assert_eq!((record.version, record.name.as_str()), (9, "Orders of the web shop"));
    assert_eq!((record.workspace.version, record.workspace.outage_seconds), (4, 600));
    assert_eq!((record.not_before, record.expires_at), (Some(at(-1_000)), Some(at(86_400_000))));
    assert_eq!(record.scopes.names(), ["contacts:read", "messages:send"]);
    assert_eq!((record.channels.as_slice(), record.limits), (["ch_whatsapp".to_owned()].as_slice(), LIMITS));
    assert_eq!(record.metadata, [("team".to_owned(), "commerce".to_owned())]);
    assert!(record.is_alive(at(0)));
    let call = AccessRequest { address: Some("203.0.113.9".parse().unwrap()), ..AccessRequest::default() };
    assert_eq!(decide(&record, &hash(), &call, &keyring(), at(0)), Ok(2));
    let old = SecretHash::from_bytes([3; 32]);
    assert_eq!(decide(&record, &old, &call, &keyring(), at(0)), Ok(1));
    assert_eq!(decide(&record, &old, &call, &keyring(), at(5_000)), Err(Denial::Replaced));
    let denied = AccessRequest { address: Some("203.0.113.66".parse().unwrap()), ..AccessRequest::default() };
    assert!(decide(&record, &hash(), &denied, &keyring(), at(0)).is_err());
}

#[test]
fn a_page_of_the_feed_is_read() {
    let page = feed::decode(&bytes("feed-page-1.bin")).unwrap();
    assert_eq!((page.incarnation, page.born, page.position, page.more), (77, at(0), 12, true));
    assert_eq!(
        page.entries,
        [
            Entry { subject: Affected::Key(locator()), version: 9 },
            Entry { subject: Affected::Workspace(7), version: 4 },
        ]
    );
}

#[test]
fn questions_answers_and_state_of_a_meter_are_read() {
    let take: LeaseRequest = meter::decode(&bytes("meter-take-1.bin")).unwrap();
    let unused = vec![ReturnedPermits { lease: 3, permits: 5 }];
    assert_eq!(
        take.clone(),
        LeaseRequest { limits: LIMITS, version: 9, need: 1, spare: 20, unused, ..LeaseRequest::default() }
    );
    let standing = LimitState { rate: Some((42, 17_000).into()), quota: Some((4_000, 86_400_000).into()) };
    let named: LeaseRequest = meter::decode(&bytes("meter-take-2.bin")).unwrap();
    assert_eq!(named, LeaseRequest { name: NAMED + 77, ..take });
    let lease: LeaseResponse = meter::decode(&bytes("meter-lease-1.bin")).unwrap();
    assert_eq!(lease, LeaseResponse::Lease(Lease { number: 4, permits: 11, lasts: 2_000, standing }));
    let refusal: LeaseResponse = meter::decode(&bytes("meter-refusal-1.bin")).unwrap();
    assert_eq!(refusal, LeaseResponse::Refused(Refusal { by_quota: true, retry_after: 500, standing }));
    // The meter had granted 13 permits of the rate limit and one more.
    for state in ["meter-state-1.bin", "meter-state-2.bin"] {
        let state = MeterState::decode(&bytes(state)).unwrap();
        let left = state.standing(at(20));
        assert_eq!(
            (left.rate.map(|rate| rate.permits), left.quota.map(|quota| quota.permits)),
            (Some(86), Some(4_986))
        );
    }
}

#[test]
fn a_batch_of_counts_is_read() {
    let batch = usage::decode(&bytes("usage-batch-1.bin")).unwrap();
    assert_eq!((batch.isolate, batch.sequence), (5, 8));
    let cell = Cell { key: locator(), minute: 29_924_206, outcome: 3, scopes: 1 };
    assert_eq!(batch.counts, [(cell, 40)]);
    assert_eq!((batch.last_uses[0].key, batch.last_uses[0].secret, batch.last_uses[0].at), (locator(), 2, at(0)));
}

/// Asserts that the entry `name` of a file deserialises to `expected`.
fn same<T: Serialize + DeserializeOwned>(file: &str, name: &str, expected: &T) {
    let lines = String::from_utf8(bytes(file)).unwrap();
    let begin = format!("{{\"name\":\"{name}\",\"body\":");
    let body = lines.lines().find_map(|line| line.strip_prefix(&begin)?.strip_suffix('}'));
    let read: T = serde_json::from_str(body.unwrap_or_else(|| panic!("{name} is missing")))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(read).unwrap(), serde_json::to_value(expected).unwrap(), "{name}");
}

/// Reads the command of this name as an earlier console sent it.
fn call<C: vault::Command + DeserializeOwned>() -> C {
    let lines = String::from_utf8(bytes("calls.ndjson")).unwrap();
    let begin = format!("{{\"name\":\"{}\",\"body\":", C::NAME);
    let body = lines.lines().find_map(|line| line.strip_prefix(&begin)?.strip_suffix('}')).unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{}: {error}: {body}", C::NAME))
}

#[test]
fn questions_of_an_earlier_console_are_understood() {
    let create: CreateWorkspace = call();
    assert_eq!((create.number, create.name.as_str(), create.owner), (7, "Shop", PersonId(0xab)));
    let create: CreateKey = call();
    let details = create.key.check(at(0)).unwrap();
    assert_eq!((create.origin.caller, create.origin.address.as_str()), (PersonId(0xab).into(), "192.0.2.1"));
    assert_eq!(details.networks.allow, ["203.0.113.0/24".parse::<Network>().unwrap()]);
    assert_eq!(details.limits.quota, Some(Quota { limit: 9, period: Period::Day }));
    assert!(details.expires_at.is_some() && create.secret == hash());
    let list: ListKeys = call();
    assert_eq!((list.query.q.as_deref(), list.query.limit, list.query.sort), (Some("x"), Some(5), Sort::Oldest));
    assert_eq!(call::<ReadKey>().id, locator());
    let change: ChangeKey = call();
    assert_eq!((change.version, change.patch.name.as_deref()), (3, Some("Store")));
    assert_eq!((change.patch.status, change.patch.expires_at), (Some(Status::Inactive), Some(None)));
    assert_eq!(call::<DeleteKey>().version, 3);
    assert_eq!(call::<RestoreKey>().id, locator());
    let rotate: RotateKey = call();
    assert!(rotate.overlap_seconds == 60 && rotate.secret == hash());
    assert_eq!(call::<EndOldSecrets>().id, locator());
    assert_eq!(call::<ReadSettings>().caller, PersonId(0xab).into());
    let settings: ChangeSettings = call();
    assert_eq!((settings.suspended, settings.outage_seconds), (Some(true), None));
    let trail: ReadTrail = call();
    assert_eq!(
        (trail.query.cursor, trail.query.action, trail.query.from),
        (Some(5), Some(Action::Rotate), Some(at(0)))
    );
    let announce: Announce = call();
    assert_eq!(announce.entries[1], Entry { subject: Affected::Workspace(7), version: 2 });
}
