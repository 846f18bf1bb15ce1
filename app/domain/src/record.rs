//! The sealed record: the state of one key that the edge needs, as stored in KV.
//!
//! ```text
//! layout 1 byte │ master id 2 bytes, big-endian │ postcard body │ MAC 16 bytes
//! ```
//!
//! The MAC covers everything before it, so an altered, truncated or forged record is rejected. A
//! record stored under another key's name is rejected by its locator. The feed of changes
//! ([`crate::feed`]) or the [`LIFETIME`] rejects a replayed older record with a valid MAC.

mod bits;
mod first;

use crate::{
    digest::{KeyDigest, SecretHash},
    environment::Environment,
    keyring::Keyring,
    limit::Limits,
    locator::Locator,
    network::Networks,
    scope::ScopeSet,
    time::{HOUR, Timestamp},
    wire,
};
use serde::{Deserialize, Serialize};

/// Time to live of a sealed record, in milliseconds. After it the edge asks the vault, which seals
/// a new record.
pub const LIFETIME: i64 = 24 * HOUR;

/// The layout that [`Record::seal`] writes. [`first`] reads the previous one.
const LAYOUT: u8 = 2;
const HEAD: usize = 3;
const MAC: usize = 16;

/// The state of one key that the edge needs to authorize a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Locator of the key.
    pub locator: Locator,
    /// Settings that apply to the whole workspace.
    pub workspace: Workspace,
    /// Environment of the key, live or test.
    pub environment: Environment,
    /// Version of the key; counts its changes from 1.
    pub version: u64,
    /// Time at which the record was sealed.
    pub sealed_at: Timestamp,
    /// Display name that an admin chose.
    pub name: String,
    /// False if the key is deactivated.
    pub active: bool,
    /// True if the key is deleted.
    pub deleted: bool,
    /// Scopes of the key.
    #[serde(with = "bits")]
    pub scopes: ScopeSet,
    /// Start of validity; requests before it are refused. `None` for no start.
    pub not_before: Option<Timestamp>,
    /// Expiry; requests from this time on are refused. `None` for no expiry.
    pub expires_at: Option<Timestamp>,
    /// Networks that the key may be used from.
    pub networks: Networks,
    /// Ids of the channels that the key is restricted to; empty for all.
    pub channels: Vec<String>,
    /// Rate limit and quotas of the key.
    pub limits: Limits,
    /// Metadata that admins set for services that verify the key.
    pub metadata: Vec<(String, String)>,
    /// Secrets of the key.
    pub secrets: Vec<RecordSecret>,
}

/// Settings that apply to every key of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Workspace number.
    pub number: u32,
    /// Version of the settings; counts their changes from 1.
    pub version: u64,
    /// True if all keys of the workspace are refused.
    pub suspended: bool,
    /// Grace period in seconds: cached keys stay valid so long while the feed cannot be read. 0 for
    /// none.
    pub outage_seconds: u32,
}

/// One secret of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordSecret {
    /// Secret number; counts the key's secrets from 1.
    pub number: u32,
    /// Id of the master secret whose pepper went into the digest.
    pub master: u16,
    /// Digest of the secret.
    pub digest: KeyDigest,
    /// End of the secret; it is refused from this time on. `None` for no end.
    pub ends_at: Option<Timestamp>,
}

/// The reason that bytes are not a valid record. The caller handles all of them alike: it asks the
/// vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are too short for head and MAC.
    #[error("too short")]
    Short,
    /// This code does not know the layout.
    #[error("unknown layout {0}")]
    Layout(u8),
    /// The master secret that sealed the record is not in the keyring.
    #[error("unknown master secret {0}")]
    Master(u16),
    /// The MAC does not match.
    #[error("broken seal")]
    Seal,
    /// The MAC matches but the body does not decode: a bug on our side.
    #[error("unreadable body")]
    Body,
    /// The record is valid but belongs to another key.
    #[error("record of another key")]
    Misplaced,
}

impl Record {
    /// Serialises and seals the record under the newest master secret.
    ///
    /// # Errors
    ///
    /// Returns [`RecordError::Body`] if the record does not serialise.
    pub fn seal(&self, keyring: &Keyring) -> Result<Vec<u8>, RecordError> {
        sealed(LAYOUT, self, keyring)
    }

    /// Verifies the MAC and reads the record of the key `locator`.
    ///
    /// # Errors
    ///
    /// Returns a [`RecordError`] if the bytes are not a valid record of that key.
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
            first::LAYOUT => wire::body::<first::FirstRecord>(body).map(Self::from),
            _ => wire::body(body),
        }
        .map_err(|_| RecordError::Body)?;
        if record.locator == locator { Ok(record) } else { Err(RecordError::Misplaced) }
    }

    /// Returns true if the record's age is below [`LIFETIME`].
    pub fn is_alive(&self, now: Timestamp) -> bool {
        now.since(self.sealed_at) < LIFETIME
    }

    /// Finds the secret with this hash; an ended secret matches as well. Compares every secret, so
    /// it takes the same time whichever one matches, or none.
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
    let mut bytes = wire::append(bytes, body).map_err(|_| RecordError::Body)?;
    let mac = master.seal.mac(&[&bytes]);
    bytes.extend_from_slice(&mac[..MAC]);
    Ok(bytes)
}

/// KV name of a key's record.
pub fn kv_name(locator: Locator) -> String {
    format!("k/{locator}")
}

#[cfg(test)]
mod tests;
