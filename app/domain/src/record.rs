//! The sealed record: what the edge must know of one key, as it lies in KV.
//!
//! ```text
//! layout 1 byte │ master id 2 bytes, big-endian │ postcard body │ MAC 16 bytes
//! ```
//! The MAC covers everything before it. So a record that was altered, cut or written by somebody else
//! is not believed, and one that was moved to another key's name is found out by its locator. One that
//! was put back, an older record with a good seal, is older than the feed of changes allows
//! ([`crate::feed`]), or has outlived its [`LIFETIME`].

mod bits;
mod first;

use crate::{
    digest::{KeyDigest, SecretHash},
    keyring::Keyring,
    limit::Limits,
    locator::Locator,
    network::Networks,
    scope::ScopeSet,
    time::{HOUR, Timestamp},
    token::Environment,
};
use serde::{Deserialize, Serialize};

/// How long a record may decide after it was sealed, in milliseconds. After that the truth is asked, which
/// seals it anew.
pub const LIFETIME: i64 = 24 * HOUR;

/// The layout that is written. [`first`] reads the one before it.
const LAYOUT: u8 = 2;
const HEAD: usize = 3;
const MAC: usize = 16;

/// What the edge must know of one key to decide a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The key this is about.
    pub locator: Locator,
    /// What holds for the whole workspace.
    pub workspace: Workspace,
    /// Which world it opens.
    pub environment: Environment,
    /// Counts the changes of the key, from 1.
    pub version: u64,
    /// When this was sealed.
    pub sealed_at: Timestamp,
    /// Its name, as an admin reads it.
    pub name: String,
    /// Whether it has not been deactivated.
    pub active: bool,
    /// Whether it has been deleted.
    pub deleted: bool,
    /// What it may do.
    #[serde(with = "bits")]
    pub scopes: ScopeSet,
    /// Until when it is refused, if there is a beginning.
    pub not_before: Option<Timestamp>,
    /// From when on it is refused, if ever.
    pub expires_at: Option<Timestamp>,
    /// Where it may be used from.
    pub networks: Networks,
    /// Ids of the channels that it may be used for; none for all.
    pub channels: Vec<String>,
    /// How often and how much it may be used.
    pub limits: Limits,
    /// What its admins noted for services that verify it.
    pub metadata: Vec<(String, String)>,
    /// The secrets that open it.
    pub secrets: Vec<RecordSecret>,
}

/// What holds for every key of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its number.
    pub number: u32,
    /// Counts the changes of its settings, from 1.
    pub version: u64,
    /// Whether all its keys are refused.
    pub suspended: bool,
    /// For how many seconds remembered keys are still good when the feed cannot be read; 0 for not at all.
    pub outage_seconds: u32,
}

/// One secret that opens a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordSecret {
    /// Counts the secrets of the key, from 1.
    pub number: u32,
    /// Id of the master secret that peppered the digest.
    pub master: u16,
    /// Digest of the secret.
    pub digest: KeyDigest,
    /// From when on it opens nothing any more, if ever.
    pub ends_at: Option<Timestamp>,
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
        sealed(LAYOUT, self, keyring)
    }

    /// Checks the seal and reads the record of the key `locator`.
    pub fn open(bytes: &[u8], locator: Locator, keyring: &Keyring) -> Result<Self, RecordError> {
        let body_end = bytes.len().checked_sub(MAC).filter(|end| *end >= HEAD).ok_or(RecordError::Short)?;
        let (signed, mac) = bytes.split_at(body_end);
        let (layout, id, body) = match signed {
            [layout, high, low, body @ ..] => (*layout, u16::from_be_bytes([*high, *low]), body),
            _ => return Err(RecordError::Short),
        };
        if !(first::LAYOUT..=LAYOUT).contains(&layout) {
            return Err(RecordError::Layout(layout));
        }
        let seal = keyring.seal(id).ok_or(RecordError::Master(id))?;
        if !seal.verify(&[signed], mac) {
            return Err(RecordError::Seal);
        }
        let record: Self = match layout {
            first::LAYOUT => postcard::from_bytes::<first::Record>(body).map(Self::from),
            _ => postcard::from_bytes(body),
        }
        .map_err(|_| RecordError::Body)?;
        if record.locator == locator { Ok(record) } else { Err(RecordError::Misplaced) }
    }

    /// Whether it is young enough to decide.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now.since(self.sealed_at) < LIFETIME
    }

    /// The secret of the key that this is, whether it still opens anything or not. Takes the same time
    /// whichever fits, or none.
    pub fn recognise(&self, hash: &SecretHash, keyring: &Keyring) -> Option<&RecordSecret> {
        self.secrets.iter().fold(None, |found, secret| {
            let fits = keyring
                .pepper(secret.master)
                .is_some_and(|pepper| KeyDigest::of(hash, self.locator, pepper).matches(&secret.digest));
            if fits { Some(secret) } else { found }
        })
    }
}

fn sealed(layout: u8, body: &impl Serialize, keyring: &Keyring) -> Result<Vec<u8>, RecordError> {
    let master = keyring.newest();
    let mut bytes = vec![layout];
    bytes.extend_from_slice(&master.id.to_be_bytes());
    let mut bytes = postcard::to_extend(body, bytes).map_err(|_| RecordError::Body)?;
    let mac = master.seal.mac(&[&bytes]);
    bytes.extend_from_slice(&mac[..MAC]);
    Ok(bytes)
}

/// The name under which a key's record lies in KV.
pub fn kv_name(locator: Locator) -> String {
    format!("k/{locator}")
}

#[cfg(test)]
mod tests;
