//! Fuzz tests of keys in plain text.

use crate::{
    bounds::within,
    good::{config, keyring, locator, secret, some},
};
use crc::{CRC_32_ISO_HDLC, Crc};
use ownchat_domain::{
    base62,
    environment::Environment,
    token::{Token, TokenError},
};
use proptest::{collection::vec, prelude::*};

/// Length of the check at the end of a key.
const CHECK: usize = 6;

fn good() -> String {
    Token { environment: Environment::Live, locator: locator(), secret: secret() }.reveal().to_string()
}

/// Appends the valid check to a text.
fn checked(body: &str) -> String {
    let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(body.as_bytes());
    format!("{body}{}", base62::encode(sum.into(), CHECK))
}

/// A valid key without its check, with a few characters replaced or inserted.
fn damaged() -> impl Strategy<Value = String> {
    let good = good();
    let good: Vec<char> = good.chars().take(good.len() - CHECK).collect();
    let other = prop_oneof![8 => "[0-9A-Za-z]", 1 => "[_é ]"].prop_map(|text| text.chars().next().unwrap());
    let put_in = prop_oneof![7 => Just(false), 1 => Just(true)];
    vec((0..good.len(), other, put_in), 0..4).prop_map(move |places| {
        let mut body = good.clone();
        for (place, other, put_in) in places {
            if put_in { body.insert(place, other) } else { body[place] = other }
        }
        body.into_iter().collect()
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => ".{0,80}",
        1 => "oc_(live|test)_[0-9A-Za-z]{10,20}_[0-9A-Za-z]{25,35}",
        1 => "oc_live_[0-9A-Za-z]{16}_[0-9é]{15,30}",
        1 => "[o_c0-9]{0,300}",
        1 => "oc_(live|test)_[0-9A-Za-z]{16}_[0-9A-Za-z]{24}".prop_map(|body| checked(&body)),
        2 => damaged().prop_map(|body| checked(&body)),
        1 => (1..66_000usize).prop_map(|length| checked(&format!("oc_live_{}", "0".repeat(length)))),
    ]
}

#[test]
fn keys_and_other_texts_are_tried() {
    let keys = some(&any_text()).iter().filter(|text| Token::parse(text).is_ok()).count();
    assert!((30..270).contains(&keys), "{keys}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tokens(text in any_text()) {
        if let Ok(token) = within(&text, || Token::parse(&text)) {
            prop_assert!(text.len() == good().len());
            let _ = token.locator.open(&keyring(), token.environment);
            let revealed = token.reveal();
            prop_assert_eq!(revealed.as_str(), text);
        }
    }

    #[test]
    fn a_key_of_which_one_character_is_another_is_none(place in 0..good().len(), other in "[0-9A-Za-z_]") {
        let mut text = good();
        text.replace_range(place..=place, &other);
        let expected = text == good();
        prop_assert_eq!(Token::parse(&text).is_ok(), expected);
        if place >= good().len() - CHECK - 24 && other != "_" && !expected {
            prop_assert_eq!(Token::parse(&text).err(), Some(TokenError::Check));
        }
    }
}
