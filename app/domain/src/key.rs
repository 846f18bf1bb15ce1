//! API keys as the management API returns them: fields, bounds, status and entity tags.

mod change;
mod draft;
mod duplicate;
mod limit_patch;
mod list;

pub use change::widens_only;
pub use draft::{Details, DetailsPatch, KeyPatch, NewKey, Restrictions};
pub use duplicate::{NewDuplicate, duplicate_name};
pub use limit_patch::{QuotaPatch, RateLimitPatch};
pub use list::{KeyPage, KeyQuery, Sort, StatusFilter};

use crate::{
    environment::Environment,
    limit::{Period, Quota, RateLimit},
    locator::Locator,
    scope::ScopeSet,
    time::{DAY, MINUTE, Timestamp},
    usage::LastUse,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Maximum characters of a key's name, and of the name of its integration.
pub const NAME_MAX: usize = 100;
/// Maximum characters of a key's description, and of a reason.
pub const DESCRIPTION_MAX: usize = 500;
/// Farthest start or expiry, in milliseconds from now: 3,653 days.
///
/// Ten calendar years with three leap days have 3,653 days. No ten calendar years are longer.
pub const EXPIRY_MAX: i64 = 3_653 * DAY;
/// Maximum channels in the restrictions of a key.
pub const CHANNELS_MAX: usize = 50;
/// Maximum entries of metadata.
pub const METADATA_MAX: usize = 20;
/// Maximum bytes of metadata, names and values together.
pub const METADATA_BYTES_MAX: usize = 2_048;
/// Maximum grace period of an old secret after a rotation, in milliseconds.
pub const OVERLAP_MAX: i64 = 30 * DAY;
/// Restore period of a deleted key, in milliseconds. After that the key is purged.
pub const RESTORE_WITHIN: i64 = 30 * DAY;

/// Status of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Requests with the key are accepted, within its scopes and limits.
    Active,
    /// Requests with the key are refused, for a [`Reason`].
    Inactive,
}

/// Reason for an inactive status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The key is deleted, and can still be restored.
    Deleted,
    /// An admin has deactivated the key.
    Deactivated,
    /// The key's start is in the future.
    Scheduled,
    /// The key has expired.
    Expired,
}

impl Reason {
    /// Returns the word to display.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deleted => "Deleted",
            Self::Deactivated => "Deactivated",
            Self::Scheduled => "Scheduled",
            Self::Expired => "Expired",
        }
    }
}

/// Properties of a key that determine its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// True if the key is deleted.
    pub deleted: bool,
    /// True unless the key is deactivated.
    pub active: bool,
    /// Time before which the key is refused, if set.
    pub not_before: Option<Timestamp>,
    /// Time from which the key is refused, if set.
    pub expires_at: Option<Timestamp>,
}

/// Returns the status of a key at `now`. No other code decides it for display.
pub fn state(facts: Facts, now: Timestamp) -> (Status, Option<Reason>) {
    let reason = if facts.deleted {
        Some(Reason::Deleted)
    } else if !facts.active {
        Some(Reason::Deactivated)
    } else if facts.not_before.is_some_and(|begin| now < begin) {
        Some(Reason::Scheduled)
    } else if facts.expires_at.is_some_and(|end| now >= end) {
        Some(Reason::Expired)
    } else {
        None
    };
    (if reason.is_none() { Status::Active } else { Status::Inactive }, reason)
}

/// One secret of a key, without any secret data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySecret {
    /// Number of the secret within the key, from 1.
    pub number: u32,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time from which the secret is refused, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Last use, if known. The registry does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A key as the management API returns it. It contains no secret data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Id of the key: its locator.
    pub id: Locator,
    /// Display name.
    pub name: String,
    /// Purpose of the key; may be empty.
    pub description: String,
    /// System that uses the key; may be empty.
    pub integration: String,
    /// Environment that the key opens.
    pub environment: Environment,
    /// Scopes of the key.
    pub scopes: ScopeSet,
    /// Current status.
    pub status: Status,
    /// Reason for an inactive status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Reason that the deactivating admin gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// Part of the key's text that may be shown.
    pub prefix: String,
    /// Creation time.
    pub created_at: Timestamp,
    /// Name of the creator.
    pub created_by: String,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Version, from 1, incremented by each change. It is the `ETag`.
    pub version: u64,
    /// Time before which the key is refused, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Time from which the key is refused, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Last use of any of its secrets, if known. The registry does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// End of the restore period, for a deleted key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_until: Option<Timestamp>,
    /// Network and channel restrictions.
    pub restrictions: Restrictions,
    /// Rate limit, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Quota with its remaining permits, if set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaLeft>,
    /// Secrets, oldest first.
    pub secrets: Vec<KeySecret>,
    /// Notes of the admins for services that verify the key.
    pub metadata: BTreeMap<String, String>,
}

/// A quota and its remaining permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaLeft {
    /// Maximum permits in a period.
    pub limit: u32,
    /// Period after which the quota is refilled.
    pub period: Period,
    /// Permits left in the current period, if known. The registry does not know it.
    ///
    /// Permits that edges hold in leases count as used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u32>,
}

impl From<Quota> for QuotaLeft {
    fn from(Quota { limit, period }: Quota) -> Self {
        Self { limit, period, remaining: None }
    }
}

impl From<QuotaLeft> for Quota {
    fn from(QuotaLeft { limit, period, .. }: QuotaLeft) -> Self {
        Self { limit, period }
    }
}

/// Exclusive bound of the clock skew between edges and vault, in milliseconds.
const CLOCKS_DIFFER: i64 = MINUTE;

impl Key {
    /// Returns the entity tag (RFC 9110) of this version.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }

    /// Merges the last uses of this key and of its secrets.
    ///
    /// Uses from before a secret's creation do not count for it. They belong to a lost secret with
    /// the same number. The comparison allows for clock skew of less than [`CLOCKS_DIFFER`].
    pub fn note_last_uses(&mut self, uses: &[LastUse]) {
        for last in uses.iter().filter(|last| last.key == self.id) {
            let is_used = |secret: &&mut KeySecret| {
                secret.number == last.secret && last.at.since(secret.created_at) > -CLOCKS_DIFFER
            };
            if let Some(secret) = self.secrets.iter_mut().find(is_used) {
                secret.last_used_at = secret.last_used_at.max(Some(last.at));
            }
            self.last_used_at = self.last_used_at.max(Some(last.at));
        }
    }
}

/// Parses an entity tag and returns its version, if the tag is one of ours.
///
/// Compressing proxies make a tag weak (`W/"1"`), and people omit the quotes. Both forms are
/// accepted, since they still name a version.
pub fn version_of_etag(tag: &str) -> Option<u64> {
    let tag = tag.trim();
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    let digits = opaque.strip_prefix('"').map_or(Some(opaque), |rest| rest.strip_suffix('"'))?;
    // Accepts only the canonical form: "01" and "+1" are other tags.
    let is_canonical = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|version| is_canonical && *version <= COUNT_MAX)
}

/// Maximum of every counter, 2^53 - 1, which JavaScript and the stores keep exactly.
pub const COUNT_MAX: u64 = 9_007_199_254_740_991;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_from_the_facts() {
        let now = Timestamp::from_millis(1_000);
        let at = |millis: i64| Some(Timestamp::from_millis(millis));
        let on = Facts { active: true, ..Facts::default() };
        for (facts, reason) in [
            (on, None),
            (Facts { expires_at: at(1_001), ..on }, None),
            (Facts { expires_at: at(1_000), ..on }, Some(Reason::Expired)),
            (Facts { not_before: at(1_000), ..on }, None),
            (Facts { not_before: at(1_001), ..on }, Some(Reason::Scheduled)),
            (Facts { active: false, expires_at: at(1), not_before: at(2_000), ..on }, Some(Reason::Deactivated)),
            (Facts { deleted: true, active: false, ..on }, Some(Reason::Deleted)),
        ] {
            let status = if reason.is_none() { Status::Active } else { Status::Inactive };
            assert_eq!(state(facts, now), (status, reason), "{facts:?}");
        }
    }

    #[test]
    fn a_key_was_last_used_when_any_of_its_secrets_was() {
        let json = r#"{"id":"0000000000000001","name":"","description":"","integration":"","environment":"live","scopes":[],
            "status":"active","prefix":"","created_at":"2026-11-24T00:00:00Z","created_by":"","updated_at":"2026-11-24T00:00:00Z",
            "version":1,"restrictions":{"allow":[],"deny":[],"channels":[]},"metadata":{},"secrets":[{"number":2,"created_at":"2026-11-24T00:00:00Z"},
            {"number":3,"created_at":"2026-11-24T00:00:00Z"}]}"#;
        let mut key: Key = serde_json::from_str(json).unwrap();
        let other = "0000000000000002".parse().unwrap();
        let made = key.created_at;
        let at = |key, secret, millis| LastUse { key, secret, at: made.plus(millis) };
        // The key no longer shows secret 1.
        key.note_last_uses(&[at(key.id, 1, 5), at(key.id, 2, 3), at(other, 2, 9), at(key.id, 2, 2)]);
        let millis = |time: Option<Timestamp>| time.map(|time| time.since(made));
        assert_eq!(millis(key.last_used_at), Some(5));
        let of_secrets = |key: &Key| key.secrets.iter().map(|secret| millis(secret.last_used_at)).collect::<Vec<_>>();
        assert_eq!(of_secrets(&key), [Some(3), None]);
        // A lost secret 3, and a request at an edge with a slow clock.
        key.note_last_uses(&[at(key.id, 3, -60_000)]);
        assert_eq!((of_secrets(&key), millis(key.last_used_at)), (vec![Some(3), None], Some(5)));
        key.note_last_uses(&[at(key.id, 3, -59_999)]);
        assert_eq!(of_secrets(&key), [Some(3), Some(-59_999)]);
    }

    #[test]
    fn a_version_is_read_from_strong_weak_and_unquoted_etags() {
        for tag in ["\"12\"", "W/\"12\"", "12", " \"12\" "] {
            assert_eq!(version_of_etag(tag), Some(12), "{tag}");
        }
        assert_eq!(version_of_etag("\"9007199254740991\""), Some(COUNT_MAX));
        for tag in
            ["", "*", "\"\"", "\"x\"", "\"12", "12\"", "\"01\"", "\"+1\"", "\"0\"", "w/\"1\"", "\"9007199254740992\""]
        {
            assert_eq!(version_of_etag(tag), None, "{tag}");
        }
    }
}
