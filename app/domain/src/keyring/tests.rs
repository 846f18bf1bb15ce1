use super::*;
use crate::testing::hex;

const A: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const B: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

#[test]
fn the_greatest_id_writes_and_all_read() {
    let ring = Keyring::parse(&format!("1:{A}, 10:{A},2:{B}")).unwrap();
    assert_eq!(ring.newest().id, 10);
    assert_eq!(ring.ids().collect::<Vec<_>>(), [10, 2, 1]);
    assert_eq!(ring.locators().map(|(id, _)| id).collect::<Vec<_>>(), [10, 2, 1]);
    assert!(ring.pepper(2).is_some() && ring.seal(1).is_some() && ring.pepper(3).is_none());
}

#[test]
fn of_a_secret_that_is_retired_in_part_only_that_part_is_left() {
    let whole = Keyring::parse(&format!("1:{A},2:{B}")).unwrap();
    let list = retire(&format!("1:{A},2:{B}"), 1, &[Use::Locator, Use::Pepper]).unwrap();
    let ring = Keyring::parse(&list).unwrap();
    let macs = |ring: &Keyring| {
        let locators: Vec<_> = ring.locators().map(|(id, key)| (id, key.mac(&[b"x"]))).collect();
        (locators, ring.pepper(1).map(|key| key.mac(&[b"x"])))
    };
    assert_eq!(macs(&ring), macs(&whole), "what is left is the same");
    assert!(ring.seal(1).is_none() && ring.seal(2).is_some());
    let ring = Keyring::parse(&retire(&list, 1, &[Use::Locator]).unwrap()).unwrap();
    assert!(ring.pepper(1).is_none() && ring.locators().count() == 2);
    let ring = Keyring::parse(&retire(&list, 1, &[]).unwrap()).unwrap();
    assert_eq!(ring.ids().collect::<Vec<_>>(), [2]);
}

#[test]
fn the_keys_of_locators_are_read_alone() {
    let list = format!("3/pepper:{A},1/locator:{A},2:{B},4:{A}");
    let ring = Keyring::parse(&list).unwrap();
    let mut of_ring: Vec<_> = ring.locators().map(|(_, key)| key.mac(&[b"x"])).collect();
    let mut alone: Vec<_> = Locators::parse(&list).unwrap().iter().map(|key| key.mac(&[b"x"])).collect();
    of_ring.sort_unstable();
    alone.sort_unstable();
    assert_eq!((alone.len(), alone), (3, of_ring));
}

#[test]
fn an_invalid_list_names_its_error() {
    for (list, error) in [
        (String::new(), KeyringError::Empty),
        (" , ".into(), KeyringError::Empty),
        (A.into(), KeyringError::Entry(1)),
        (format!("1:{A},x:{A}"), KeyringError::Entry(2)),
        (format!("70000:{A}"), KeyringError::Entry(1)),
        ("1:AAAA".into(), KeyringError::Secret(1)),
        ("1:not base64".into(), KeyringError::Secret(1)),
        (format!("1:{A},1:{B}"), KeyringError::Duplicate(1)),
        (format!("2:{A},1/locator:{A},1/locator:{B}"), KeyringError::Duplicate(1)),
        (format!("2:{A},1/locator:{A},1:{B}"), KeyringError::Duplicate(1)),
        (format!("2:{A},1/seal:{A}"), KeyringError::Entry(2)),
        (format!("1:{A},2/locator:{A}"), KeyringError::Newest(2)),
    ] {
        assert_eq!(Keyring::parse(&list).unwrap_err(), error, "{list}");
    }
}

/// Changing a label would orphan every key of every deployment, so the derived keys are pinned.
#[test]
fn derived_keys_are_stable_and_distinct() {
    let ring = Keyring::parse(&format!("1:{A}")).unwrap();
    let master = ring.newest();
    assert_eq!(hex(&master.locator.mac(&[b"x"])), "de28e66010b2c1f552c97f71731e50c1a325cfbc3e2f998f470e58ca18bb08d9");
    assert_eq!(hex(&master.pepper.mac(&[b"x"])), "fd79d4341ffc8b9931593612145d269ce421512723c82f118ed8417d34b9a253");
    assert_eq!(hex(&master.seal.mac(&[b"x"])), "dbdd7adfeb9f52c3ca559abc39acb60a4fd2844a38d6876b21edc63d080413a4");
}

/// RFC 4231, test case 2.
#[test]
fn hmac_known_answer() {
    let key = MacKey::new(b"Jefe");
    let mac = key.mac(&[b"what do ya want ", b"for nothing?"]);
    assert_eq!(hex(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert!(key.verify(&[b"what do ya want for nothing?"], &mac[..16]));
    assert!(!key.verify(&[b"what do ya want for nothing?"], &mac[..15]), "too short to count");
    assert!(!key.verify(&[b"something else"], &mac));
}

#[test]
fn debug_shows_no_secret() {
    let text = format!("{:?}", Keyring::parse(&format!("1:{B}")).unwrap());
    assert!(!text.contains("AQEB") && !text.contains("[1, 1"), "{text}");
}

/// Check values are kept for the life of a workspace, so they never change.
#[test]
fn a_check_value_is_the_same_for_ever() {
    let ring = Keyring::parse(&format!("1:{}=", "A".repeat(43))).unwrap();
    let checks: Vec<_> = ring.checks().map(|check| (check.id, check.purpose, check.value[..4].to_vec())).collect();
    assert_eq!(
        checks,
        [
            (1, "locator", vec![12, 117, 70, 62]),
            (1, "pepper", vec![134, 186, 20, 50]),
            (1, "seal", vec![75, 227, 131, 116])
        ]
    );
}
