//! Questions to the object of a workspace.

mod trail;

pub use trail::{NOT_A_CURSOR, ReadTrail, TrailPage, TrailQuery};

use super::{Call, Caller, Origin, beside};
use crate::{
    account::PersonId,
    audit::Action,
    digest::SecretHash,
    explain::{Case, Explanation},
    idempotency::Once,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
    token::Environment,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Makes the workspace and its owner; doing it twice with the same values changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// The workspace's own number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: PersonId,
    /// The owner's name.
    pub owner_name: String,
}

impl Call for Found {
    type Answer = ();
    const NAME: &'static str = "found";
}

/// Is there a workspace in this object?
#[derive(Debug, Serialize, Deserialize)]
pub struct IsFounded {}

impl Call for IsFounded {
    type Answer = bool;
    const NAME: &'static str = "is-founded";
}

/// Something happened around a session of a member. Of too many in an hour, some are only counted.
#[derive(Debug, Serialize, Deserialize)]
pub struct NoteEvent {
    /// The member.
    pub person: PersonId,
    /// An event of a session.
    pub action: Action,
    /// The caller's address.
    pub address: String,
    /// Id of the request.
    pub request_id: String,
}

impl Call for NoteEvent {
    type Answer = ();
    const NAME: &'static str = "note-event";
}

/// Makes a key.
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// What is asked for; its own `secret_sha256` is not looked at.
    pub key: NewKey,
    /// Hash of the secret that opens it.
    pub secret: SecretHash,
    /// What makes it one that is done once, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
}

/// A key that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The key.
    pub key: Key,
    /// Whether it was made by an earlier request of the same name.
    pub replayed: bool,
}

/// What stands beside the fields of an [`Issued`] key.
#[derive(Serialize, Deserialize)]
struct BesideKey {
    #[serde(default)]
    replayed: bool,
}

impl Serialize for Issued {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        beside::write(&self.key, &BesideKey { replayed: self.replayed }, serializer)
    }
}

impl<'de> Deserialize<'de> for Issued {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (key, BesideKey { replayed }) = beside::read(deserializer)?;
        Ok(Self { key, replayed })
    }
}

impl Call for CreateKey {
    type Answer = Issued;
    const NAME: &'static str = "create-key";
}

/// Makes a key like another one.
#[derive(Debug, Serialize, Deserialize)]
pub struct DuplicateKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// Which key is copied.
    pub id: Locator,
    /// In what the copy differs; it is active whatever stands here.
    pub differences: KeyPatch,
    /// Which world it opens; none for that of the other.
    pub environment: Option<Environment>,
    /// Hash of the secret that opens it.
    pub secret: SecretHash,
    /// What makes it one that is done once, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
}

impl Call for DuplicateKey {
    type Answer = Issued;
    const NAME: &'static str = "duplicate-key";
}

/// Lists keys.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListKeys {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Which keys.
    pub query: KeyQuery,
}

impl Call for ListKeys {
    type Answer = KeyPage;
    const NAME: &'static str = "list-keys";
}

/// Reads one key.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadKey {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Which key.
    pub id: Locator,
}

impl Call for ReadKey {
    type Answer = Key;
    const NAME: &'static str = "read-key";
}

/// Reads one key that was deleted and can be restored.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadDeleted {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Which key.
    pub id: Locator,
}

impl Call for ReadDeleted {
    type Answer = Key;
    const NAME: &'static str = "read-deleted";
}

/// Asks what the edge would say to a call with one key.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExplainCall {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Which key.
    pub id: Locator,
    /// Hash of the secret that comes with the call, if it is known.
    pub secret: Option<SecretHash>,
    /// The call.
    pub case: Case,
}

impl Call for ExplainCall {
    type Answer = Explanation;
    const NAME: &'static str = "explain";
}

/// A key after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The key.
    pub key: Key,
    /// From when on nobody gets by with the key as it was before, wherever they call; none if the change
    /// takes nothing from anybody.
    pub effective_at: Option<Timestamp>,
    /// Whether it was changed by an earlier request of the same name.
    #[serde(default)]
    pub replayed: bool,
}

/// Changes one key.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// Which key.
    pub id: Locator,
    /// The version that the caller has seen.
    pub version: u64,
    /// What is to change.
    pub patch: KeyPatch,
}

impl Call for ChangeKey {
    type Answer = Changed;
    const NAME: &'static str = "change-key";
}

/// Deletes one key. It can be restored within [`crate::key::RESTORE_WITHIN`].
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// Which key.
    pub id: Locator,
    /// The version that the caller has seen.
    pub version: u64,
}

impl Call for DeleteKey {
    type Answer = Changed;
    const NAME: &'static str = "delete-key";
}

/// Undoes the deletion of one key: it is as it was before.
#[derive(Debug, Serialize, Deserialize)]
pub struct RestoreKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// Which key.
    pub id: Locator,
}

impl Call for RestoreKey {
    type Answer = Changed;
    const NAME: &'static str = "restore-key";
}

/// Gives one key a new secret, beside which the old ones work for a while.
#[derive(Debug, Serialize, Deserialize)]
pub struct RotateKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// Which key.
    pub id: Locator,
    /// The version that the caller has seen.
    pub version: u64,
    /// For how many seconds the old secrets go on working, 0 to 30 days.
    pub overlap_seconds: u32,
    /// Allows it to end old secrets earlier than an overlap before has promised.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub end_earlier: bool,
    /// Hash of the new secret.
    pub secret: SecretHash,
    /// What makes it one that is done once, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
}

impl Call for RotateKey {
    type Answer = Changed;
    const NAME: &'static str = "rotate-key";
}

/// Ends the old secrets of one key at once.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndOldSecrets {
    /// Who asks, from where.
    pub origin: Origin,
    /// Which key.
    pub id: Locator,
}

impl Call for EndOldSecrets {
    type Answer = Changed;
    const NAME: &'static str = "end-old-secrets";
}

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
    /// What people call it.
    pub name: String,
    /// Counts the changes of the settings, from 1.
    pub version: u64,
    /// Whether all its keys are refused.
    pub suspended: bool,
    /// For how many seconds keys that an isolate remembers are still good when the feed of changes cannot be
    /// read; 0 for not at all, at most [`OUTAGE_MAX`].
    pub outage_seconds: u32,
}

/// Longest time for which a remembered key may be good without the feed, in seconds: one hour.
pub const OUTAGE_MAX: u32 = 3_600;

impl Call for ReadSettings {
    type Answer = Settings;
    const NAME: &'static str = "read-settings";
}

/// Changes the settings of the workspace. What is `None` stays.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeSettings {
    /// Who asks, from where.
    pub origin: Origin,
    /// The version that the caller has seen.
    pub version: u64,
    /// Whether all keys are to be refused.
    pub suspended: Option<bool>,
    /// As in [`Settings`].
    pub outage_seconds: Option<u32>,
    /// Why, in the admin's words.
    pub reason: Option<String>,
}

/// The settings after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSettings {
    /// The settings.
    pub settings: Settings,
    /// From when on the change holds everywhere; none if it takes nothing from anybody.
    pub effective_at: Option<Timestamp>,
}

/// What stands beside the fields of [`ChangedSettings`].
#[derive(Serialize, Deserialize)]
struct BesideSettings {
    #[serde(default)]
    effective_at: Option<Timestamp>,
}

impl Serialize for ChangedSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        beside::write(&self.settings, &BesideSettings { effective_at: self.effective_at }, serializer)
    }
}

impl<'de> Deserialize<'de> for ChangedSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (settings, BesideSettings { effective_at }) = beside::read(deserializer)?;
        Ok(Self { settings, effective_at })
    }
}

impl Call for ChangeSettings {
    type Answer = ChangedSettings;
    const NAME: &'static str = "change-settings";
}
