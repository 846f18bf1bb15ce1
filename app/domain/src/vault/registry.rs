//! Questions to the object of a workspace.

use super::{Call, Origin};
use crate::{
    account::PersonId,
    digest::SecretHash,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
};
use serde::{Deserialize, Serialize};

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

/// Makes a key.
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateKey {
    /// Who asks, from where.
    pub origin: Origin,
    /// What is asked for; its own `secret_sha256` is not looked at.
    pub key: NewKey,
    /// Hash of the secret that opens it.
    pub secret: SecretHash,
}

impl Call for CreateKey {
    type Answer = Key;
    const NAME: &'static str = "create-key";
}

/// Lists keys.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListKeys {
    /// Who asks.
    pub person: PersonId,
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
    /// Who asks.
    pub person: PersonId,
    /// Which key.
    pub id: Locator,
}

impl Call for ReadKey {
    type Answer = Key;
    const NAME: &'static str = "read-key";
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
    type Answer = Key;
    const NAME: &'static str = "change-key";
}

/// Deletes one key.
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
    type Answer = ();
    const NAME: &'static str = "delete-key";
}
