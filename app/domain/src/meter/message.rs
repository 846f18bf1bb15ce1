//! Messages between an isolate and a meter: lease requests and responses.

use crate::{
    limit::Limits,
    wire::{self, WireError},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// Lease request of an isolate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRequest {
    /// Limits in the key's record.
    pub limits: Limits,
    /// Version of that record.
    ///
    /// The meter ignores limits of an older record, and of a request for no permits.
    pub version: u64,
    /// Permits needed now: the cost of the waiting request, or 0 to only return permits.
    pub need: u32,
    /// Spare permits wanted beyond the need.
    pub spare: u32,
    /// Unused permits of earlier leases.
    pub unused: Vec<ReturnedPermits>,
    /// Name of the new lease, random and at least [`NAMED`]; 0 to let the meter number it.
    ///
    /// The isolate knows the name even without a response, so it can return an unseen lease.
    #[serde(deserialize_with = "added")]
    pub name: u64,
    /// Milliseconds since the last permit of each lease in `unused` was spent; 0 if unknown.
    #[serde(deserialize_with = "added")]
    pub idle: Vec<u32>,
}

/// Lowest lease number that an isolate chooses as a name.
pub const NAMED: u64 = 1 << 63;

/// All permits of a lease, regardless of their number.
pub const ALL: u32 = u32::MAX;

/// Permits returned from a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedPermits {
    /// Number of the lease.
    pub lease: u64,
    /// Permits that were not spent and never will be.
    ///
    /// 0 stands for a used-up lease, and [`ALL`] for a missing response.
    pub permits: u32,
}

/// Response of the meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseResponse {
    /// Permits that may be spent.
    Lease(Lease),
    /// Refusal of a need that exceeds the remaining permits.
    Refused(Refusal),
}

/// Permits for a limited time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Number of the lease.
    pub number: u64,
    /// Granted permits, at least the need.
    pub permits: u32,
    /// Length of the lease, in milliseconds from the isolate's request.
    pub lasts: i64,
    /// Remaining permits after this lease.
    pub standing: LimitState,
}

/// Refusal of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// True if the quota refuses, false if the rate limit does.
    pub by_quota: bool,
    /// Milliseconds until a retry is worthwhile.
    pub retry_after: i64,
    /// Remaining permits.
    pub standing: LimitState,
}

/// Remaining permits of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitState {
    /// The rate limit, if there is one.
    pub rate: Option<Remaining>,
    /// The quota, if there is one.
    pub quota: Option<Remaining>,
}

/// The rest of one limit. Serialises as a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, i64)", into = "(u32, i64)")]
pub struct Remaining {
    /// Permits that are left.
    pub permits: u32,
    /// Milliseconds until the limit is whole again.
    pub refills_in: i64,
}

impl From<(u32, i64)> for Remaining {
    fn from((permits, refills_in): (u32, i64)) -> Self {
        Self { permits, refills_in }
    }
}

impl From<Remaining> for (u32, i64) {
    fn from(Remaining { permits, refills_in }: Remaining) -> Self {
        (permits, refills_in)
    }
}

/// Prediction of a request's outcome, without making it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// Remaining permits without the request.
    pub standing: LimitState,
    /// Refusal of the request, if it would be refused.
    pub refusal: Option<Refusal>,
}

/// Serialises a message. Messages are small, since they are on a request's critical path.
///
/// # Errors
///
/// As [`wire::encode`].
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, WireError> {
    wire::encode(LAYOUT, message)
}

/// Parses a message.
///
/// # Errors
///
/// Returns a [`WireError`] for other bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    wire::decode(LAYOUT, bytes)
}

/// Reads a field at the end of a message, which the previous version neither writes nor reads.
#[allow(clippy::unnecessary_wraps, reason = "serde asks for it")]
fn added<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(T::deserialize(deserializer).unwrap_or_default())
}

/// Layout version that is written.
const LAYOUT: u8 = 1;
