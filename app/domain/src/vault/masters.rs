//! Master secrets that a workspace still needs.

use super::Caller;
use serde::{Deserialize, Serialize};

/// Reads the usage of master secrets. Requires `account:write`; of the roles, only owners hold it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadMasters {
    /// The caller.
    #[serde(rename = "person")]
    pub caller: Caller,
}

/// Usage of the master secrets in a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masters {
    /// All master secrets that are configured or still in use, newest first.
    pub data: Vec<Master>,
    /// Keys that the sweep has not examined yet; 0 one day after an update or an import.
    pub unknown: u64,
}

/// Data under one master secret that nothing has replaced since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// Id of the secret in `MASTER_KEYS`.
    pub id: u16,
    /// Parts of the secret that the deployment still has.
    pub left: Left,
    /// Records in KV that it seals.
    pub records: u64,
    /// Valid secrets of keys whose digests it peppered.
    pub secrets: u64,
    /// Keys whose ids it tagged.
    pub keys: u64,
}

/// The parts of a master secret that the deployment still has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// True if records sealed with it can be opened.
    pub seal: bool,
    /// True if key secrets peppered with it are recognised.
    pub pepper: bool,
    /// True if key ids tagged with it are recognised.
    pub locator: bool,
}

command!(ReadMasters, "read-masters", Masters, caller);
