//! Revocation latency: row E9, from the file that the simulation writes.

use crate::row::{Goal, Row};
use serde::Deserialize;
use std::{fs, path::Path};

/// The file that the simulation writes.
pub const FILE: &str = "revocation.json";

/// The promised bound without the round trip, in milliseconds, independent of the product's
/// constants.
const BOUND: i64 = 5_000;
/// Number of changes that the goal demands.
const CHANGES: u32 = 10_000;

/// Figures of the simulation.
#[derive(Debug, Deserialize)]
struct RevocationFigures {
    /// True if all checks of the proof held.
    proven: bool,
    /// Edges with their own view of KV.
    locations: u32,
    /// Narrowing changes.
    changes: u32,
    /// Changes with a call that still passed after the effective time.
    changes_too_late: u32,
    /// Time of the latest call that passed, after the admin's response, in milliseconds.
    slowest_ms: i64,
    /// Longest round trip between an edge and the vault there, in milliseconds.
    round_trip_ms: i64,
}

impl RevocationFigures {
    fn what(&self) -> String {
        let Self { changes, locations, .. } = self;
        let short = if *changes < CHANGES { format!(" instead of {CHANGES}") } else { String::new() };
        let fault = match self.changes_too_late {
            0 if self.proven => String::new(),
            0 => "; the proof has failed".into(),
            late => format!("; {late} too late"),
        };
        format!("slowest of {changes}{short} revocations, {locations} locations{fault}")
    }

    #[allow(clippy::cast_precision_loss, reason = "times are small")]
    fn row(&self) -> Row {
        let goal = Goal::AtMost((BOUND + self.round_trip_ms) as f64);
        let row = Row::alone("E9", self.what(), Some(self.slowest_ms as f64), Some(goal), "ms");
        Row { wrong: !self.proven || self.changes_too_late > 0, ..row }
    }
}

/// Builds the row from the file in this folder.
pub fn row(folder: &Path) -> Row {
    let found = fs::read(folder.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    of(found.as_ref())
}

#[allow(clippy::cast_precision_loss, reason = "the bound is small")]
fn of(found: Option<&RevocationFigures>) -> Row {
    let unknown = || {
        let goal = Goal::AtMost(BOUND as f64);
        Row::alone("E9", "slowest revocation in the simulation", None, Some(goal), "ms")
    };
    found.map_or_else(unknown, RevocationFigures::row)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: RevocationFigures = RevocationFigures {
        proven: true,
        locations: 8,
        changes: CHANGES,
        changes_too_late: 0,
        slowest_ms: 4_400,
        round_trip_ms: 600,
    };

    #[test]
    fn a_simulation_that_did_not_run_is_not_taken_for_a_good_one() {
        assert_eq!(of(None).is_reached(), Some(false));
        assert_eq!(of(None).ours, None);
    }

    #[test]
    fn the_bound_is_five_seconds_and_a_round_trip() {
        let reached = |slowest_ms| of(Some(&RevocationFigures { slowest_ms, ..GOOD })).is_reached();
        assert_eq!((reached(5_600), reached(5_601)), (Some(true), Some(false)));
    }

    #[test]
    fn a_failed_proof_reaches_no_goal_whatever_its_slowest_time() {
        for (proven, changes_too_late, end) in
            [(false, 2, "8 locations; 2 too late"), (true, 1, "; 1 too late"), (false, 0, "; the proof has failed")]
        {
            let row = of(Some(&RevocationFigures { proven, changes_too_late, slowest_ms: 5_100, ..GOOD }));
            assert_eq!((row.is_reached(), row.wrong), (Some(false), true), "{end}");
            assert!(row.what.ends_with(end), "{}", row.what);
        }
    }

    #[test]
    fn fewer_changes_are_not_taken_for_those_of_the_goal() {
        let named = |changes| {
            let row = of(Some(&RevocationFigures { changes, ..GOOD }));
            (row.is_reached(), row.what)
        };
        let expected = |what: &str| (Some(true), what.to_owned());
        assert_eq!(named(10_000), expected("slowest of 10000 revocations, 8 locations"));
        assert_eq!(named(210), expected("slowest of 210 instead of 10000 revocations, 8 locations"));
    }

    #[test]
    fn the_figures_of_the_simulation_are_read() {
        let left = r#"{"proven": true, "locations": 8, "changes": 10000, "changes_too_late": 0, "slowest_ms": 4400,
            "round_trip_ms": 300}"#;
        let row = of(serde_json::from_str(left).ok().as_ref());
        assert_eq!((row.ours, row.is_reached()), (Some(4_400.0), Some(true)));
    }
}
