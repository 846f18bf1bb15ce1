//! How many permits were handed out in the present day and in the present month.
//!
//! Both are counted for every limited key, whatever its quota is, and also without one: so a quota that is set or changed
//! finds what was used before.

use crate::{
    limit::Period,
    time::{HOUR, Timestamp},
};
use serde::{Deserialize, Serialize};

/// What counts towards quotas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    day: Count,
    month: Count,
}

/// Permits that were handed out since a period began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    since: Timestamp,
    permits: u64,
}

impl Used {
    /// What a meter knew that counted for one period only, from its beginning on. Of the month it is known that it is no
    /// less than what a day of it has seen; of the day nothing is known.
    pub(super) fn of_one(period: Period, since: Timestamp, permits: u32) -> Self {
        let permits = u64::from(permits);
        let month = Count { since: Period::Month.start(since), permits };
        let day = if period == Period::Day { Count { since, permits } } else { Count::default() };
        Self { day, month }
    }

    /// Counts anew what has begun anew. Says whether a day has.
    pub(super) fn turn_the_page(&mut self, now: Timestamp) -> bool {
        let before = self.day.since;
        for (count, period) in [(&mut self.day, Period::Day), (&mut self.month, Period::Month)] {
            let start = period.start(now);
            // A clock that was set back a little turns no page back.
            if start > count.since {
                *count = Count { since: start, permits: 0 };
            }
        }
        self.day.since > before
    }

    /// Moves a period that begins too far in the future back to the present one: the clock was set
    /// back. What was used stays used until the present period ends. Says whether there was one.
    pub(super) fn bound(&mut self, now: Timestamp) -> bool {
        let mut moved = false;
        for (count, period) in [(&mut self.day, Period::Day), (&mut self.month, Period::Month)] {
            if count.since.since(now) > HOUR {
                (count.since, moved) = (period.start(now), true);
            }
        }
        moved
    }

    /// Counts permits that are handed out.
    pub(super) fn add(&mut self, permits: u32) {
        for count in [&mut self.day, &mut self.month] {
            count.permits = count.permits.saturating_add(permits.into());
        }
    }

    /// Permits that were handed out at this moment have come back.
    pub(super) fn give_back(&mut self, permits: u32, at: Timestamp) {
        for count in [&mut self.day, &mut self.month] {
            if at >= count.since {
                count.permits = count.permits.saturating_sub(permits.into());
            }
        }
    }

    /// How many were handed out in the present period and have not come back.
    pub(super) fn within(&self, period: Period) -> u32 {
        let count = match period {
            Period::Day => self.day,
            Period::Month => self.month,
        };
        u32::try_from(count.permits).unwrap_or(u32::MAX)
    }
}
