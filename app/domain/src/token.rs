//! The API key in plain text: `oc_live_` + locator + `_` + secret + check.
//!
//! ```text
//! oc_live_3kP0aXv9QmT2ZbLc_8sJd0KqYw2Nf7RtUhV1xGpEaMzB4Cn
//! └┬┘└┬─┘ └──────┬───────┘ └──────────┬───────────┘└─┬──┘
//! brand environment  locator, 16      secret, 24     check, 6
//! ```
//!
//! The check is the CRC-32 (ISO 3309, as in zlib) of everything before it. It catches typing
//! mistakes and lets scanners tell a key from noise; it gives no security.

use crate::{base62, environment::Environment, locator::Locator};
use core::{fmt, str::FromStr};
use crc::{CRC_32_ISO_HDLC, Crc};
use zeroize::Zeroizing;

/// Regular expression that finds keys in text; published for secret scanners.
pub const MATCHER: &str = "oc_(live|test)_[0-9A-Za-z]{16}_[0-9A-Za-z]{30}";

/// Prefixes of keys, one for each environment.
pub const KEYS_BEGIN: [&str; 2] = ["oc_live_", "oc_test_"];
/// Length of each of [`KEYS_BEGIN`].
const BRAND_LENGTH: usize = "oc_live_".len();

/// Byte order mark. It may precede UTF-8 text and is ignored there (RFC 8259, section 8.1).
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Length of a key, in characters.
const LENGTH: usize = 55;
/// Length of the secret part, without the check.
pub const SECRET_LENGTH: usize = 24;
const CHECK_LENGTH: usize = 6;
/// Uses a 1 KB table; faster variants use 16 KB, and a key is short.
static CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The secret part of a key: 24 base62 characters, 142 bits. Wiped from memory on drop.
///
/// It has no `Display` and no `Serialize`; only [`Secret::reveal`] returns its text.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Generates a secret. `fill` must fill the slice from a cryptographic random number generator.
    ///
    /// Discards bytes above 247, so every character is equally likely.
    ///
    /// # Errors
    ///
    /// Returns the error of `fill`.
    pub fn generate<E>(mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut text = Zeroizing::new(String::with_capacity(SECRET_LENGTH));
        while text.len() < SECRET_LENGTH {
            let mut bytes = Zeroizing::new([0u8; 32]);
            fill(bytes.as_mut_slice())?;
            let missing = SECRET_LENGTH - text.len();
            text.extend(bytes.iter().filter(|byte| **byte < 248).take(missing).map(|byte| base62::digit(byte % 62)));
        }
        Ok(Self(text))
    }

    /// Returns the plain text. The caller must keep it out of logs and stores.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if text.len() != SECRET_LENGTH {
            return Err(TokenError::Length { characters: text.chars().count() });
        }
        if !text.bytes().all(|byte| base62::value(byte).is_some()) {
            return Err(TokenError::Alphabet);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A whole key. It has no `Display` and no `Serialize`; only [`Token::reveal`] returns its text.
#[derive(Clone, Debug)]
pub struct Token {
    /// Environment of the key.
    pub environment: Environment,
    /// Public id of the key.
    pub locator: Locator,
    /// Secret part of the key.
    pub secret: Secret,
}

/// The reason that a text is not a key. No message repeats any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The key is in quotes.
    #[error("The key stands in quotes. Send it without them.")]
    Quoted,
    /// A scheme precedes the key where none belongs, or twice.
    #[error("A word such as Bearer stands before the key where only the key belongs. Send the key alone.")]
    Scheme,
    /// A byte order mark precedes the key.
    #[error("A byte order mark, the invisible character U+FEFF, stands before the key. Send the key without it.")]
    ByteOrderMark,
    /// The text does not begin with `oc_`.
    #[error("An Ownchat API key begins with oc_live_ or oc_test_.")]
    Brand,
    /// The part after `oc_` is neither `live` nor `test`.
    #[error("After oc_ an Ownchat API key says live or test.")]
    Environment,
    /// The text or one of its parts has the wrong length.
    #[error("This key has {characters} characters; an Ownchat API key has {LENGTH}.")]
    Length {
        /// Number of characters in the text.
        characters: usize,
    },
    /// The text holds a character outside the key alphabet.
    #[error("The key holds a character that no Ownchat API key has.")]
    Alphabet,
    /// The check does not match: the key was mistyped.
    #[error("The key was mistyped or cut: its last six characters do not fit the others.")]
    Check,
}

impl Token {
    /// Parses a key. The text must be the key alone, without surrounding spaces.
    ///
    /// # Errors
    ///
    /// Returns the [`TokenError`] that names the fault.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let length = || TokenError::Length { characters: text.chars().count() };
        let after_brand = text.strip_prefix("oc_").ok_or_else(|| dressed(text))?;
        let (environment, rest) = after_brand.split_once('_').ok_or_else(length)?;
        let environment = environment.parse().map_err(|()| TokenError::Environment)?;
        let (locator, tail) = rest.split_once('_').ok_or_else(length)?;
        if !rest.bytes().all(|byte| byte == b'_' || base62::value(byte).is_some()) {
            return Err(TokenError::Alphabet);
        }
        if locator.len() != crate::locator::LENGTH || tail.len() != SECRET_LENGTH + CHECK_LENGTH {
            return Err(length());
        }
        let (secret, check) = tail.split_at(SECRET_LENGTH);
        let body = text.strip_suffix(check).ok_or_else(length)?;
        if check_of(body) != check {
            return Err(TokenError::Check);
        }
        let locator = locator.parse().map_err(|_| TokenError::Check)?;
        Ok(Self { environment, locator, secret: secret.parse()? })
    }

    /// Returns the plain text, 55 characters. The caller must keep it out of logs and stores.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("{}_{}", prefix(self.environment, self.locator), self.secret.reveal()));
        let check = check_of(&text);
        text.push_str(&check);
        text
    }
}

/// Returns the error for a text that does not begin like a key.
fn dressed(text: &str) -> TokenError {
    match text.split_once("oc_") {
        Some((before, _)) if before.starts_with(BYTE_ORDER_MARK) => TokenError::ByteOrderMark,
        Some((before, _)) if before.ends_with(['"', '\'', '`', '“', '‘']) => TokenError::Quoted,
        Some((before, _)) if before.ends_with(' ') => TokenError::Scheme,
        _ => TokenError::Brand,
    }
}

/// Reads the locator of a text that should be a key. Validates nothing else of the text.
pub fn locator_in(text: &str) -> Option<Locator> {
    text.get(BRAND_LENGTH..PUBLIC_LENGTH)?.parse().ok()
}

/// Public part of a key: brand, environment and locator.
pub fn prefix(environment: Environment, locator: Locator) -> String {
    format!("oc_{environment}_{locator}")
}

fn check_of(body: &str) -> String {
    base62::encode(u128::from(CHECK.checksum(body.as_bytes())), CHECK_LENGTH)
}

/// Replaces every whole or partial key by its public part and `…`; for logs.
pub fn redact(text: &str) -> String {
    rewrite(text, |word| {
        let public = word.get(..PUBLIC_LENGTH).unwrap_or(word);
        if word.len() > PUBLIC_LENGTH { format!("{public}…") } else { public.to_owned() }
    })
}

/// Replaces every whole or partial key by its id. A displayed prefix stays unchanged.
pub fn with_ids(text: &str) -> String {
    rewrite(text, |word| id_of(word).unwrap_or(word).to_owned())
}

/// Returns the id of the first whole or partial key in a text. A displayed prefix does not count.
pub fn id_in(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, word, after)) = next_word(rest) {
        if let Some(id) = id_of(word) {
            return Some(id);
        }
        rest = after;
    }
    None
}

/// Fewest characters of the last part by which a text is taken for a key: half of the secret. The
/// check that a whole key ends with can be computed, so a key without it is as good.
const TAIL_MIN: usize = SECRET_LENGTH / 2;

/// Returns true if a text holds a key: whole as [`MATCHER`] finds it or cut at its end, in letters
/// of any case, or whole without brand and environment. The rest of such a key is found by trying.
pub fn holds_key(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, word, _)) = next_word(rest) {
        if word.get(BRAND_LENGTH..).and_then(tail).is_some_and(|tail| tail.len() >= TAIL_MIN) {
            return true;
        }
        rest = rest.get(before.len() + BRAND_LENGTH..).unwrap_or_default();
    }
    let mut words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    words.any(|word| {
        tail(word).is_some_and(|tail| tail.len() == SECRET_LENGTH + CHECK_LENGTH) && word.len() == BARE_LENGTH
    })
}

/// Length of a key without brand and environment.
const BARE_LENGTH: usize = LENGTH - BRAND_LENGTH;

/// Returns the part after the locator that a text begins with.
pub fn tail(text: &str) -> Option<&str> {
    let (locator, rest) = text.split_once('_')?;
    rest.split('_').next().filter(|_| locator.len() == crate::locator::LENGTH)
}

/// Number of characters of a key up to the end of its locator.
const PUBLIC_LENGTH: usize = BRAND_LENGTH + crate::locator::LENGTH;

/// Returns the locator of a word that begins like a key, if part of the secret may follow it.
fn id_of(word: &str) -> Option<&str> {
    word.get(BRAND_LENGTH..PUBLIC_LENGTH).filter(|_| word.len() > PUBLIC_LENGTH)
}

fn rewrite(text: &str, replace: impl Fn(&str) -> String) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, word, after)) = next_word(rest) {
        clean.push_str(before);
        clean.push_str(&replace(word));
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// Finds the next word that begins like a key, in letters of any case. Returns it with the text
/// before and after it.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    let is_brand = |bytes: &[u8]| KEYS_BEGIN.iter().any(|brand| bytes.eq_ignore_ascii_case(brand.as_bytes()));
    let begin = text.as_bytes().windows(BRAND_LENGTH).position(is_brand)?;
    let (before, found) = text.split_at(begin);
    let end = found.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(found.len());
    let (word, after) = found.split_at(end);
    Some((before, word, after))
}

#[cfg(test)]
mod tests;
