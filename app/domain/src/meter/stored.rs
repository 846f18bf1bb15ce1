//! Stored form of a meter: the current layout and the previous one.

use super::{LeaseGrant, MeterState, used::Used};
use crate::{
    limit::{Limits, Period},
    time::Timestamp,
    wire::{self, WireError},
};
use serde::Deserialize;

/// Layout version that is written.
const LAYOUT: u8 = 2;

impl MeterState {
    /// Serialises the meter.
    ///
    /// # Errors
    ///
    /// As [`wire::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        wire::encode(LAYOUT, self)
    }

    /// Parses bytes of [`MeterState::encode`], from this version or the previous one.
    ///
    /// # Errors
    ///
    /// Returns a [`WireError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        match wire::split(bytes)? {
            (1, body) => wire::body::<First>(body).map(Self::from),
            (LAYOUT, body) => wire::body(body),
            (layout, _) => Err(WireError::Layout(layout)),
        }
    }
}

/// The first layout, which counted only for the period of the quota.
#[derive(Deserialize)]
struct First {
    limits: Limits,
    version: u64,
    last_lease: u64,
    grants: Vec<LeaseGrant>,
    period: Timestamp,
    kind: Option<Period>,
    used: u32,
}

impl From<First> for MeterState {
    fn from(first: First) -> Self {
        let First { limits, version, last_lease, grants, period, kind, used } = first;
        let used = kind.map(|kind| Used::of_one(kind, period, used)).unwrap_or_default();
        Self { limits, version, last_lease, grants, used, ..Self::default() }
    }
}
