//! Commands to the meter of a key with limits, except the permit request ([`super::permits_path`]).

use crate::{limit::Limits, meter::Outlook};
use serde::{Deserialize, Serialize};

/// Deletes all stored state after the key was purged. Idempotent.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearMeter {}

command!(ClearMeter, "clear", ());

/// Makes the meter accept the next record's limits at any version. An import from a file may give
/// the key a lower version than before. Used permits stay used. Idempotent.
#[derive(Debug, Serialize, Deserialize)]
pub struct AcceptAnyVersion {}

command!(AcceptAnyVersion, "believe-anew", ());

/// Simulates a request against the limits. Consumes no permits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LookAhead {
    /// Limits as the registry stores them.
    pub limits: Limits,
    /// Version of the key that has these limits.
    pub version: u64,
    /// Cost of the request, in permits.
    pub cost: u32,
}

command!(LookAhead, "look-ahead", Outlook);
