//! Commands to a shard of the revocation feed.

use crate::feed::Entry;
use serde::{Deserialize, Serialize};

/// Publishes entries to all readers of the feed. Idempotent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Announce {
    /// Changes to publish.
    pub entries: Vec<Entry>,
}

command!(Announce, "announce", ());
