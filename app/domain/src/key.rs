//! A key as the management API shows it, and what may be said of one.

mod change;
mod copy;
mod draft;
mod list;

pub use change::widens_only;
pub use copy::{NewCopy, copy_name};
pub use draft::{Details, DetailsPatch, KeyPatch, NewKey, Restrictions};
pub use list::{KeyPage, KeyQuery, Sort, StatusFilter};

use crate::{
    limit::{Period, Quota, RateLimit},
    locator::Locator,
    scope::ScopeSet,
    time::{DAY, MINUTE, Timestamp},
    token::Environment,
    usage::LastUse,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most characters of a key's name, and of the name of its integration.
pub const NAME_MAX: usize = 100;
/// Most characters of a key's description, and of a reason.
pub const DESCRIPTION_MAX: usize = 500;
/// Farthest beginning or end, in milliseconds from now: the 3,653 days of ten calendar years with three leap days. Ten
/// calendar years are never longer.
pub const EXPIRY_MAX: i64 = 3_653 * DAY;
/// Most channels that a key may be restricted to.
pub const CHANNELS_MAX: usize = 50;
/// Most pairs of metadata.
pub const METADATA_MAX: usize = 20;
/// Most bytes of metadata, names and values together.
pub const METADATA_BYTES_MAX: usize = 2_048;
/// Longest time for which an old secret may go on working beside a new one, in milliseconds.
pub const OVERLAP_MAX: i64 = 30 * DAY;
/// For how long a deleted key can be restored, in milliseconds. After that it is removed for good.
pub const RESTORE_WITHIN: i64 = 30 * DAY;

/// Whether a key works, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Calls with it are let through, within its scopes and limits.
    Active,
    /// Calls with it are refused; the reason stands beside it.
    Inactive,
}

/// Why a key is inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// It was deleted, and can still be restored.
    Deleted,
    /// An admin has deactivated it.
    Deactivated,
    /// Its beginning is still to come.
    Scheduled,
    /// Its expiry has passed.
    Expired,
}

impl Reason {
    /// The reason as a word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deleted => "Deleted",
            Self::Deactivated => "Deactivated",
            Self::Scheduled => "Scheduled",
            Self::Expired => "Expired",
        }
    }
}

/// What the state of a key follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether it has not been deactivated.
    pub active: bool,
    /// Until when it is refused, if there is a beginning.
    pub not_before: Option<Timestamp>,
    /// From when on it is refused, if ever.
    pub expires_at: Option<Timestamp>,
}

/// The state of a key at `now`. The one place where it is decided for people.
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

/// One secret of a key, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySecret {
    /// Counts the secrets of the key, from 1.
    pub number: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing any more, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// When it was last used, if that is known. The registry does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A key as the management API shows it. There is nothing secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id: the locator.
    pub id: Locator,
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The system that uses it; may be empty.
    pub integration: String,
    /// Which world it opens.
    pub environment: Environment,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Whether it works now.
    pub status: Status,
    /// Why not, if not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What the admin said who switched it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<String>,
    /// The part of the key's text that may be shown.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Name of who made it.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts its changes, from 1. Its `ETag`.
    pub version: u64,
    /// Until when it is refused, if there is a beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// From when on it is refused, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When any of its secrets was last used, if that is known. The registry does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Until when its deletion can be undone, if it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_until: Option<Timestamp>,
    /// Where and for what it may be used.
    pub restrictions: Restrictions,
    /// How often it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// How much it may be used in a day or a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaLeft>,
    /// Its secrets, the eldest first.
    pub secrets: Vec<KeySecret>,
    /// What its admins noted for services that verify it.
    pub metadata: BTreeMap<String, String>,
}

/// A quota, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaLeft {
    /// At most so many in a period.
    pub limit: u32,
    /// When it is refilled.
    pub period: Period,
    /// How much is left of it until then, if that is known. What edges hold to give out counts as used. The registry does
    /// not know it.
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

/// By less than so much the clocks of edges and vault differ, in milliseconds.
const CLOCKS_DIFFER: i64 = MINUTE;

impl Key {
    /// The entity tag (RFC 9110) of this state of the key.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }

    /// Takes over, of these last uses, those of its own secrets. A use from before a secret was made is that of another one, which
    /// had its number and was lost; clocks differ by less than [`CLOCKS_DIFFER`].
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

/// The version that one entity tag names, if it is one of ours.
///
/// Proxies that compress make a tag weak (`W/"1"`), and people leave the quotes out: both are
/// understood, since a version is named all the same.
pub fn version_of_etag(tag: &str) -> Option<u64> {
    let tag = tag.trim();
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    let digits = opaque.strip_prefix('"').map_or(Some(opaque), |rest| rest.strip_suffix('"'))?;
    // As it was written, and in no other way: "01" and "+1" are other tags.
    let is_canonical = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|version| is_canonical && *version <= COUNT_MAX)
}

/// Greatest number that anything here is counted to, 2^53 - 1: what JavaScript and the stores keep exactly.
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
        // Of secret 1 the key has nothing left to show.
        key.note_last_uses(&[at(key.id, 1, 5), at(key.id, 2, 3), at(other, 2, 9), at(key.id, 2, 2)]);
        let millis = |time: Option<Timestamp>| time.map(|time| time.since(made));
        assert_eq!(millis(key.last_used_at), Some(5));
        let of_secrets = |key: &Key| key.secrets.iter().map(|secret| millis(secret.last_used_at)).collect::<Vec<_>>();
        assert_eq!(of_secrets(&key), [Some(3), None]);
        // A secret 3 from before a loss, and a call at an edge whose clock is late.
        key.note_last_uses(&[at(key.id, 3, -60_000)]);
        assert_eq!((of_secrets(&key), millis(key.last_used_at)), (vec![Some(3), None], Some(5)));
        key.note_last_uses(&[at(key.id, 3, -59_999)]);
        assert_eq!(of_secrets(&key), [Some(3), Some(-59_999)]);
    }

    #[test]
    fn a_version_is_read_from_what_proxies_and_people_make_of_its_tag() {
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
