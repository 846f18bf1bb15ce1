//! Stored form of a meter: the current layout and the previous one.

use super::{Grant, Meter, used::Used};
use crate::{
    limit::{Limits, Period},
    time::Timestamp,
};
use serde::Deserialize;

/// Layout version that is written.
const LAYOUT: u8 = 2;

impl Meter {
    /// Serialises the meter.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        // Serialising cannot fail: a meter holds only numbers.
        bytes.extend(postcard::to_allocvec(self).unwrap_or_default());
        bytes
    }

    /// Parses bytes of [`Meter::encode`], from this version or the previous one.
    ///
    /// Returns `None` for other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (layout, body) = bytes.split_first()?;
        match *layout {
            1 => postcard::from_bytes::<First>(body).ok().map(Self::from),
            LAYOUT => postcard::from_bytes(body).ok(),
            _ => None,
        }
    }
}

/// The first layout, which counted only for the period of the quota.
#[derive(Deserialize)]
struct First {
    limits: Limits,
    version: u64,
    last_lease: u64,
    grants: Vec<Grant>,
    period: Timestamp,
    kind: Option<Period>,
    used: u32,
}

impl From<First> for Meter {
    fn from(first: First) -> Self {
        let First { limits, version, last_lease, grants, period, kind, used } = first;
        let used = kind.map(|kind| Used::of_one(kind, period, used)).unwrap_or_default();
        Self { limits, version, last_lease, grants, used, ..Self::default() }
    }
}
