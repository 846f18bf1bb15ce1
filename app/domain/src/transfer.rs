//! Export and import of a whole workspace as one file; the import needs an empty workspace.
//!
//! The file is NDJSON in UTF-8: one JSON object per line, and a line feed ends each line.
//!
//! ```text
//! {"export":{"format":1,"workspace":7,"last_key":2,…}}               settings and counters, once
//! {"key":{"number":1,"locator":"…",…,"secrets":[{…,"digest":"…"}]}}  all keys by number
//! {"line":{"sequence":1,…}}                                          audit trail, hash-chained
//! {"end":{"lines":5,"sha256":"…"}}                                   count and hash of the rest
//! ```
//!
//! * The same state always gives the same bytes. The reader rejects any other form: spaces, another
//!   order, an unknown field.
//! * Deleted keys are included.
//! * The file holds the state after the last change. It omits the audit entries of exports and
//!   imports after that change. A workspace that was imported from a file therefore exports the
//!   identical file.
//! * Keys keep working only under the same master secrets, which tag locators and pepper secrets.
//!   The file holds only digests of the keys' secrets.
//! * The file omits derived data: records in KV, the feed, usage counts. It also omits accounts and
//!   members, which belong to a deployment.

mod reader;

pub use reader::{BadLine, Reader};

use crate::{
    account::PersonId,
    digest::KeyDigest,
    environment::Environment,
    key::{Details, KeySecret, Restrictions},
    limit::Limits,
    locator::Locator,
    network::Networks,
    scope::ScopeSet,
    time::{Timestamp, serialize_shortest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Version of the file format.
pub const FORMAT: u32 = 1;
/// Maximum length of a line in bytes, several times the need of the largest key or change.
pub const LINE_MAX: usize = 256 * 1024;
/// Maximum lines of an imported file: the first, the last, and 100,000 keys and audit entries. The
/// workspace's object imports them in a single request; larger files were not measured.
pub const LINES_MAX: u64 = 100_002;
/// Media type of an export file.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// One line of an export file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportLine {
    /// The first line: format, settings and counters of the workspace.
    Export(ExportHeader),
    /// A key.
    Key(Box<KeyFacts>),
    /// An entry of the audit trail.
    Line(Box<RawValue>),
    /// The last line: count and hash.
    End(Trailer),
}

impl ExportLine {
    /// Serialises the line, without its line feed.
    pub fn write(&self) -> String {
        // Serialisation cannot fail: the entry holds numbers, texts and raw JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Settings and counters of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportHeader {
    /// Version of the file format, [`FORMAT`].
    pub format: u32,
    /// Workspace number; every locator contains it.
    pub workspace: u32,
    /// Highest key number ever assigned.
    pub last_key: u32,
    /// Display name of the workspace.
    pub name: String,
    /// Version of the settings; counts their changes.
    pub version: u64,
    /// True if all keys are refused, see [`crate::vault::registry::Settings`].
    pub suspended: bool,
    /// Grace period in seconds, see [`crate::vault::registry::Settings`].
    pub outage_seconds: u32,
}

/// The complete state of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFacts {
    /// Key number within the workspace, from 1.
    pub number: u32,
    /// Locator, the public id of the key.
    pub locator: Locator,
    /// Environment, as in [`Details`]; so are the following fields.
    pub environment: Environment,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: String,
    /// System that uses the key.
    pub integration: String,
    /// Scopes of the key.
    pub scopes: ScopeSet,
    /// Start of validity; requests before it are refused.
    #[serde(serialize_with = "serialize_shortest")]
    pub not_before: Option<Timestamp>,
    /// Expiry; requests from this time on are refused.
    #[serde(serialize_with = "serialize_shortest")]
    pub expires_at: Option<Timestamp>,
    /// Networks and channels that the key is restricted to.
    pub restrictions: Restrictions,
    /// Rate limit and quota.
    pub limits: Limits,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// False if the key is deactivated.
    pub active: bool,
    /// Reason that the admin gave for the deactivation.
    pub reason: Option<String>,
    /// Time of creation.
    #[serde(serialize_with = "serialize_shortest")]
    pub created_at: Timestamp,
    /// Name of the creator.
    pub created_by: String,
    /// Member who owns the key, if any.
    pub owner: Option<PersonId>,
    /// Time of the last change.
    #[serde(serialize_with = "serialize_shortest")]
    pub updated_at: Timestamp,
    /// Version of the key; counts its changes from 1.
    pub version: u64,
    /// Time of deletion.
    #[serde(serialize_with = "serialize_shortest")]
    pub deleted_at: Option<Timestamp>,
    /// Secrets of the key, oldest first.
    pub secrets: Vec<SecretFacts>,
}

impl KeyFacts {
    /// Returns the details that admins edit.
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

    /// Returns the secrets as admins see them.
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
    /// Secret number; counts the key's secrets from 1.
    pub number: u32,
    /// Id of the master secret whose pepper went into the digest.
    pub master: u16,
    /// Digest of the secret, in base64url without padding.
    #[serde(serialize_with = "write_digest", deserialize_with = "read_digest")]
    pub digest: KeyDigest,
    /// Time of creation.
    #[serde(serialize_with = "serialize_shortest")]
    pub created_at: Timestamp,
    /// End of the secret; it is refused from this time on. `None` for no end.
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

/// Integrity check of the file: reveals truncated and altered files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// Number of lines before this one.
    pub lines: u64,
    /// SHA-256 of those lines with their line feeds, in hexadecimal.
    pub sha256: String,
}

/// Running count and hash of the lines of a file.
#[derive(Clone, Debug, Default)]
pub struct LineHash {
    lines: u64,
    hash: Sha256,
}

impl LineHash {
    /// Adds the next line, without its line feed.
    pub fn add(&mut self, line: &str) {
        self.lines += 1;
        self.hash.update(line);
        self.hash.update("\n");
    }

    /// Returns the content of the last line.
    pub fn trailer(&self) -> Trailer {
        use core::fmt::Write;
        let hash = self.hash.clone().finalize();
        let sha256 = hash.iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Trailer { lines: self.lines, sha256 }
    }
}

#[cfg(test)]
mod tests;
