//! Hashes of secrets for storage: enough to recognise a secret, too little to use it.
//!
//! The conversion is one-way: [`Secret`] → [`SecretHash`] → [`KeyDigest`]. The browser can compute
//! the hash; then the server never sees the secret. The digest needs the deployment's pepper, so
//! write access to a store is not enough to mint a key.

use crate::{keyring::MacKey, locator::Locator, token::Secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 (FIPS 180-4) of a key's secret. In JSON, 43 characters of base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

/// HMAC-SHA-256 over the locator and a [`SecretHash`], under the deployment's pepper.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct KeyDigest([u8; 32]);

impl SecretHash {
    /// Hashes the secret of a key.
    pub fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.reveal().as_bytes()).into())
    }

    /// Wraps 32 bytes that are already a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the base64url text, 43 characters.
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Parses the base64url text.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

/// SHA-256 of a credential's whole text, to recognise a credential seen before.
///
/// The fingerprint of a key is never stored. It reveals nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes a presented credential, valid or not.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Parses a SHA-256 of 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |at: usize| char::from(*text.as_bytes().get(at)?).to_digit(16);
        let mut bytes = [0; 32];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(digit(2 * place)? << 4 | digit(2 * place + 1)?).ok()?;
        }
        (text.len() == 64).then_some(Self(bytes))
    }

    /// Returns true if both are equal. Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl KeyDigest {
    /// Computes the digest to store for `hash` under `locator`.
    pub fn of(hash: &SecretHash, locator: Locator, pepper: &MacKey) -> Self {
        Self(pepper.mac(&[locator.to_string().as_bytes(), &hash.0]))
    }

    /// Wraps 32 bytes that a store returned.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns true if both are equal. Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(…)")
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of_text(&text)
            .ok_or_else(|| D::Error::custom("Send a SHA-256 hash in base64url without padding: 43 characters."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{hex, keyring};

    fn secret() -> Secret {
        "0123456789ABCDEFGHIJKLMN".parse().unwrap()
    }

    #[test]
    fn known_answers() {
        let hash = SecretHash::of(&secret());
        assert_eq!(hex(&hash.0), "141f8b5fb558f3f84949abcba9ca15326b1b6cf335aa845f5ea6f3d21e3061a8");
        let locator: Locator = "0000000000000001".parse().unwrap();
        let digest = KeyDigest::of(&hash, locator, &keyring().newest().pepper);
        assert_eq!(hex(digest.as_bytes()), "a8037b8dfe8ed844240eab30d1089035c75558a2c009e251f9a06258875f3acd");
    }

    #[test]
    fn a_digest_belongs_to_one_locator_and_one_pepper() {
        let hash = SecretHash::of(&secret());
        let (here, there) = ("0000000000000001".parse().unwrap(), "0000000000000002".parse().unwrap());
        let ring = keyring();
        let digest = KeyDigest::of(&hash, here, &ring.newest().pepper);
        assert!(digest.matches(&KeyDigest::of(&hash, here, &ring.newest().pepper)));
        assert!(!digest.matches(&KeyDigest::of(&hash, there, &ring.newest().pepper)));
        assert!(!digest.matches(&KeyDigest::of(&hash, here, ring.pepper(1).unwrap())));
    }

    #[test]
    fn a_hash_travels_as_base64url() {
        let hash = SecretHash::of(&secret());
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json.len(), 43 + 2);
        assert_eq!(serde_json::from_str::<SecretHash>(&json).unwrap(), hash);
        for bad in ["\"\"", "\"AAAA\"", "\"****\"", "1"] {
            assert!(serde_json::from_str::<SecretHash>(bad).is_err(), "{bad}");
        }
    }
}
