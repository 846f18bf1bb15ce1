//! Master secrets of a deployment, and the keys derived from each.
//!
//! A deployment has one list of master secrets, `MASTER_KEYS`, written as `id:base64,id:base64`.
//! Ids are numbers. The greatest id writes and all ids read. So adding a secret with a greater id
//! rotates the master secret. Each purpose has its own key by HKDF-SHA-256 (RFC 5869), with its own
//! label.
//!
//! A secret that is no longer the newest can be retired in part. `id/locator:base64` and
//! `id/pepper:base64` hold one derived key each. A derived key reveals neither the secret nor
//! another key. [`retire`] makes these entries.

mod list;

pub use list::{RetireError, Use, retire};

use core::fmt;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Minimum length of a master secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;

/// A key for HMAC-SHA-256 (RFC 2104), prepared once and used many times.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Prepares a key of any length.
    pub fn new(key: &[u8]) -> Self {
        // HMAC accepts keys of any length, so this constructor cannot fail.
        Self(Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default())))
    }

    /// Returns the MAC of the concatenated parts. Callers keep the parts unambiguous.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Returns true if `tag` is the beginning of the MAC of the parts. Compares in constant time.
    ///
    /// A tag shorter than 16 bytes, half of the MAC (RFC 2104, section 5), is never accepted.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() >= 16 && self.mac(parts).get(..tag.len()).is_some_and(|begin| bool::from(begin.ct_eq(tag)))
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

/// The keys derived from one master secret.
#[derive(Clone, Debug)]
pub struct DerivedKeys {
    /// Id of the secret in `MASTER_KEYS`.
    pub id: u16,
    /// Tags and masks locators.
    pub locator: MacKey,
    /// Peppers the digests of key secrets.
    pub pepper: MacKey,
    /// Seals the records in KV.
    pub seal: MacKey,
}

impl DerivedKeys {
    fn derive(id: u16, secret: &[u8]) -> Self {
        let [locator, pepper, seal] = LABELS.map(|label| MacKey::new(&derived(secret, label)));
        Self { id, locator, pepper, seal }
    }
}

/// HKDF labels of the derived keys: locator, pepper and seal.
const LABELS: [&str; 3] = ["ownchat/locator/1", "ownchat/pepper/1", "ownchat/seal/1"];

fn derived(secret: &[u8], label: &str) -> [u8; 32] {
    let mut bytes = [0u8; 32];
    // 32 bytes are within HKDF's bound of 255 × 32.
    let _ = Hkdf::<Sha256>::new(None, secret).expand(label.as_bytes(), &mut bytes);
    bytes
}

/// An older master secret: all of its derived keys, or only some of them.
#[derive(Clone, Debug)]
struct Older {
    id: u16,
    locator: Option<MacKey>,
    pepper: Option<MacKey>,
    seal: Option<MacKey>,
}

/// All master secrets of a deployment, newest first.
#[derive(Clone, Debug)]
pub struct Keyring {
    newest: DerivedKeys,
    older: Vec<Older>,
}

/// Fault of `MASTER_KEYS`. No message repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The list has no entry.
    #[error("MASTER_KEYS is empty; write id:base64, for instance 1:… with 32 random bytes")]
    Empty,
    /// An entry has no colon, its id is not a number below 65,536, or its suffix is unknown.
    ///
    /// Valid suffixes are `locator` and `pepper`.
    #[error("entry {0} of MASTER_KEYS is not of the form id:base64, id/locator:base64 or id/pepper:base64")]
    Entry(usize),
    /// An entry's secret is not base64 or is shorter than [`MIN_SECRET_BYTES`].
    #[error("the secret of entry {0} of MASTER_KEYS is not base64 of at least 32 bytes")]
    Secret(usize),
    /// Two entries have the same id, and one is whole or both have the same suffix.
    #[error("MASTER_KEYS names the id {0} twice")]
    Duplicate(u16),
    /// The greatest id is retired in part, so it cannot write.
    #[error("the greatest id of MASTER_KEYS, {0}, must be a whole secret, since it writes")]
    Newest(u16),
}

impl Keyring {
    /// Parses a `MASTER_KEYS` list. The order of the entries does not matter.
    ///
    /// # Errors
    ///
    /// Returns the first fault of the list.
    pub fn parse(list: &str) -> Result<Self, KeyringError> {
        let entries = list::parse(list)?;
        let newest = entries.iter().map(|entry| entry.id).max().ok_or(KeyringError::Empty)?;
        let whole = entries.iter().find(|entry| entry.id == newest && entry.left.is_none());
        let newest = DerivedKeys::derive(newest, &whole.ok_or(KeyringError::Newest(newest))?.secret);
        let mut older: Vec<Older> = Vec::new();
        for entry in entries.iter().filter(|entry| entry.id != newest.id) {
            let key = || Some(MacKey::new(&entry.secret));
            let next = match entry.left {
                None => {
                    let DerivedKeys { id, locator, pepper, seal } = DerivedKeys::derive(entry.id, &entry.secret);
                    Older { id, locator: Some(locator), pepper: Some(pepper), seal: Some(seal) }
                }
                Some(Use::Locator) => Older { id: entry.id, locator: key(), pepper: None, seal: None },
                Some(Use::Pepper) => Older { id: entry.id, locator: None, pepper: key(), seal: None },
            };
            match older.iter_mut().find(|other| other.id == next.id) {
                Some(other) => {
                    other.locator = other.locator.take().or(next.locator);
                    other.pepper = other.pepper.take().or(next.pepper);
                }
                None => older.insert(older.partition_point(|other| other.id > next.id), next),
            }
        }
        Ok(Self { newest, older })
    }

    /// Returns the master secret that writes everything new.
    pub fn newest(&self) -> &DerivedKeys {
        &self.newest
    }

    /// Returns the locator keys with the ids of their secrets, newest first.
    pub fn locators(&self) -> impl Iterator<Item = (u16, &MacKey)> {
        let older = self.older.iter().filter_map(|older| Some((older.id, older.locator.as_ref()?)));
        core::iter::once((self.newest.id, &self.newest.locator)).chain(older)
    }

    /// Returns the pepper of the secret `id`, if it is still available.
    pub fn pepper(&self, id: u16) -> Option<&MacKey> {
        if id == self.newest.id { Some(&self.newest.pepper) } else { self.older(id)?.pepper.as_ref() }
    }

    /// Returns the seal key of the secret `id`, if it is still available.
    pub fn seal(&self, id: u16) -> Option<&MacKey> {
        if id == self.newest.id { Some(&self.newest.seal) } else { self.older(id)?.seal.as_ref() }
    }

    /// Returns the ids of all secrets, whole or retired in part, newest first.
    pub fn ids(&self) -> impl Iterator<Item = u16> {
        core::iter::once(self.newest.id).chain(self.older.iter().map(|older| older.id))
    }

    /// Returns a check value of each remaining derived key.
    pub fn checks(&self) -> impl Iterator<Item = CheckValue> {
        let newest = &self.newest;
        let of_newest = CheckValue::all(newest.id, Some(&newest.locator), Some(&newest.pepper), Some(&newest.seal));
        let older = self.older.iter().flat_map(|older| {
            CheckValue::all(older.id, older.locator.as_ref(), older.pepper.as_ref(), older.seal.as_ref())
        });
        of_newest.chain(older)
    }

    fn older(&self, id: u16) -> Option<&Older> {
        self.older.iter().find(|older| older.id == id)
    }
}

/// Check value of a derived key: proves that the key is unchanged and reveals nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckValue {
    /// Id of the master secret.
    pub id: u16,
    /// Use of the key: `locator`, `pepper` or `seal`.
    pub purpose: &'static str,
    /// Beginning of the key's MAC over a fixed text.
    pub value: [u8; Self::BYTES],
}

impl CheckValue {
    /// Length of a check value, in bytes.
    pub const BYTES: usize = 12;

    fn all(
        id: u16,
        locator: Option<&MacKey>,
        pepper: Option<&MacKey>,
        seal: Option<&MacKey>,
    ) -> impl Iterator<Item = Self> + use<> {
        let of = |purpose, key: Option<&MacKey>| key.map(|key| Self { id, purpose, value: Self::value(key) });
        [of("locator", locator), of("pepper", pepper), of("seal", seal)].into_iter().flatten()
    }

    fn value(key: &MacKey) -> [u8; Self::BYTES] {
        let mac = key.mac(&[b"ownchat/check/1"]);
        core::array::from_fn(|index| mac.get(index).copied().unwrap_or_default())
    }
}

/// Locator keys of all master secrets, for components that need no other derived key.
#[derive(Clone, Debug)]
pub struct Locators(Vec<MacKey>);

impl Locators {
    /// Reads the keys from a `MASTER_KEYS` list, in its order.
    ///
    /// # Errors
    ///
    /// Returns the first fault of the list.
    pub fn parse(list: &str) -> Result<Self, KeyringError> {
        let [label, ..] = LABELS;
        let entries = list::parse(list)?.into_iter().filter_map(|entry| match entry.left {
            None => Some(MacKey::new(&derived(&entry.secret, label))),
            Some(Use::Locator) => Some(MacKey::new(&entry.secret)),
            Some(Use::Pepper) => None,
        });
        Ok(Self(entries.collect()))
    }

    /// Returns the keys.
    pub fn iter(&self) -> impl Iterator<Item = &MacKey> {
        self.0.iter()
    }
}

/// Keys that sign cookies, newest first, for components that need no other derived key.
#[derive(Clone, Debug)]
pub struct CookieKeys(Vec<MacKey>);

/// HKDF label of the cookie keys.
const COOKIE_LABEL: &str = "ownchat/cookie/1";
/// Length of a cookie's MAC, in bytes: half of the full MAC (RFC 2104, section 5).
const COOKIE_TAG: usize = 16;

impl CookieKeys {
    /// Derives the keys from a `MASTER_KEYS` list.
    ///
    /// A secret that is retired in part no longer signs cookies.
    ///
    /// # Errors
    ///
    /// Returns the first fault of the list, or [`KeyringError::Empty`] without a whole secret.
    pub fn parse(list: &str) -> Result<Self, KeyringError> {
        let mut entries = list::parse(list)?;
        entries.retain(|entry| entry.left.is_none());
        entries.sort_by_key(|entry| core::cmp::Reverse(entry.id));
        if entries.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self(entries.iter().map(|entry| MacKey::new(&derived(&entry.secret, COOKIE_LABEL))).collect()))
    }

    /// Returns the MAC of a cookie, under the newest key.
    pub fn tag(&self, signed: &[u8]) -> [u8; COOKIE_TAG] {
        let mac = self.0.first().map(|key| key.mac(&[signed])).unwrap_or_default();
        mac.first_chunk().copied().unwrap_or_default()
    }

    /// Returns true if one of the keys made this MAC.
    pub fn verify(&self, signed: &[u8], tag: &[u8]) -> bool {
        self.0.iter().any(|key| key.verify(&[signed], tag))
    }
}

#[cfg(test)]
mod tests;
