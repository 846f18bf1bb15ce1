//! How long what was revoked was still let through: row E9. The simulation finds it out and leaves a file.

use crate::row::{Goal, Row};
use serde::Deserialize;
use std::{fs, path::Path};

/// The file that the simulation leaves.
pub const FILE: &str = "revocation.json";

/// What is promised beside the round trip, in milliseconds, whatever the product itself takes for it.
const BOUND: i64 = 5_000;

/// What the simulation has found.
#[derive(Debug, Deserialize)]
struct Found {
    /// Edges with a KV view of their own.
    locations: u32,
    /// Narrowing changes.
    changes: u32,
    /// The latest call that passed after the admin was told, in milliseconds.
    slowest_ms: i64,
    /// The longest that an edge and the vault take to speak to each other there, both ways, in milliseconds.
    round_trip_ms: i64,
}

/// The row, from the file in this folder.
pub fn row(folder: &Path) -> Row {
    let found = fs::read(folder.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    of(found.as_ref())
}

#[allow(clippy::cast_precision_loss, reason = "times are small")]
fn of(found: Option<&Found>) -> Row {
    let (what, slowest, round_trip) = found.map_or_else(
        || ("slowest revocation in the simulation".to_owned(), None, 0),
        |found| {
            let Found { locations, changes, .. } = found;
            let what = format!("slowest of {changes} revocations, {locations} locations");
            (what, Some(found.slowest_ms as f64), found.round_trip_ms)
        },
    );
    Row::alone("E9", what, slowest, Some(Goal::AtMost((BOUND + round_trip) as f64)), "ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_that_did_not_run_is_not_taken_for_a_good_one() {
        assert_eq!(of(None).is_reached(), Some(false));
        assert_eq!(of(None).ours, None);
    }

    #[test]
    fn the_bound_is_five_seconds_and_a_round_trip() {
        let found = |slowest_ms| Found { locations: 8, changes: 80, slowest_ms, round_trip_ms: 600 };
        assert_eq!(of(Some(&found(5_600))).is_reached(), Some(true));
        assert_eq!(of(Some(&found(5_601))).is_reached(), Some(false));
        assert_eq!(of(Some(&found(1))).what, "slowest of 80 revocations, 8 locations");
    }
}
