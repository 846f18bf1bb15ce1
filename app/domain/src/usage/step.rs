//! Lengths of time by which use is counted, and how long the counts of each are kept.

use crate::time::{DAY, HOUR, MINUTE, Timestamp};
use serde::{Deserialize, Serialize};

/// A length of time; each begins where the one before it ends, in UTC.
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
    /// Its length in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    /// For how many milliseconds its counts are kept at least: 48 hours of minutes, 60 days of hours, two years of days.
    pub const fn kept_for(self) -> i64 {
        match self {
            Self::Minute => 48 * HOUR,
            Self::Hour => 60 * DAY,
            Self::Day => 731 * DAY,
        }
    }

    /// What is shown when nobody says how much, in milliseconds: an hour of minutes, a day of hours, 30 days.
    pub const fn usual_span(self) -> i64 {
        match self {
            Self::Minute => HOUR,
            Self::Hour => DAY,
            Self::Day => 30 * DAY,
        }
    }

    /// The number of the step that `moment` lies in, counted from the epoch.
    pub const fn number(self, moment: Timestamp) -> i64 {
        moment.millis().div_euclid(self.millis())
    }

    /// When the step of this number begins.
    pub const fn begin(self, number: i64) -> Timestamp {
        Timestamp::from_millis(number.saturating_mul(self.millis()))
    }

    /// What its counts are called, how long they are kept, and what is kept longer; for people.
    pub(super) const fn words(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Minute => ("Minutes", "48 hours", Some("hour")),
            Self::Hour => ("Hours", "60 days", Some("day")),
            Self::Day => ("Days", "two years", None),
        }
    }
}
