//! A workspace as one file, to be read into an empty one.
//!
//! The file is NDJSON: one JSON object a line, in UTF-8, each line ended by a line feed.
//!
//! ```text
//! {"export":{"format":1,"workspace":7,"last_key":2,"name":"Shop",…}}     settings and counters, once
//! {"key":{"number":1,"locator":"…",…,"secrets":[{…,"digest":"…"}]}}      every key, deleted ones too, by number
//! {"line":{"sequence":1,…}}                                              the audit trail, as it is chained
//! {"end":{"lines":5,"sha256":"…"}}                                       how many lines stand before it, and their hash
//! ```
//!
//! * The same state gives the same bytes. What is written differently (spaces, another order, an unknown field)
//!   is not read.
//! * It is the state after the last change. That a file was written or read in stands in the trail after that, and
//!   is left out as long as no change follows, so a workspace that was filled from a file gives that very file.
//! * Keys keep working only where the same master secrets are: locators are tagged, and secrets are peppered, with
//!   them. Of the secrets of keys there are only digests in it.
//! * What can be made from the rest is not in it: records in KV, the feed, counts of use. Nor are accounts and
//!   members, which belong to a deployment.

mod reader;

pub use reader::{BadLine, Reader};

use crate::{
    account::PersonId,
    digest::KeyDigest,
    key::{Details, KeySecret, Restrictions},
    limit::Limits,
    locator::Locator,
    network::Networks,
    scope::ScopeSet,
    time::{Timestamp, serialize_shortest},
    token::Environment,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The version of the format that is written and read.
pub const FORMAT: u32 = 1;
/// Longest line of a file, in bytes: several times what the largest key or change needs.
pub const LINE_MAX: usize = 256 * 1024;
/// Most lines of a file that is read in: the first, the last, and 100,000 keys and lines of the trail together. It is
/// read in by one turn of the workspace's object, and larger ones were not measured.
pub const LINES_MAX: u64 = 100_002;
/// Media type of a file.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// One line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// What it is an export of; the first line.
    Export(Header),
    /// A key.
    Key(Box<KeyFacts>),
    /// A line of the audit trail.
    Line(Box<RawValue>),
    /// The last line.
    End(End),
}

impl Entry {
    /// The line, without its end.
    pub fn write(&self) -> String {
        // Numbers and texts, and JSON that is written as it is: there is nothing that cannot be.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The workspace itself: its settings and its counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Its number, which stands in every locator.
    pub workspace: u32,
    /// The greatest number that a key was ever given.
    pub last_key: u32,
    /// What people call it.
    pub name: String,
    /// Counts the changes of the settings.
    pub version: u64,
    /// As in [`crate::vault::registry::Settings`].
    pub suspended: bool,
    /// As in [`crate::vault::registry::Settings`].
    pub outage_seconds: u32,
}

/// Everything that is known of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFacts {
    /// Number within the workspace, from 1.
    pub number: u32,
    /// Public name.
    pub locator: Locator,
    /// As in [`Details`], and so are the following.
    pub environment: Environment,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// The system that uses it.
    pub integration: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Until when it is refused.
    #[serde(serialize_with = "serialize_shortest")]
    pub not_before: Option<Timestamp>,
    /// From when on it is refused.
    #[serde(serialize_with = "serialize_shortest")]
    pub expires_at: Option<Timestamp>,
    /// Where and for what it may be used.
    pub restrictions: Restrictions,
    /// How often and how much.
    pub limits: Limits,
    /// Notes.
    pub metadata: BTreeMap<String, String>,
    /// Whether it has not been deactivated.
    pub active: bool,
    /// What the admin said who deactivated it.
    pub reason: Option<String>,
    /// When it was made.
    #[serde(serialize_with = "serialize_shortest")]
    pub created_at: Timestamp,
    /// Name of who made it.
    pub created_by: String,
    /// Whose it is, if anybody's.
    pub owner: Option<PersonId>,
    /// When it was last changed.
    #[serde(serialize_with = "serialize_shortest")]
    pub updated_at: Timestamp,
    /// Counts its changes, from 1.
    pub version: u64,
    /// When it was deleted.
    #[serde(serialize_with = "serialize_shortest")]
    pub deleted_at: Option<Timestamp>,
    /// Its secrets, the eldest first.
    pub secrets: Vec<SecretFacts>,
}

impl KeyFacts {
    /// What admins say of it.
    pub fn details(&self) -> Details {
        let Restrictions { allow, deny, channels } = self.restrictions.clone();
        Details {
            name: self.name.clone(),
            description: self.description.clone(),
            integration: self.integration.clone(),
            environment: self.environment,
            scopes: self.scopes,
            not_before: self.not_before,
            expires_at: self.expires_at,
            networks: Networks { allow, deny },
            channels,
            limits: self.limits,
            metadata: self.metadata.clone(),
        }
    }

    /// Its secrets, as admins see them.
    pub fn shown_secrets(&self) -> Vec<KeySecret> {
        let shown = |secret: &SecretFacts| KeySecret {
            number: secret.number,
            created_at: secret.created_at,
            ends_at: secret.ends_at,
            last_used_at: None,
        };
        self.secrets.iter().map(shown).collect()
    }
}

/// One secret of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretFacts {
    /// Counts the secrets of the key, from 1.
    pub number: u32,
    /// Id of the master secret that peppered the digest.
    pub master: u16,
    /// The digest, in base64url without padding.
    #[serde(serialize_with = "write_digest", deserialize_with = "read_digest")]
    pub digest: KeyDigest,
    /// When it was made.
    #[serde(serialize_with = "serialize_shortest")]
    pub created_at: Timestamp,
    /// From when on it opens nothing any more, if ever.
    #[serde(serialize_with = "serialize_shortest")]
    pub ends_at: Option<Timestamp>,
}

fn write_digest<S: Serializer>(digest: &KeyDigest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&URL_SAFE_NO_PAD.encode(digest.as_bytes()))
}

fn read_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyDigest, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(KeyDigest::from_bytes).ok_or_else(|| D::Error::custom("not a digest"))
}

/// What tells a whole file from one that was cut or altered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many lines stand before this one.
    pub lines: u64,
    /// Their SHA-256 with their line feeds, in hexadecimal.
    pub sha256: String,
}

/// Sums up the lines of a file.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    lines: u64,
    hash: Sha256,
}

impl Sum {
    /// Takes in the next line, without its end.
    pub fn add(&mut self, line: &str) {
        self.lines += 1;
        self.hash.update(line);
        self.hash.update("\n");
    }

    /// What the last line must say.
    pub fn end(&self) -> End {
        use core::fmt::Write;
        let hash = self.hash.clone().finalize();
        let sha256 = hash.iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        End { lines: self.lines, sha256 }
    }
}

#[cfg(test)]
mod tests;
