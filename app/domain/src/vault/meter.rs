//! Questions to the object that counts the use of a limited key, beside the one for permits ([`super::permits_path`]).

use super::Call;
use crate::{limit::Limits, meter::Outlook};
use serde::{Deserialize, Serialize};

/// Deletes all that the object has stored: its key is removed for good. Doing it twice changes nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearMeter {}

impl Call for ClearMeter {
    type Answer = ();
    const NAME: &'static str = "clear";
}

/// Has the next record believed, whatever version it has: its key was read in from a file, in which it may have an earlier one than
/// before. What was used stays used. Doing it twice changes nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct BelieveAnew {}

impl Call for BelieveAnew {
    type Answer = ();
    const NAME: &'static str = "believe-anew";
}

/// Asks how a call would fare. Nothing is spent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LookAhead {
    /// The limits, as the registry knows them.
    pub limits: Limits,
    /// Version of the key that they belong to.
    pub version: u64,
    /// What the call costs.
    pub cost: u32,
}

impl Call for LookAhead {
    type Answer = Outlook;
    const NAME: &'static str = "look-ahead";
}
