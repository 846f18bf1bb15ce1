//! What a seal must withstand.

use super::*;
use crate::{
    keyring::Keyring,
    testing::{hex, keyring, record, secret},
};
use proptest::prelude::*;

/// Records that lie in KV are read by later versions of this code, so the bytes are pinned.
#[test]
fn known_answer() {
    let sealed = record().seal(&keyring()).unwrap();
    assert_eq!(
        hex(&sealed),
        "0100021061733846485930584979757a4c644c7a0700030453686f700100010180c0e285e3680102e12aae5da9c2a4fc77cf86beeb690a78a69115d24fb29710130c853732b2d391c3104381a705a0de4e5218743145fdc4"
    );
    assert!(sealed.len() <= 512);
}

#[test]
fn what_was_sealed_is_read() {
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
    let pepper = &ring.find(1).unwrap().pepper;
    record
        .secrets
        .push(RecordSecret { master: 1, digest: KeyDigest::of(&SecretHash::of(&older), record.locator, pepper) });
    assert!(record.recognises(&SecretHash::of(&secret()), &ring));
    assert!(record.recognises(&SecretHash::of(&older), &ring));
    let wrong = "zzzzzzzzzzzzzzzzzzzzzzz0".parse().unwrap();
    assert!(!record.recognises(&SecretHash::of(&wrong), &ring));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Record::open(&bytes, record().locator, &keyring()).is_err());
    }
}
