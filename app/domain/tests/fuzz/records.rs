//! Records, behind a seal that only we could make.

use crate::good::{any_time, config, damaged, keyring, locator, record};
use ownchat_domain::{
    digest::SecretHash,
    policy::{Call, decide},
    record::{Record, Workspace},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};

/// Bytes with a good seal around any body, as only we could make them.
fn sealed(layout: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![layout, 0, 2];
    bytes.extend_from_slice(body);
    let mac = keyring().newest().seal.mac(&[&bytes]);
    bytes.extend_from_slice(&mac[..16]);
    bytes
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

#[test]
fn a_good_one_is_opened() {
    let body = &record().seal(&keyring()).unwrap();
    assert!(Record::open(&sealed(2, &body[3..body.len() - 16]), locator(), &keyring()).is_ok());
}

proptest! {
    #![proptest_config(config())]

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
}
