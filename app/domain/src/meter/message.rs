//! What an isolate and a meter say to each other.

use crate::limit::Limits;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

/// What an isolate asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The limits, as they stand in the key's record.
    pub limits: Limits,
    /// Version of that record; limits of an older one are not believed, nor those of a question that wants none.
    pub version: u64,
    /// Permits that are needed now: the cost of the call that waits. None to give back only.
    pub need: u32,
    /// Permits that would be welcome beyond that.
    pub spare: u32,
    /// What is left of earlier leases.
    pub unused: Vec<Unused>,
    /// The number that the lease shall have, from [`NAMED`] on and random; 0 to leave it to the meter. Who asks knows it
    /// even if no answer comes, and can give back what it was not told of.
    #[serde(deserialize_with = "added")]
    pub name: u64,
    /// For each of `unused`, milliseconds since a permit of that lease was spent last; 0 if that is
    /// not known.
    #[serde(deserialize_with = "added")]
    pub idle: Vec<u32>,
}

/// From here on leases are named by those who ask for them.
pub const NAMED: u64 = 1 << 63;

/// All permits of a lease, however many they are.
pub const ALL: u32 = u32::MAX;

/// Permits that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// Number of the lease.
    pub lease: u64,
    /// How many of its permits were not spent, and never will be: 0 if it is used up, [`ALL`] if its answer never came.
    pub permits: u32,
}

/// What the meter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Taken {
    /// These permits may be spent.
    Lease(Lease),
    /// The need is more than is left.
    Refused(Refusal),
}

/// Permits, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its number.
    pub number: u64,
    /// At least the need.
    pub permits: u32,
    /// For how long they may be spent, in milliseconds from the moment at which they were asked for.
    pub lasts: i64,
    /// How things stand after it.
    pub standing: Standing,
}

/// Why there is no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Whether it is the quota, not the rate, that refuses.
    pub by_quota: bool,
    /// After so many milliseconds it is worth asking again.
    pub retry_after: i64,
    /// How things stand.
    pub standing: Standing,
}

/// What is left of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Permits left of the rate limit, and milliseconds until all are there again.
    pub rate: Option<(u32, i64)>,
    /// Permits left of the quota, and milliseconds until it is refilled.
    pub quota: Option<(u32, i64)>,
}

/// How a call would fare, without making it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// How things stand without it.
    pub standing: Standing,
    /// Why there would be no permits for it, if there would be none.
    pub refusal: Option<Refusal>,
}

/// Writes a question or an answer. They are asked and answered on a call's way, so they are small.
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    // Numbers only: there is nothing in a message that cannot be written.
    bytes.extend(postcard::to_allocvec(message).unwrap_or_default());
    bytes
}

/// Reads a question or an answer; nothing if it is not one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (layout, body) = bytes.split_first()?;
    (*layout == LAYOUT).then(|| postcard::from_bytes(body).ok())?
}

/// Reads what stands at the end of a message; the version before does not write it, and does not look for it.
#[allow(clippy::unnecessary_wraps, reason = "serde asks for it")]
fn added<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(T::deserialize(deserializer).unwrap_or_default())
}

/// The version of the layout that is written.
const LAYOUT: u8 = 1;
