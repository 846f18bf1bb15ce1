//! Tests of parsing, generation and redaction of keys.

use super::*;
use crate::{locator::KeyNumber, testing::keyring};
use proptest::prelude::*;

fn token(workspace: u32, number: u32, environment: Environment, seed: u8) -> Token {
    let mut next = seed;
    let secret = Secret::generate(|bytes| {
        for byte in bytes {
            next = next.wrapping_mul(29).wrapping_add(41);
            *byte = next;
        }
        Ok::<(), ()>(())
    })
    .unwrap();
    Token { environment, locator: Locator::issue(&keyring(), KeyNumber { workspace, number }, environment), secret }
}

/// Example from the documentation, with a valid check.
const KNOWN: &str = "oc_live_3kP0aXv9QmT2ZbLc_8sJd0KqYw2Nf7RtUhV1xGpEa1Qzxwl";

#[test]
fn known_answer() {
    let token = Token::parse(KNOWN).unwrap();
    assert_eq!(token.environment, Environment::Live);
    assert_eq!(token.locator.to_string(), "3kP0aXv9QmT2ZbLc");
    assert_eq!(token.secret.reveal(), "8sJd0KqYw2Nf7RtUhV1xGpEa");
    assert_eq!(*token.reveal(), KNOWN);
    assert_eq!(prefix(token.environment, token.locator), "oc_live_3kP0aXv9QmT2ZbLc");
}

#[test]
fn each_fault_has_its_own_error() {
    let swapped = KNOWN.replace("8sJd", "s8Jd");
    for (text, error) in [
        ("", TokenError::Brand),
        ("sk_live_abc", TokenError::Brand),
        ("Bearer oc_live_", TokenError::Scheme),
        (&format!("Bearer {KNOWN}"), TokenError::Scheme),
        (&format!("\"{KNOWN}\""), TokenError::Quoted),
        (&format!("Bearer '{KNOWN}'"), TokenError::Quoted),
        (&format!("\u{feff}{KNOWN}"), TokenError::ByteOrderMark),
        (&format!("{KNOWN}\u{feff}"), TokenError::Alphabet),
        ("oc_", TokenError::Length { characters: 3 }),
        ("oc_prod_3kP0aXv9QmT2ZbLc_8sJd0KqYw2Nf7RtUhV1xGpEaMzB4Cn", TokenError::Environment),
        ("oc_live_3kP0aXv9QmT2ZbLc", TokenError::Length { characters: 24 }),
        (&KNOWN[..KNOWN.len() - 1], TokenError::Length { characters: 54 }),
        (&format!("{KNOWN}0"), TokenError::Length { characters: 56 }),
        (&KNOWN.replace('8', "-"), TokenError::Alphabet),
        (&KNOWN.replace('8', "ä"), TokenError::Alphabet),
        (&swapped, TokenError::Check),
        (&format!("{}zzzzzz", &KNOWN[..KNOWN.len() - 6]), TokenError::Check),
    ] {
        assert_eq!(Token::parse(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn nothing_but_reveal_shows_the_secret() {
    let token = Token::parse(KNOWN).unwrap();
    assert!(!format!("{token:?}").contains("8sJd"));
    assert!(!format!("{:#?}", token.secret).contains("8sJd"));
}

#[test]
fn redaction_leaves_the_public_part() {
    for (text, clean) in [
        (KNOWN.to_owned(), "oc_live_3kP0aXv9QmT2ZbLc…"),
        (format!("key={KNOWN}&x=1 {KNOWN}"), "key=oc_live_3kP0aXv9QmT2ZbLc…&x=1 oc_live_3kP0aXv9QmT2ZbLc…"),
        (KNOWN[..40].to_owned(), "oc_live_3kP0aXv9QmT2ZbLc…"),
        (format!("{KNOWN}{KNOWN}"), "oc_live_3kP0aXv9QmT2ZbLc…"),
        ("nothing here, oc_live_ neither".to_owned(), "nothing here, oc_live_ neither"),
    ] {
        assert_eq!(redact(&text), clean);
    }
}

#[test]
fn bytes_that_would_favour_some_characters_are_thrown_away() {
    // 248 is the largest multiple of 62 up to 255. Bytes 248 to 255 would favour the first eight
    // digits.
    for favoured in 248..=255 {
        let secret = Secret::generate(|bytes| {
            for (place, byte) in bytes.iter_mut().enumerate() {
                *byte = if place % 2 == 0 { favoured } else { 61 };
            }
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(secret.reveal(), "z".repeat(24), "{favoured}");
    }
    let highest = Secret::generate(|bytes| {
        bytes.fill(247);
        Ok::<(), ()>(())
    });
    assert_eq!(highest.unwrap().reveal(), "z".repeat(24));
}

#[test]
fn a_broken_random_source_makes_no_secret() {
    assert!(Secret::generate(|_| Err("no entropy")).is_err());
}

proptest! {
    #[test]
    fn every_generated_token_parses(workspace: u32, number: u32, live: bool, seed: u8) {
        let environment = if live { Environment::Live } else { Environment::Test };
        let made = token(workspace, number, environment, seed);
        let text = made.reveal();
        prop_assert_eq!(text.len(), 55);
        let read = Token::parse(&text).unwrap();
        prop_assert_eq!(read.environment, environment);
        prop_assert_eq!(read.locator, made.locator);
        prop_assert_eq!(read.secret.reveal(), made.secret.reveal());
    }

    /// The published matcher finds only keys and mistyped keys, never text of another shape.
    #[test]
    fn each_match_of_the_published_matcher_has_the_shape_of_a_key(text in MATCHER) {
        prop_assert!(matches!(Token::parse(&text), Ok(_) | Err(TokenError::Check)), "{}", text);
    }

    #[test]
    fn no_single_character_change_parses(number: u32, seed: u8, place in 0usize..55, other in any::<char>()) {
        let text = token(7, number, Environment::Live, seed).reveal();
        let mut characters: Vec<char> = text.chars().collect();
        prop_assume!(characters[place] != other);
        characters[place] = other;
        prop_assert!(Token::parse(&characters.iter().collect::<String>()).is_err());
    }

    #[test]
    fn parsing_never_panics(text in ".{0,300}") {
        let _ = Token::parse(&text);
        let _ = redact(&text);
    }
}

#[test]
fn no_single_base62_change_of_a_token_parses() {
    let text = token(7, 9, Environment::Test, 3).reveal();
    for place in 0..text.len() {
        for digit in base62::ALPHABET {
            let mut bytes = text.as_bytes().to_vec();
            if bytes[place] != *digit {
                bytes[place] = *digit;
                assert!(Token::parse(core::str::from_utf8(&bytes).unwrap()).is_err(), "{place} {digit}");
            }
        }
    }
}

#[test]
fn the_locator_of_a_key_is_found_in_it() {
    let token = token(7, 1, Environment::Live, 3);
    assert_eq!(locator_in(&token.reveal()), Some(token.locator));
    for text in ["", "oc_live_", "oc_live_0123456789abcde", "öc_live_äääääääääääääääääääää"] {
        assert_eq!(locator_in(text), None, "{text}");
    }
}

#[test]
fn a_key_is_found_in_any_text_and_cut_to_its_id() {
    let (id, secret) = ("3kP0aXv9QmT2ZbLc", "8sJd0KqYw2Nf7RtUhV1xGpEaMzB4Cn");
    let key = format!("oc_live_{id}_{secret}");
    for (text, clean) in [
        (key.clone(), id.to_owned()),
        (format!("Bearer {key}"), format!("Bearer {id}")),
        (format!("\"{key}\"."), format!("\"{id}\".")),
        (format!("find “{key}” and oc_test_{id}_{secret}"), format!("find “{id}” and {id}")),
        (format!("oc_live_{id}_8sJ"), id.to_owned()),
        (format!("oc_live_ {key}"), format!("oc_live_ {id}")),
        (format!("Oc_Live_{id}_{secret}"), id.to_owned()),
        (format!("/keys?q={key}&sort=oldest"), format!("/keys?q={id}&sort=oldest")),
    ] {
        assert_eq!(with_ids(&text), clean);
        assert_eq!(id_in(&text), Some(id), "{text}");
    }
    for text in ["", "CRM", "oc_live_", "oc_live_3kP0aXv9QmT2ZbLc", "oc_live_3kP0aXv9QmT2ZbLc…", "3kP0aXv9QmT2ZbLc"] {
        assert_eq!((with_ids(text).as_str(), id_in(text)), (text, None));
    }
}

#[test]
fn a_cut_key_is_still_a_key() {
    let key = "oc_live_3kP0aXv9QmT2ZbLc_8sJd0KqYw2Nf7RtUhV1xGpEaMzB4Cn";
    for length in [key.len(), key.len() - 1, key.len() - 6, 37] {
        assert!(holds_key(&format!("see {}, please", &key[..length])), "{length}");
    }
    assert!(holds_key(&format!("oc_live_oc_test_{}", &key[8..])));
    for case in [key.to_uppercase(), key.to_lowercase()] {
        assert!(holds_key(&case), "{case}");
    }
    let bare = &KNOWN["oc_live_".len()..];
    assert!(holds_key(&format!("id={bare}; old")));
    for text in [&bare[..bare.len() - 1], &format!("{bare}0"), "productionserver_synchronization"] {
        assert!(!holds_key(text), "{text} is of any system");
    }
    for text in [&key[..36], &key[..24], "oc_live_3kP0aXv9QmT2ZbL_8sJd0KqYw2Nf7RtUhV1xGpEa", "CRM", "oc_live_"] {
        assert!(!holds_key(text), "{text}");
    }
}
