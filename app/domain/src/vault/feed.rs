//! Questions to the object that tells of changes.

use super::Call;
use crate::feed::Entry;
use serde::{Deserialize, Serialize};

/// Tells everybody that reads the feed. Doing it twice changes nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Announce {
    /// What has changed.
    pub entries: Vec<Entry>,
}

impl Call for Announce {
    type Answer = ();
    const NAME: &'static str = "announce";
}
