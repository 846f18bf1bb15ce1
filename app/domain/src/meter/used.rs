//! Counts of permits granted in the current day and in the current month.
//!
//! Both count for every limited key, regardless of its quota, and also without one. So a new or
//! changed quota finds the permits that were used before.

use crate::{
    limit::Period,
    time::{HOUR, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Permits that count towards quotas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    day: PeriodCount,
    month: PeriodCount,
}

/// Permits granted since a period began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PeriodCount {
    since: Timestamp,
    permits: u64,
}

impl Used {
    /// Converts the count of a meter that counted for one period only, from its start on.
    ///
    /// The month has at least the count of a day in it. A month's count says nothing about the day.
    pub(super) fn of_one(period: Period, since: Timestamp, permits: u32) -> Self {
        let permits = u64::from(permits);
        let month = PeriodCount { since: Period::Month.start(since), permits };
        let day = if period == Period::Day { PeriodCount { since, permits } } else { PeriodCount::default() };
        Self { day, month }
    }

    /// Resets the counts of periods that have ended. Returns true if a new day began.
    pub(super) fn turn_the_page(&mut self, now: Timestamp) -> bool {
        let before = self.day.since;
        for (count, period) in [(&mut self.day, Period::Day), (&mut self.month, Period::Month)] {
            let start = period.start(now);
            // A clock that was set back a little does not return to the previous period.
            if start > count.since {
                *count = PeriodCount { since: start, permits: 0 };
            }
        }
        self.day.since > before
    }

    /// Moves a period that starts too far in the future back to the current one.
    ///
    /// This happens after the clock was set back. Used permits stay used until the current period
    /// ends. Returns true if a period moved.
    pub(super) fn bound(&mut self, now: Timestamp) -> bool {
        let mut moved = false;
        for (count, period) in [(&mut self.day, Period::Day), (&mut self.month, Period::Month)] {
            if count.since.since(now) > HOUR {
                (count.since, moved) = (period.start(now), true);
            }
        }
        moved
    }

    /// Counts granted permits.
    pub(super) fn add(&mut self, permits: u32) {
        for count in [&mut self.day, &mut self.month] {
            count.permits = count.permits.saturating_add(permits.into());
        }
    }

    /// Subtracts returned permits that were granted at `at`.
    pub(super) fn give_back(&mut self, permits: u32, at: Timestamp) {
        for count in [&mut self.day, &mut self.month] {
            if at >= count.since {
                count.permits = count.permits.saturating_sub(permits.into());
            }
        }
    }

    /// Returns the permits granted in the current period and not returned.
    pub(super) fn within(&self, period: Period) -> u32 {
        let count = match period {
            Period::Day => self.day,
            Period::Month => self.month,
        };
        u32::try_from(count.permits).unwrap_or(u32::MAX)
    }
}
