//! Serde format for a scope set as bits. Reading drops unknown bits, which later versions added. No
//! request of this version can need those scopes.

use crate::scope::ScopeSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub fn serialize<S: Serializer>(scopes: &ScopeSet, serializer: S) -> Result<S::Ok, S::Error> {
    scopes.bits().serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeSet, D::Error> {
    u64::deserialize(deserializer).map(ScopeSet::from_known_bits)
}
