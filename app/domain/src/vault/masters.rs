//! What a workspace still needs of which master secret.

use super::{Call, Caller};
use serde::{Deserialize, Serialize};

/// Asks for it. For owners.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadMasters {
    /// Who asks.
    #[serde(rename = "person")]
    pub caller: Caller,
}

/// What a workspace needs of the master secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masters {
    /// Every secret that is there, or that something was made with; the newest first.
    pub data: Vec<Master>,
    /// Keys of which the sweep has not found out yet what they need; 0 one day after an update or an import.
    pub unknown: u64,
}

/// What was made with one master secret and has not been replaced since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// The number under which it stands in `MASTER_KEYS`.
    pub id: u16,
    /// What is left of it.
    pub left: Left,
    /// Records in KV that are sealed with it.
    pub records: u64,
    /// Secrets of keys that still open them and whose digests were peppered with it.
    pub secrets: u64,
    /// Keys whose ids were tagged with it.
    pub keys: u64,
}

/// What is left of a master secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Whether records that were sealed with it are read.
    pub seal: bool,
    /// Whether secrets of keys that were peppered with it are recognised.
    pub pepper: bool,
    /// Whether ids of keys that were tagged with it are recognised.
    pub locator: bool,
}

impl Call for ReadMasters {
    type Answer = Masters;
    const NAME: &'static str = "read-masters";
}
