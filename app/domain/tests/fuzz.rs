//! Whatever comes from outside is answered: without a panic, without hanging, and without taking more memory than
//! its own length allows.
//!
//! `PROVE=1` tries a hundred times as many cases. A case that fails is kept in `fuzz.regressions`, is tried first from
//! then on, and belongs into the repository.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    audit::{BEGINNING, Chain},
    base62,
    digest::SecretHash,
    feed::{self, Entry, Follower, PAGE, Page, Subject},
    json,
    key::{
        CHANNELS_MAX, DESCRIPTION_MAX, Details, KeyPatch, KeyQuery, METADATA_BYTES_MAX, METADATA_MAX, NAME_MAX, NewKey,
        version_of_etag,
    },
    keyring::Keyring,
    limit::{LIMIT_MAX, Limits, Period, Quota, RateLimit, WINDOW_MAX},
    locator::{Address, Locator},
    meter::{self, Meter, Take, Taken, Unused},
    network::{LIST_MAX, Network},
    policy::{Call, decide},
    record::{Record, Workspace},
    scope::ScopeSet,
    time::Timestamp,
    token::{Environment, Token},
    transfer::{Entry as Exported, FORMAT, Header, Reader, Sum},
    usage::{self, BATCH_MAX, Batch, Cell, LastUse},
    vault::{Object, parse_news, registry::TrailQuery},
};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn config() -> ProptestConfig {
    let cases = if std::env::var_os("PROVE").is_some() { 20_000 } else { 200 };
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz.regressions");
    ProptestConfig { failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept))), ..config_of(cases) }
}

fn config_of(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, ..ProptestConfig::default() }
}

fn keyring() -> Keyring {
    Keyring::parse("2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=").unwrap()
}

fn locator() -> Locator {
    Locator::issue(&keyring(), Address { workspace: 7, number: 1 }, Environment::Live)
}

/// Bytes with a good seal around any body, as only we could make them.
fn sealed(layout: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![layout, 0, 2];
    bytes.extend_from_slice(body);
    let mac = keyring().newest().seal.mac(&[&bytes]);
    bytes.extend_from_slice(&mac[..16]);
    bytes
}

fn record() -> Record {
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
        expires_at: Some(NOW),
        networks: ownchat_domain::network::Networks::default(),
        channels: vec!["ch_1".into()],
        limits: Limits::default(),
        metadata: vec![("a".into(), "b".into())],
        secrets: Vec::new(),
    }
}

/// Good bytes of which a few were written over, and perhaps the end is missing or something follows.
fn damaged(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
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

/// Any bytes, bytes behind the right layout, and good ones that were damaged.
fn near(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let layout = good[0];
    prop_oneof![
        vec(any::<u8>(), 0..400),
        vec(any::<u8>(), 0..400).prop_map(move |body| [vec![layout], body].concat()),
        damaged(good),
    ]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(NOW.millis())].prop_map(Timestamp::from_millis)
}

/// A record with a good seal that says anything.
fn any_record() -> impl Strategy<Value = Vec<u8>> {
    let times = (any_time(), proptest::option::of(any_time()), proptest::option::of(any_time()));
    (times, any::<u64>(), any::<u32>(), ".{0,40}", vec(".{0,20}", 0..4)).prop_map(
        |((sealed_at, not_before, expires_at), version, outage_seconds, name, channels)| {
            let workspace = Workspace { version, outage_seconds, ..record().workspace };
            let any = Record { sealed_at, not_before, expires_at, version, name, channels, workspace, ..record() };
            any.seal(&keyring()).unwrap()
        },
    )
}

/// A page that says anything.
fn any_page() -> impl Strategy<Value = Vec<u8>> {
    let entry = (any::<bool>(), any::<u32>(), any::<u64>()).prop_map(|(is_key, number, version)| {
        let subject = if is_key { Subject::Key(locator()) } else { Subject::Workspace(number) };
        Entry { subject, version }
    });
    (any::<u64>(), any_time(), any::<u64>(), any::<bool>(), vec(entry, 0..6)).prop_map(
        |(incarnation, born, position, more, entries)| {
            feed::encode(&Page { incarnation, born, position, more, entries })
        },
    )
}

/// A question with any numbers.
fn any_take() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![any::<u32>(), 0..100u32];
    let rate = proptest::option::of(
        (number(), number()).prop_map(|(limit, window_seconds)| RateLimit { limit, window_seconds }),
    );
    let quota = proptest::option::of(
        (number(), any::<bool>())
            .prop_map(|(limit, is_day)| Quota { limit, period: if is_day { Period::Day } else { Period::Month } }),
    );
    let named = || prop_oneof![any::<u64>(), 0..5u64, meter::NAMED..meter::NAMED + 3];
    let returned = prop_oneof![number(), Just(meter::ALL)];
    let unused = (named(), returned).prop_map(|(lease, permits)| Unused { lease, permits });
    (rate, quota, any::<u64>(), number(), number(), vec(unused, 0..4), named()).prop_map(
        |(rate, quota, version, need, spare, unused, name)| {
            meter::encode(&Take { limits: Limits { rate, quota }, version, need, spare, unused, name })
        },
    )
}

/// Counts with any numbers.
fn any_batch() -> impl Strategy<Value = Vec<u8>> {
    let cell = (any::<i64>(), any::<u8>(), any::<u64>());
    let count = (cell, any::<u64>())
        .prop_map(|((minute, outcome, scopes), count)| (Cell { key: locator(), minute, outcome, scopes }, count));
    let last_use = (any::<u32>(), any_time()).prop_map(|(secret, at)| LastUse { key: locator(), secret, at });
    (any::<u64>(), any::<u64>(), vec(count, 0..6), vec(last_use, 0..4)).prop_map(
        |(isolate, sequence, counts, last_uses)| usage::encode(&Batch { isolate, sequence, counts, last_uses }),
    )
}

fn page() -> Vec<u8> {
    let entries = vec![
        Entry { subject: Subject::Key(locator()), version: 9 },
        Entry { subject: Subject::Workspace(7), version: 4 },
    ];
    feed::encode(&Page { incarnation: 77, born: NOW, position: 12, more: false, entries })
}

fn take() -> Vec<u8> {
    meter::encode(&Take { limits: Limits::default(), version: 1, need: 1, spare: 2, unused: Vec::new(), name: 0 })
}

/// Any JSON, with names and texts that mean something somewhere.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        3 => proptest::sample::select(vec![
            "name", "description", "integration", "environment", "scopes", "status", "reason", "not_before",
            "expires_at", "restrictions", "allow", "deny", "channels", "rate_limit", "limit", "window_seconds",
            "quota", "period", "metadata", "secret_sha256", "cursor", "q", "sort", "key", "actor", "action", "from",
            "to", "email", "password", "token", "workspace",
        ]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    let text = prop_oneof![
        2 => proptest::sample::select(vec![
            "", "live", "test", "active", "inactive", "contacts:read", "messages:send", "203.0.113.0/24", "::/0",
            "::ffff:1.2.3.4/96", "2027-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z", "day",
            "month", "ch_1", "newest", "as8FHY0XIyuzLdLz", "key.rotate", "a@b.example",
        ]).prop_map(str::to_owned),
        1 => ".{0,120}",
    ];
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0..100i64).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..30).prop_map(Value::from),
            3 => vec((name.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A key or a patch, most of it as it should be, up to the bounds and a little beyond them.
fn near_draft() -> impl Strategy<Value = Value> {
    let texts = |one: &'static str, most: usize| vec(one, 0..most).prop_map(Value::from);
    let text = prop_oneof![
        4 => "[a-z]{1,12}",
        1 => ".{0,120}",
        1 => (0..600usize).prop_map(|length| "é".repeat(length)),
    ];
    let moment = (any::<bool>(), 0..8_000i64).prop_map(|(is_none, days)| {
        let moment = NOW.plus(days * 86_400_000).rfc3339();
        if is_none { Value::Null } else { moment.into() }
    });
    let channel = prop_oneof![3 => "[a-z_]{1,10}", 1 => "[a-z_-]{0,70}"];
    let restrictions = (
        texts("[0-9]{1,2}\\.0\\.0\\.0/8", 24),
        texts("[0-9a-f]{1,4}::/16", 24),
        vec(channel, 0..54).prop_map(Value::from),
    )
        .prop_map(|(allow, deny, channels)| serde_json::json!({"allow": allow, "deny": deny, "channels": channels}));
    let number = || prop_oneof![1..100u32, any::<u32>()];
    let rate =
        (number(), number()).prop_map(|(limit, window)| serde_json::json!({"limit": limit, "window_seconds": window}));
    let quota = number().prop_map(|limit| serde_json::json!({"limit": limit, "period": "month"}));
    let notes = vec(("[a-z]{1,6}", prop_oneof!["[a-z]{0,9}", "[a-z]{0,400}"]), 0..24)
        .prop_map(|notes| Value::Object(notes.into_iter().map(|(name, value)| (name, value.into())).collect()));
    let fields: Vec<(&str, BoxedStrategy<Value>)> = vec![
        ("name", text.clone().prop_map(Value::from).boxed()),
        ("description", text.clone().prop_map(Value::from).boxed()),
        ("integration", text.prop_map(Value::from).boxed()),
        ("scopes", Just(serde_json::json!(["contacts:read", "messages:send"])).boxed()),
        ("not_before", moment.clone().boxed()),
        ("expires_at", moment.boxed()),
        ("restrictions", restrictions.boxed()),
        ("rate_limit", rate.boxed()),
        ("quota", quota.boxed()),
        ("metadata", notes.boxed()),
    ];
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, good)| {
            let value = prop_oneof![4 => Just(None), 8 => good.prop_map(Some), 1 => any_json().prop_map(Some)];
            value.prop_map(move |value| (name, value))
        })
        .collect();
    (fields, any::<bool>()).prop_map(|(fields, is_new)| {
        let mut body = Map::new();
        if is_new {
            body.insert("name".into(), "Shop".into());
            body.insert("environment".into(), "live".into());
            body.insert("scopes".into(), serde_json::json!(["contacts:read"]));
        }
        body.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(body)
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    json::read(body).ok()
}

/// What was accepted keeps every bound.
fn is_bounded(details: &Details) -> bool {
    let characters = |text: &str| text.chars().count();
    let notes: usize = details.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    (1..=NAME_MAX).contains(&characters(&details.name))
        && characters(&details.description) <= DESCRIPTION_MAX
        && characters(&details.integration) <= NAME_MAX
        && !details.scopes.is_empty()
        && details.networks.allow.len() <= LIST_MAX
        && details.networks.deny.len() <= LIST_MAX
        && details.channels.len() <= CHANNELS_MAX
        && details.limits.rate.is_none_or(|rate| rate.limit <= LIMIT_MAX && rate.window_seconds <= WINDOW_MAX)
        && details.limits.quota.is_none_or(|quota| quota.limit <= LIMIT_MAX)
        && details.metadata.len() <= METADATA_MAX
        && notes <= METADATA_BYTES_MAX
}

fn export() -> Vec<String> {
    let header = Header {
        format: FORMAT,
        workspace: 7,
        last_key: 1,
        name: "Shop".into(),
        version: 1,
        suspended: false,
        outage_seconds: 0,
    };
    let key = format!(
        "{{\"key\":{{\"number\":1,\"locator\":\"{}\",\"environment\":\"live\",\"name\":\"Shop\",\"description\":\"\",\
         \"integration\":\"\",\"scopes\":[\"contacts:read\"],\"not_before\":null,\"expires_at\":null,\
         \"restrictions\":{{\"allow\":[],\"deny\":[],\"channels\":[]}},\"limits\":{{\"rate\":null,\"quota\":null}},\
         \"metadata\":{{}},\"active\":true,\"reason\":null,\"created_at\":\"2026-11-23T16:46:48Z\",\
         \"created_by\":\"Ada\",\"owner\":null,\"updated_at\":\"2026-11-23T16:46:48Z\",\"version\":1,\"deleted_at\":null,\
         \"secrets\":[{{\"number\":1,\"master\":2,\"digest\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\",\
         \"created_at\":\"2026-11-23T16:46:48Z\",\"ends_at\":null}}]}}}}",
        locator()
    );
    let mut lines = vec![Exported::Export(header).write(), key];
    let mut sum = Sum::default();
    for line in &lines {
        sum.add(line);
    }
    lines.push(Exported::End(sum.end()).write());
    lines
}

fn taken_in(lines: &[String]) -> bool {
    let ring = keyring();
    let mut reader = Reader::new(&ring, 7);
    lines.iter().all(|line| reader.take(line).is_ok()) && reader.finish().is_ok()
}

#[test]
fn the_good_ones_are_good() {
    assert!(taken_in(&export()));
    assert!(feed::decode(&page()).is_some() && meter::decode::<Take>(&take()).is_some());
    let body = &record().seal(&keyring()).unwrap();
    assert!(Record::open(&sealed(2, &body[3..body.len() - 16]), locator(), &keyring()).is_ok());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tokens(text in prop_oneof![".{0,80}", "oc_(live|test)_[0-9A-Za-z]{10,20}_[0-9A-Za-z]{25,35}",
            "oc_live_[0-9A-Za-z]{16}_[0-9é]{15,30}", "[o_c0-9]{0,300}"]) {
        if let Ok(token) = Token::parse(&text) {
            let _ = token.locator.open(&keyring(), token.environment);
            let revealed = token.reveal();
            prop_assert_eq!(revealed.as_str(), text);
        }
    }

    #[test]
    fn sealed_records(
        layout in prop_oneof![0..4u8, Just(2)],
        body in prop_oneof![
            vec(any::<u8>(), 0..400),
            damaged(record().seal(&keyring()).unwrap()[3..].to_vec()),
            any_record().prop_map(|bytes| bytes[3..bytes.len() - 16].to_vec()),
        ],
        now in any::<i64>(),
    ) {
        // Even what has a good seal may hold anything: a defect of another version must not stop an isolate.
        if let Ok(record) = Record::open(&sealed(layout, &body), locator(), &keyring()) {
            prop_assert!(record.secrets.len() + record.channels.len() + record.metadata.len() <= body.len());
            let now = Timestamp::from_millis(now);
            let call = Call { address: Some([203, 0, 113, 9].into()), channel: Some("ch_1"), ..Call::default() };
            let _ = (record.is_alive(now), decide(&record, &SecretHash::from_bytes([3; 32]), &call, &keyring(), now));
        }
    }

    #[test]
    fn pages_of_the_feed(bytes in prop_oneof![near(page()), any_page(), any_page().prop_flat_map(damaged)], now in any::<i64>()) {
        if let Some(page) = feed::decode(&bytes) {
            prop_assert!(page.entries.len() <= PAGE && page.entries.len() <= bytes.len());
            let mut follower = Follower::default();
            let from = follower.position();
            let _ = follower.learn(page, from, Timestamp::from_millis(now));
            let _ = (follower.allows(&record()), follower.is_fresh(NOW));
        }
    }

    #[test]
    fn batches_of_counts(bytes in prop_oneof![vec(any::<u8>(), 0..400), any_batch(), any_batch().prop_flat_map(damaged)]) {
        if let Some(batch) = usage::decode(&bytes) {
            prop_assert!(batch.counts.len().max(batch.last_uses.len()) <= BATCH_MAX.min(bytes.len()));
            prop_assert_eq!(usage::decode(&usage::encode(&batch)), Some(batch));
        }
    }

    #[test]
    fn questions_to_a_meter_and_its_answers(questions in vec(prop_oneof![near(take()), any_take(), any_take().prop_flat_map(damaged)], 1..4), later in 0..100_000i64) {
        let mut meter = Meter::default();
        for (bytes, step) in questions.iter().zip(0..) {
            let _ = meter::decode::<Taken>(bytes);
            if let Some(ask) = meter::decode::<Take>(bytes) {
                prop_assert!(ask.unused.len() <= bytes.len());
                if let Taken::Lease(lease) = meter.take(&ask, NOW.plus(step * later)) {
                    prop_assert!(lease.permits >= ask.need);
                }
            }
        }
        let bytes = meter.encode();
        prop_assert!(bytes.len() < 1_000);
        let read = Meter::decode(&bytes).unwrap();
        prop_assert_eq!(read.encode(), bytes);
    }

    #[test]
    fn networks(text in prop_oneof![".{0,60}", "[0-9a-f:./]{0,50}", "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}/[0-9]{1,3}"], four: u32, six: u128) {
        if let Ok(network) = text.parse::<Network>() {
            prop_assert_eq!(network.to_string().parse(), Ok(network), "it is read as it is written");
            let _ = network.contains(std::net::Ipv4Addr::from_bits(four).into());
            let _ = network.contains(std::net::Ipv6Addr::from_bits(six).into());
            prop_assert!(network.covers(network));
        }
    }

    #[test]
    fn cursors_tags_times_and_paths(text in prop_oneof![".{0,80}", "[0-9A-Za-z]{0,40}", "\"[0-9]{0,30}\"", "/(registry|meter|feed|person)/[0-9a-f]{0,20}/.{0,20}", "since/[0-9]{0,25}/[0-9]{0,25}"]) {
        if let Some(number) = base62::decode(&text) {
            prop_assert_eq!(base62::encode(number, text.len()), text.as_str());
        }
        let _ = (version_of_etag(&text), parse_news(&text), text.parse::<Locator>(), Keyring::parse(&text));
        if let Some((object, name)) = Object::parse(&text) {
            let path = object.path(name);
            prop_assert_eq!(Object::parse(&path), Some((object, name)));
        }
        if let Some(moment) = Timestamp::parse(&text) {
            prop_assert_eq!(Timestamp::parse(&moment.rfc3339()), Some(moment));
        }
    }

    #[test]
    fn json_bodies(value in prop_oneof![1 => any_json(), 3 => near_draft()]) {
        let body = value.to_string().into_bytes();
        if let Some(key) = read::<NewKey>(&body)
            && let Ok(details) = key.check(NOW)
        {
            prop_assert!(is_bounded(&details), "{:?}", details);
            prop_assert!(details.check().is_ok());
        }
        if let Some(patch) = read::<KeyPatch>(&body)
            && let Ok(changes) = patch.check(NOW)
        {
            let before: NewKey =
                serde_json::from_str(r#"{"name":"Shop","environment":"live","scopes":["contacts:read"]}"#).unwrap();
            if let Ok(details) = changes.apply(&before.check(NOW).unwrap()) {
                prop_assert!(is_bounded(&details), "{:?}", details);
            }
        }
        let _ = (read::<KeyQuery>(&body), read::<TrailQuery>(&body));
        let _ = (read::<SetupRequest>(&body), read::<SignInRequest>(&body));
    }

    #[test]
    fn bytes_that_are_no_json(body in vec(any::<u8>(), 0..300), depth in 0..5_000usize) {
        let _ = (read::<NewKey>(&body), read::<KeyPatch>(&body));
        let deep = format!("{{\"metadata\":{}", "[".repeat(depth));
        prop_assert!(read::<NewKey>(deep.as_bytes()).is_none());
    }

    #[test]
    fn files_to_be_read_in(place in 0..3usize, bytes in damaged(export().join("\n").into_bytes()), text in ".{0,200}") {
        let text_of = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<String> = text_of.lines().map(str::to_owned).collect();
        prop_assert_eq!(taken_in(&lines), lines == export(), "nothing but the file itself is taken in");
        let mut other = export();
        other[place] = text;
        prop_assert!(!taken_in(&other));
    }

    #[test]
    fn lines_of_a_trail(text in prop_oneof![".{0,300}", "\\{\"sequence\":[0-9]{1,30},.{0,100},\"hash\":\"[0-9a-f]{64}\"\\}"]) {
        let mut chain = Chain::default();
        prop_assert!(chain.take(&text).is_err());
        prop_assert_eq!((chain.count(), chain.head()), (0, BEGINNING));
    }
}
