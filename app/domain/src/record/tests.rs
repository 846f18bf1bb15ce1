//! Tests of sealing: tampering, truncation, foreign records and rotated secrets.

use super::*;
use crate::{
    keyring::Keyring,
    testing::{hex, keyring, record, secret},
};
use proptest::prelude::*;

/// Pinned bytes: later versions of this code read records that are stored in KV.
#[test]
fn known_answer() {
    let sealed = record().seal(&keyring()).unwrap();
    assert_eq!(
        hex(&sealed),
        "0200021061733846485930584979757a4c644c7a07010000000380c3ec94c1680453686f70010001000180c0e285e368000000000000010102e12aae5da9c2a4fc77cf86beeb690a78a69115d24fb29710130c853732b2d3910017a20c24926db52968565a0f6b17dd07"
    );
    assert!(sealed.len() <= 512);
}

/// Bytes in the previous version's layout.
const FIRST_LAYOUT: &str = "0100021061733846485930584979757a4c644c7a0700030453686f700100010180c0e285e3680102e12aae5da9c2a4fc77cf86beeb690a78a69115d24fb29710130c853732b2d391c3104381a705a0de4e5218743145fdc4";

#[test]
fn the_layout_before_is_read_and_never_decides() {
    let bytes: Vec<u8> = (0..FIRST_LAYOUT.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&FIRST_LAYOUT[at..at + 2], 16).unwrap())
        .collect();
    let read = Record::open(&bytes, record().locator, &keyring()).unwrap();
    assert_eq!((read.version, read.name.as_str(), read.expires_at), (3, "Shop", record().expires_at));
    assert!(read.recognise(&SecretHash::of(&secret()), &keyring()).is_some());
    for now in [0, 1_795_452_408_000] {
        assert!(!read.is_alive(Timestamp::from_millis(now)));
    }
}

#[test]
fn a_record_decides_for_a_day() {
    let record = record();
    assert!(record.is_alive(record.sealed_at) && record.is_alive(record.sealed_at.plus(LIFETIME - 1)));
    assert!(!record.is_alive(record.sealed_at.plus(LIFETIME)));
}

#[test]
fn a_usual_key_with_everything_stays_small() {
    let networks = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
    let full = Record {
        name: "Order messages of the web shop".into(),
        networks: Networks { allow: networks(&["203.0.113.0/24", "2001:db8::/32"]), deny: networks(&["203.0.113.66"]) },
        channels: vec!["ch_whatsapp".into(), "ch_sms".into()],
        metadata: vec![("team".into(), "commerce".into())],
        secrets: vec![record().secrets[0].clone(); 2],
        ..record()
    };
    assert!(full.seal(&keyring()).unwrap().len() <= 512);
}

/// A later version may have scopes that this one does not know.
#[test]
fn a_scope_that_is_not_known_is_left_out() {
    #[derive(serde::Deserialize)]
    struct Scopes(#[serde(with = "super::bits")] ScopeSet);
    let bytes = postcard::to_allocvec(&(1u64 << 60 | 1)).unwrap();
    assert_eq!(postcard::from_bytes::<Scopes>(&bytes).unwrap().0.names(), ["contacts:read"]);
}

#[test]
fn a_sealed_record_opens_to_itself() {
    let record = record();
    let read = Record::open(&record.seal(&keyring()).unwrap(), record.locator, &keyring()).unwrap();
    assert_eq!(format!("{read:?}"), format!("{record:?}"));
    assert_eq!(read.secrets[0].digest.as_bytes(), record.secrets[0].digest.as_bytes());
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let record = record();
    let sealed = record.seal(&keyring()).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut bytes = sealed.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Record::open(&bytes, record.locator, &keyring()).is_err(), "bit {bit}");
    }
}

#[test]
fn no_cut_goes_unnoticed() {
    let record = record();
    let sealed = record.seal(&keyring()).unwrap();
    for end in 0..sealed.len() {
        assert!(Record::open(&sealed[..end], record.locator, &keyring()).is_err(), "{end}");
    }
}

#[test]
fn a_record_under_another_name_or_secret_is_refused() {
    let record = record();
    let sealed = record.seal(&keyring()).unwrap();
    let other = "0000000000000001".parse().unwrap();
    assert_eq!(Record::open(&sealed, other, &keyring()).unwrap_err(), RecordError::Misplaced);
    let foreign = Keyring::parse("2:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=").unwrap();
    assert_eq!(Record::open(&sealed, record.locator, &foreign).unwrap_err(), RecordError::Seal);
    let retired = Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
    assert_eq!(Record::open(&sealed, record.locator, &retired).unwrap_err(), RecordError::Master(2));
}

#[test]
fn any_of_its_secrets_opens_a_key_and_no_other_does() {
    let mut record = record();
    let ring = keyring();
    let older: crate::token::Secret = "zzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
    let pepper = ring.pepper(1).unwrap();
    record.secrets.push(RecordSecret {
        number: 2,
        master: 1,
        digest: KeyDigest::of(&SecretHash::of(&older), record.locator, pepper),
        ends_at: None,
    });
    let number =
        |secret: &crate::token::Secret| record.recognise(&SecretHash::of(secret), &ring).map(|secret| secret.number);
    assert_eq!(number(&secret()), Some(1));
    assert_eq!(number(&older), Some(2));
    let wrong = "zzzzzzzzzzzzzzzzzzzzzzz0".parse().unwrap();
    assert_eq!(number(&wrong), None);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Record::open(&bytes, record().locator, &keyring()).is_err());
    }
}
