//! A meter as it is stored: its layout, and that of the version before.

use super::{Grant, Meter, used::Used};
use crate::{
    limit::{Limits, Period},
    time::Timestamp,
};
use serde::Deserialize;

/// The version of the layout that is written.
const LAYOUT: u8 = 2;

impl Meter {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        // Numbers only: there is nothing in it that cannot be written.
        bytes.extend(postcard::to_allocvec(self).unwrap_or_default());
        bytes
    }

    /// Reads bytes that [`Meter::encode`] wrote, now or in the version before; nothing if they are others.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (layout, body) = bytes.split_first()?;
        match *layout {
            1 => postcard::from_bytes::<First>(body).ok().map(Self::from),
            LAYOUT => postcard::from_bytes(body).ok(),
            _ => None,
        }
    }
}

/// The first layout: it counted for the period of the quota alone.
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
