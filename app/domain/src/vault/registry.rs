//! Commands to the object of a workspace: keys, settings and audit trail.

mod trail;

pub use trail::{NOT_A_CURSOR, ReadTrail, TrailPage, TrailQuery};

use super::{Caller, Origin, flatten};
use crate::{
    account::PersonId,
    audit::Action,
    digest::SecretHash,
    environment::Environment,
    explain::{Case, Explanation},
    idempotency::Idempotency,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Creates the workspace and its owner. Idempotent for the same values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateWorkspace {
    /// Workspace number.
    pub number: u32,
    /// Name of the workspace.
    pub name: String,
    /// Account id of the owner.
    pub owner: PersonId,
    /// Name of the owner.
    pub owner_name: String,
}

command!(CreateWorkspace, "found", ());

/// Returns true if this object holds a workspace.
#[derive(Debug, Serialize, Deserialize)]
pub struct WorkspaceExists {}

command!(WorkspaceExists, "is-founded", bool);

/// Records a session event of a member. If a member has too many in an hour, some are only counted.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordSessionEvent {
    /// The member.
    pub person: PersonId,
    /// The session event.
    pub action: Action,
    /// Client IP address.
    pub address: String,
    /// Request id.
    pub request_id: String,
}

command!(RecordSessionEvent, "note-event", ());

/// Creates a key.
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateKey {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// The requested key; the vault ignores its `secret_sha256`.
    pub key: NewKey,
    /// Hash of the key's secret.
    pub secret: SecretHash,
    /// Idempotency key and body hash, if the caller sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Idempotency>,
}

/// A created key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The key.
    pub key: Key,
    /// True if an earlier request with the same idempotency key created it.
    pub replayed: bool,
}

/// Fields that [`Issued`] adds to those of the key.
#[derive(Serialize, Deserialize)]
struct IssuedFields {
    #[serde(default)]
    replayed: bool,
}

impl Serialize for Issued {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        flatten::write(&self.key, &IssuedFields { replayed: self.replayed }, serializer)
    }
}

impl<'de> Deserialize<'de> for Issued {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (key, IssuedFields { replayed }) = flatten::read(deserializer)?;
        Ok(Self { key, replayed })
    }
}

command!(CreateKey, "create-key", Issued, origin.caller);

/// Creates a duplicate of a key.
#[derive(Debug, Serialize, Deserialize)]
pub struct DuplicateKey {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Locator of the original.
    pub id: Locator,
    /// Changes against the original. The duplicate is always active.
    pub differences: KeyPatch,
    /// Environment of the duplicate; `None` for that of the original.
    pub environment: Option<Environment>,
    /// Hash of the duplicate's secret.
    pub secret: SecretHash,
    /// Idempotency key and body hash, if the caller sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Idempotency>,
}

command!(DuplicateKey, "duplicate-key", Issued, origin.caller);

/// Lists a page of keys.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListKeys {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Filter, order and page.
    pub query: KeyQuery,
}

command!(ListKeys, "list-keys", KeyPage, caller);

/// Reads one key.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadKey {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Locator of the key.
    pub id: Locator,
}

command!(ReadKey, "read-key", Key, caller);

/// Reads one deleted key that can be restored.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadDeleted {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Locator of the key.
    pub id: Locator,
}

command!(ReadDeleted, "read-deleted", Key, caller);

/// Explains the edge's verdict on a request with one key.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExplainCall {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Locator of the key.
    pub id: Locator,
    /// Hash of the request's secret, if known.
    pub secret: Option<SecretHash>,
    /// The request to explain.
    pub case: Case,
}

command!(ExplainCall, "explain", Explanation, caller);

/// A key after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The key.
    pub key: Key,
    /// Time from which no request anywhere passes with the previous state of the key. `None` if the
    /// change revokes nothing.
    pub effective_at: Option<Timestamp>,
    /// True if an earlier request with the same idempotency key made the change.
    #[serde(default)]
    pub replayed: bool,
}

/// Changes one key.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeKey {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Locator of the key.
    pub id: Locator,
    /// Version that the caller has read.
    pub version: u64,
    /// Fields to change.
    pub patch: KeyPatch,
}

command!(ChangeKey, "change-key", Changed, origin.caller);

/// Deletes one key. It can be restored within [`crate::key::RESTORE_WITHIN`].
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteKey {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Locator of the key.
    pub id: Locator,
    /// Version that the caller has read.
    pub version: u64,
}

command!(DeleteKey, "delete-key", Changed, origin.caller);

/// Restores a deleted key to its previous state.
#[derive(Debug, Serialize, Deserialize)]
pub struct RestoreKey {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Locator of the key.
    pub id: Locator,
}

command!(RestoreKey, "restore-key", Changed, origin.caller);

/// Creates a new secret for a key. The old secrets stay valid for a grace period.
#[derive(Debug, Serialize, Deserialize)]
pub struct RotateKey {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Locator of the key.
    pub id: Locator,
    /// Version that the caller has read.
    pub version: u64,
    /// Grace period of the old secrets in seconds, 0 to 30 days.
    pub overlap_seconds: u32,
    /// Permits ending old secrets before the grace period that an earlier rotation promised.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub end_earlier: bool,
    /// Hash of the new secret.
    pub secret: SecretHash,
    /// Idempotency key and body hash, if the caller sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Idempotency>,
}

command!(RotateKey, "rotate-key", Changed, origin.caller);

/// Ends the old secrets of a key immediately.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndOldSecrets {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Locator of the key.
    pub id: Locator,
}

command!(EndOldSecrets, "end-old-secrets", Changed, origin.caller);

/// Reads the settings of the workspace.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadSettings {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
}

/// The settings of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Display name of the workspace.
    pub name: String,
    /// Version of the settings; counts their changes from 1.
    pub version: u64,
    /// True if all keys of the workspace are refused.
    pub suspended: bool,
    /// Grace period in seconds: cached keys stay valid so long while the feed cannot be read. 0 for
    /// none, at most [`OUTAGE_MAX`].
    pub outage_seconds: u32,
}

/// Maximum grace period of cached keys without the feed, in seconds: one hour.
pub const OUTAGE_MAX: u32 = 3_600;

command!(ReadSettings, "read-settings", Settings, caller);

/// Changes the settings of the workspace. Fields that are `None` stay unchanged.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeSettings {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Version that the caller has read.
    pub version: u64,
    /// True to refuse all keys.
    pub suspended: Option<bool>,
    /// Grace period in seconds, see [`Settings`].
    pub outage_seconds: Option<u32>,
    /// Reason of the change, in the admin's words.
    pub reason: Option<String>,
}

/// The settings after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSettings {
    /// The new settings.
    pub settings: Settings,
    /// Time from which the change applies everywhere; `None` if it revokes nothing.
    pub effective_at: Option<Timestamp>,
}

/// Fields that [`ChangedSettings`] adds to those of the settings.
#[derive(Serialize, Deserialize)]
struct ChangedFields {
    #[serde(default)]
    effective_at: Option<Timestamp>,
}

impl Serialize for ChangedSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        flatten::write(&self.settings, &ChangedFields { effective_at: self.effective_at }, serializer)
    }
}

impl<'de> Deserialize<'de> for ChangedSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (settings, ChangedFields { effective_at }) = flatten::read(deserializer)?;
        Ok(Self { settings, effective_at })
    }
}

command!(ChangeSettings, "change-settings", ChangedSettings, origin.caller);
