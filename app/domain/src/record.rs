//! The sealed record: what the edge must know of one key, as it lies in KV.
//!
//! ```text
//! version 1 byte │ master id 2 bytes, big-endian │ postcard body │ MAC 16 bytes
//! ```
//! The MAC covers everything before it. So a record that was altered, cut or written by somebody else
//! is not believed, and one that was moved to another key's name is found out by its locator.

use crate::{
    digest::{KeyDigest, SecretHash},
    keyring::Keyring,
    locator::Locator,
    scope::ScopeSet,
    time::Timestamp,
    token::Environment,
};
use serde::{Deserialize, Serialize};

/// The version of the layout that is written.
const LAYOUT: u8 = 1;
const HEAD: usize = 3;
const MAC: usize = 16;

/// What the edge must know of one key to decide a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The key this is about.
    pub locator: Locator,
    /// Number of the workspace that owns it.
    pub workspace: u32,
    /// Which world it opens.
    pub environment: Environment,
    /// Counts the changes of the key, from 1.
    pub version: u64,
    /// Its name, as an admin reads it.
    pub name: String,
    /// Whether it has not been deactivated.
    pub active: bool,
    /// Whether it has been deleted.
    pub deleted: bool,
    /// What it may do.
    #[serde(with = "bits")]
    pub scopes: ScopeSet,
    /// From when on it is refused, if ever.
    pub expires_at: Option<Timestamp>,
    /// The secrets that open it.
    pub secrets: Vec<RecordSecret>,
}

/// One secret that opens a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordSecret {
    /// Id of the master secret that peppered the digest.
    pub master: u16,
    /// Digest of the secret.
    pub digest: KeyDigest,
}

/// Why bytes are not a record. All are treated alike: the truth is asked instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Too short to hold head and MAC.
    #[error("too short")]
    Short,
    /// A layout that this code does not know.
    #[error("unknown layout {0}")]
    Layout(u8),
    /// Sealed under a master secret that is not in the list.
    #[error("unknown master secret {0}")]
    Master(u16),
    /// The MAC does not fit.
    #[error("broken seal")]
    Seal,
    /// The seal fits and the body does not: a defect of ours.
    #[error("unreadable body")]
    Body,
    /// A good record of another key.
    #[error("record of another key")]
    Misplaced,
}

impl Record {
    /// Writes and seals the record under the newest master secret.
    pub fn seal(&self, keyring: &Keyring) -> Result<Vec<u8>, RecordError> {
        let master = keyring.newest();
        let mut bytes = vec![LAYOUT];
        bytes.extend_from_slice(&master.id.to_be_bytes());
        let mut bytes = postcard::to_extend(self, bytes).map_err(|_| RecordError::Body)?;
        let mac = master.seal.mac(&[&bytes]);
        bytes.extend_from_slice(&mac[..MAC]);
        Ok(bytes)
    }

    /// Checks the seal and reads the record of the key `locator`.
    pub fn open(bytes: &[u8], locator: Locator, keyring: &Keyring) -> Result<Self, RecordError> {
        let body_end = bytes.len().checked_sub(MAC).filter(|end| *end >= HEAD).ok_or(RecordError::Short)?;
        let (sealed, mac) = bytes.split_at(body_end);
        let (layout, id, body) = match sealed {
            [layout, high, low, body @ ..] => (*layout, u16::from_be_bytes([*high, *low]), body),
            _ => return Err(RecordError::Short),
        };
        if layout != LAYOUT {
            return Err(RecordError::Layout(layout));
        }
        let master = keyring.find(id).ok_or(RecordError::Master(id))?;
        if !master.seal.verify(&[sealed], mac) {
            return Err(RecordError::Seal);
        }
        let record: Self = postcard::from_bytes(body).map_err(|_| RecordError::Body)?;
        if record.locator == locator { Ok(record) } else { Err(RecordError::Misplaced) }
    }

    /// Whether this secret opens the key. Takes the same time whichever secret fits, or none.
    pub fn recognises(&self, hash: &SecretHash, keyring: &Keyring) -> bool {
        self.secrets.iter().fold(false, |found, secret| {
            let fits = keyring
                .find(secret.master)
                .is_some_and(|master| KeyDigest::of(hash, self.locator, &master.pepper).matches(&secret.digest));
            found | fits
        })
    }
}

/// The name under which a key's record lies in KV.
pub fn kv_name(locator: Locator) -> String {
    format!("k/{locator}")
}

mod bits {
    //! A set of scopes as its bits.
    use crate::scope::ScopeSet;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(scopes: &ScopeSet, serializer: S) -> Result<S::Ok, S::Error> {
        scopes.bits().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeSet, D::Error> {
        let bits = u64::deserialize(deserializer)?;
        ScopeSet::from_bits(bits).ok_or_else(|| D::Error::custom("unknown scope"))
    }
}

#[cfg(test)]
#[path = "record/tests.rs"]
mod tests;
