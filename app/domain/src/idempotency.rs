//! Idempotency keys: a retried request takes effect once, by its `Idempotency-Key` header
//! (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! The caller chooses the key. A retry with the same body gets the first response again, and has no
//! further effect. A request with the same key and another body is refused. A key is scoped to one
//! principal, one command and one subject. It expires after [`REMEMBERED_FOR`].

use crate::{audit::ActorId, time::DAY, token::id_in};
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

/// Lifetime of an idempotency key, in milliseconds.
pub const REMEMBERED_FOR: i64 = DAY;
/// Maximum characters of an idempotency key.
pub const LENGTH_MAX: usize = 255;

/// An idempotency key: 1 to [`LENGTH_MAX`] visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The header value is not an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnIdempotencyKey {
    /// Empty, too long, or with other characters.
    #[error("Idempotency-Key takes 1 to {LENGTH_MAX} visible ASCII characters, as they are or in double quotes.")]
    Shape,
    /// The value holds an API key, which would be a secret in a place for names.
    #[error("Idempotency-Key holds an API key. Send a random value, such as a UUID, and rotate that key.")]
    HoldsKey,
}

impl FromStr for IdempotencyKey {
    type Err = NotAnIdempotencyKey;

    /// Parses the header value: a string as in RFC 8941, section 3.3.3, or the bare characters.
    fn from_str(text: &str) -> Result<Self, NotAnIdempotencyKey> {
        let text = text.trim_matches(' ');
        let name = match text.strip_prefix('"') {
            Some(rest) => unquote(rest).ok_or(NotAnIdempotencyKey::Shape)?,
            None => text.to_owned(),
        };
        Self::checked(name)
    }
}

impl IdempotencyKey {
    /// Checks characters and length, and refuses API keys.
    fn checked(name: String) -> Result<Self, NotAnIdempotencyKey> {
        let fits = (1..=LENGTH_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(NotAnIdempotencyKey::Shape);
        }
        if id_in(&name).is_some() { Err(NotAnIdempotencyKey::HoldsKey) } else { Ok(Self(name)) }
    }
}

/// Returns the characters up to the closing quote, which must be the last character.
fn unquote(rest: &str) -> Option<String> {
    let mut name = String::with_capacity(rest.len());
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(name),
            '\\' => name.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            other => name.push(other),
        }
    }
}

impl Serialize for IdempotencyKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for IdempotencyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Workers exchange the bare key, which may begin with a quote of its own.
        let name = String::deserialize(deserializer)?;
        Self::checked(name).map_err(D::Error::custom)
    }
}

/// SHA-256 of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// Wraps 32 bytes that a store returned.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Idempotency key and body hash of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Idempotency key of the request.
    pub key: IdempotencyKey,
    /// Hash of the request body.
    pub body: BodyHash,
}

/// Stored form of an idempotency key: SHA-256 over actor, command, subject and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot([u8; 32]);

impl Slot {
    /// Computes the slot of a key that `actor` used for `command` on `subject`, which may be empty.
    pub fn of(key: &IdempotencyKey, actor: ActorId, command: &str, subject: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [actor.to_string().as_str(), command, subject, key.0.as_str()] {
            // No part is longer than `u32::MAX` bytes.
            hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Returns the bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::PersonId;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<IdempotencyKey>().ok().map(|key| key.0)
    }

    #[test]
    fn a_name_is_taken_bare_or_in_quotes() {
        for (text, name) in [
            ("a", "a"),
            ("\"a\"", "a"),
            (" 8e03978e-40d5-43dd-bc93-6894a57f9324 ", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(read(text).as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn a_malformed_idempotency_key_is_refused() {
        for text in
            ["", " ", "\"\"", "\"", "\"a", "\"a\"b", "\"a\";x=1", r#""a\b""#, r#""a\"#, "a b", "\"a b\"", "ä", "a\tb"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
        let key = "oc_live_R68Bm6x2Wq9ZtY7R_HIwSabcdefghijklmnopqrstuvwxyz";
        assert_eq!(key.parse::<IdempotencyKey>(), Err(NotAnIdempotencyKey::HoldsKey));
        assert!(read(&key[..24]).is_some(), "an id is no secret");
        assert!(read(&"x".repeat(LENGTH_MAX)).is_some() && read(&"x".repeat(LENGTH_MAX + 1)).is_none());
        assert!(read(&format!("\"{}\"", "x".repeat(LENGTH_MAX))).is_some(), "quotes do not count");
    }

    #[test]
    fn a_name_travels_as_it_is() {
        for name in ["a", "\"", r#""a""#, r"\"] {
            let key = IdempotencyKey(name.to_owned());
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<IdempotencyKey>(&json).unwrap(), key);
        }
        assert!(serde_json::from_str::<IdempotencyKey>("\"a b\"").is_err());
    }

    #[test]
    fn a_slot_belongs_to_one_caller_one_command_and_one_subject() {
        let key: IdempotencyKey = "a".parse().unwrap();
        let other: IdempotencyKey = "b".parse().unwrap();
        let person = ActorId::Person(PersonId(1));
        let slots = [
            Slot::of(&key, person, "create-key", ""),
            Slot::of(&key, ActorId::Person(PersonId(2)), "create-key", ""),
            // A key id with the same text as the person's id.
            Slot::of(&key, ActorId::Key("0000000000000001".parse().unwrap()), "create-key", ""),
            Slot::of(&key, person, "rotate-key", ""),
            Slot::of(&key, person, "create-key", "x"),
            Slot::of(&other, person, "create-key", ""),
            // Parts cannot run into each other.
            Slot::of(&key, person, "create-keyx", ""),
            Slot::of(&"xa".parse().unwrap(), person, "create-key", ""),
        ];
        let different: std::collections::HashSet<_> = slots.iter().collect();
        assert_eq!(different.len(), slots.len());
        assert_eq!(slots[0], Slot::of(&key, person, "create-key", ""));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,300}") {
            let _ = text.parse::<IdempotencyKey>();
        }

        #[test]
        fn every_name_can_be_quoted(name in "[!-~]{1,255}") {
            let quoted = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(read(&quoted), Some(name));
        }
    }
}
