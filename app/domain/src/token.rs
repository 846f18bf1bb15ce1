//! A key in plain text: `oc_live_` + locator + `_` + secret + check.
//!
//! ```text
//! oc_live_3kP0aXv9QmT2ZbLc_8sJd0KqYw2Nf7RtUhV1xGpEaMzB4Cn
//! └┬┘└┬─┘ └──────┬───────┘ └──────────┬───────────┘└─┬──┘
//! brand environment  locator, 16      secret, 24     check, 6
//! ```
//! The check is the CRC-32 (ISO 3309, as in zlib) of everything before it. It finds typing mistakes and
//! tells scanners a key from noise; it protects nothing.

use crate::{base62, locator::Locator};
use core::{fmt, str::FromStr};
use crc::{CRC_32_ISO_HDLC, Crc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Regular expression that finds keys in text; published for secret scanners.
pub const MATCHER: &str = "oc_(live|test)_[0-9A-Za-z]{16}_[0-9A-Za-z]{30}";

/// The beginnings of keys, one for each environment.
pub const KEYS_BEGIN: [&str; 2] = ["oc_live_", "oc_test_"];

/// Characters of a key.
const LENGTH: usize = 55;
const SECRET_LENGTH: usize = 24;
const CHECK_LENGTH: usize = 6;
/// Its table has 1 KB; quicker ones have 16, and a key is short.
static CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Which of a workspace's two worlds a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Real conversations and customers.
    Live,
    /// Sample data; nothing reaches a customer.
    Test,
}

impl Environment {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// `live` or `test`, as in a key and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The number that stands for it in MACs and stores. Never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Live => 1,
            Self::Test => 2,
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|environment| environment.as_str() == text).ok_or(())
    }
}

/// The secret part of a key: 24 base62 characters, 142 bits. Wiped from memory when dropped.
///
/// It cannot be printed or serialised; [`Secret::reveal`] is the only way to its text.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Draws a secret from `fill`, which must fill the slice from a cryptographic random generator.
    ///
    /// Bytes above 247 are thrown away, so that every character is equally likely.
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

    /// The plain text. Whoever calls it is responsible for where it goes.
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

/// A whole key. Cannot be printed or serialised; [`Token::reveal`] is the only way to its text.
#[derive(Clone, Debug)]
pub struct Token {
    /// Which world it opens.
    pub environment: Environment,
    /// Its public name.
    pub locator: Locator,
    /// What makes it a credential.
    pub secret: Secret,
}

/// Why a text is not a key. No message repeats any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It stands in quotes.
    #[error("The key stands in quotes. Send it without them.")]
    Quoted,
    /// A scheme stands before it that does not belong there, or stands there twice.
    #[error("A word such as Bearer stands before the key where only the key belongs. Send the key alone.")]
    Scheme,
    /// It does not begin with `oc_`.
    #[error("An Ownchat API key begins with oc_live_ or oc_test_.")]
    Brand,
    /// The part after `oc_` is neither `live` nor `test`.
    #[error("After oc_ an Ownchat API key says live or test.")]
    Environment,
    /// It is too short, too long, or its parts are.
    #[error("This key has {characters} characters; an Ownchat API key has {LENGTH}.")]
    Length {
        /// How many characters came.
        characters: usize,
    },
    /// It holds a character that no key has.
    #[error("The key holds a character that no Ownchat API key has.")]
    Alphabet,
    /// Its check does not fit: something was mistyped.
    #[error("The key was mistyped or cut: its last six characters do not fit the others.")]
    Check,
}

impl Token {
    /// Reads a key. The text must be the key and nothing else, without spaces around it.
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

    /// The plain text, 55 characters. Whoever calls it is responsible for where it goes.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("{}_{}", prefix(self.environment, self.locator), self.secret.reveal()));
        let check = check_of(&text);
        text.push_str(&check);
        text
    }
}

/// The fault of a text that does not begin as a key does.
fn dressed(text: &str) -> TokenError {
    match text.split_once("oc_") {
        Some((before, _)) if before.ends_with(['"', '\'', '`', '“', '‘']) => TokenError::Quoted,
        Some((before, _)) if before.ends_with(' ') => TokenError::Scheme,
        _ => TokenError::Brand,
    }
}

/// The locator that stands in a text, if it is a key. Nothing else of it is looked at.
pub fn locator_in(text: &str) -> Option<Locator> {
    const BEGIN: usize = "oc_live_".len();
    text.get(BEGIN..BEGIN + crate::locator::LENGTH)?.parse().ok()
}

/// The part of a key that may be shown: brand, environment and locator.
pub fn prefix(environment: Environment, locator: Locator) -> String {
    format!("oc_{environment}_{locator}")
}

fn check_of(body: &str) -> String {
    base62::encode(u128::from(CHECK.checksum(body.as_bytes())), CHECK_LENGTH)
}

/// Replaces whatever looks like a key, whole or cut, by its public part and `…`; for logs.
pub fn redact(text: &str) -> String {
    rewrite(text, |word| {
        let public = word.get(..PUBLIC_LENGTH).unwrap_or(word);
        if word.len() > PUBLIC_LENGTH { format!("{public}…") } else { public.to_owned() }
    })
}

/// Replaces whatever looks like a key, whole or cut, by its id. A prefix as it is shown stays.
pub fn with_ids(text: &str) -> String {
    rewrite(text, |word| id_of(word).unwrap_or(word).to_owned())
}

/// The id of the first key, whole or cut, in a text with anything around it; none for a prefix as
/// it is shown.
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

/// Tells if [`MATCHER`] finds a key in a text.
pub fn holds_key(text: &str) -> bool {
    let is_part = |part: &str, length| part.len() == length && part.bytes().all(|byte| base62::value(byte).is_some());
    let is_key = |begin: usize| {
        let parts: Vec<&str> = text.get(begin..begin + LENGTH).unwrap_or_default().split('_').collect();
        matches!(parts[..], [_, _, locator, tail]
            if is_part(locator, crate::locator::LENGTH) && is_part(tail, SECRET_LENGTH + CHECK_LENGTH))
    };
    KEYS_BEGIN.iter().any(|brand| text.match_indices(brand).any(|(begin, _)| is_key(begin)))
}

/// Characters of a key up to the end of its locator.
const PUBLIC_LENGTH: usize = "oc_live_".len() + crate::locator::LENGTH;

/// The locator of a word that begins as a key does, if some of the secret may follow it.
fn id_of(word: &str) -> Option<&str> {
    word.get("oc_live_".len()..PUBLIC_LENGTH).filter(|_| word.len() > PUBLIC_LENGTH)
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

/// The next word that begins as a key does, with the text before and after it.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    let begin = KEYS_BEGIN.iter().filter_map(|brand| text.find(brand)).min()?;
    let (before, found) = text.split_at(begin);
    let end = found.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(found.len());
    let (word, after) = found.split_at(end);
    Some((before, word, after))
}

#[cfg(test)]
mod tests;
