//! Resolutions of usage counts, and the retention period of each.

use crate::time::{DAY, HOUR, MINUTE, Timestamp};
use serde::{Deserialize, Serialize};

/// A resolution of usage counts; steps follow each other without gaps, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A minute.
    Minute,
    /// An hour.
    #[default]
    Hour,
    /// A day, from midnight to midnight.
    Day,
}

impl Step {
    /// Length of a step in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    /// Minimum retention in milliseconds: 48 hours by minute, 60 days by hour, two years by day.
    pub const fn kept_for(self) -> i64 {
        match self {
            Self::Minute => 48 * HOUR,
            Self::Hour => 60 * DAY,
            Self::Day => 731 * DAY,
        }
    }

    /// Default span of a query in milliseconds: one hour by minute, one day by hour, 30 days by
    /// day.
    pub const fn usual_span(self) -> i64 {
        match self {
            Self::Minute => HOUR,
            Self::Hour => DAY,
            Self::Day => 30 * DAY,
        }
    }

    /// Returns the number of the step that contains `moment`, counted from the epoch.
    pub const fn number(self, moment: Timestamp) -> i64 {
        moment.millis().div_euclid(self.millis())
    }

    /// Returns the start of the step with this number.
    pub const fn begin(self, number: i64) -> Timestamp {
        Timestamp::from_millis(number.saturating_mul(self.millis()))
    }

    /// Returns texts for people: name of the counts, retention period, next coarser step.
    pub(super) const fn words(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Minute => ("Minutes", "48 hours", Some("hour")),
            Self::Hour => ("Hours", "60 days", Some("day")),
            Self::Day => ("Days", "two years", None),
        }
    }
}
