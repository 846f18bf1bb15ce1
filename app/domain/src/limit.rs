//! Limits of a key: a rate limit per window, and a quota per calendar day or month.

use crate::time::{DAY, SECOND, Timestamp};
use serde::{Deserialize, Serialize};

/// At most `limit` permits in any window of `window_seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Permits per window, 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Length of the window in seconds, 1 to [`WINDOW_MAX`].
    pub window_seconds: u32,
}

/// At most `limit` permits in a calendar day or month, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Permits per period, 1 to [`LIMIT_MAX`].
    pub limit: u32,
    /// Period after which the quota is refilled.
    pub period: Period,
}

/// A calendar period, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

/// Maximum permits of a limit.
pub const LIMIT_MAX: u32 = 1_000_000_000;

/// Maximum cost of one request, as `POST /v1/verify` accepts it.
pub const COST_MAX: u32 = 10_000;

/// Maximum window of a rate limit, in seconds: one day.
pub const WINDOW_MAX: u32 = 86_400;

/// Limits of a key; `None` for no limit of that kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Rate limit.
    pub rate: Option<RateLimit>,
    /// Quota.
    pub quota: Option<Quota>,
}

impl Limits {
    /// Returns true if there is no limit.
    pub const fn is_empty(&self) -> bool {
        self.rate.is_none() && self.quota.is_none()
    }

    /// Returns true if these limits admit at least every request that `before` admitted.
    ///
    /// The comparison is conservative: it may return false for limits that do.
    pub fn is_at_least(&self, before: &Self) -> bool {
        let rate = match (self.rate, before.rate) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(after), Some(before)) => after.limit >= before.limit && after.window_seconds <= before.window_seconds,
        };
        let quota = match (self.quota, before.quota) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(after), Some(before)) => after.limit >= before.limit && after.period == before.period,
        };
        rate && quota
    }
}

impl RateLimit {
    /// Returns the window, in milliseconds.
    pub const fn window(self) -> i64 {
        self.window_seconds as i64 * SECOND
    }
}

impl Period {
    /// Returns `day` or `month`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Returns the length in seconds. A month counts as 31 days.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Day => 86_400,
            Self::Month => 31 * 86_400,
        }
    }

    /// Returns the start of the period that contains `now`.
    pub fn start(self, now: Timestamp) -> Timestamp {
        let day = Timestamp::from_millis(now.millis().div_euclid(DAY) * DAY);
        match self {
            Self::Day => day,
            Self::Month => day.plus(-(i64::from(day.day_of_month()) - 1) * DAY),
        }
    }

    /// Returns the start of the next period.
    pub fn end(self, now: Timestamp) -> Timestamp {
        let start = self.start(now);
        match self {
            Self::Day => start.plus(DAY),
            // The date 31 days after the first is in the next month, for every month.
            Self::Month => self.start(start.plus(31 * DAY)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_follow_the_calendar_in_utc() {
        for (now, period, start, end) in [
            ("2026-11-24T13:10:20.000Z", Period::Day, "2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z"),
            ("2026-11-24T00:00:00.000Z", Period::Day, "2026-11-24T00:00:00.000Z", "2026-11-25T00:00:00.000Z"),
            ("2026-11-24T13:10:20.000Z", Period::Month, "2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z"),
            ("2026-12-31T23:59:59.999Z", Period::Month, "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ("2028-02-29T12:00:00.000Z", Period::Month, "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"),
            ("2027-02-01T00:00:00.000Z", Period::Month, "2027-02-01T00:00:00.000Z", "2027-03-01T00:00:00.000Z"),
        ] {
            let now = Timestamp::parse(now).unwrap();
            assert_eq!(period.start(now).rfc3339(), start);
            assert_eq!(period.end(now).rfc3339(), end);
        }
    }

    #[test]
    fn more_is_told_from_less() {
        let of = |rate: Option<(u32, u32)>, quota: Option<(u32, Period)>| Limits {
            rate: rate.map(|(limit, window_seconds)| RateLimit { limit, window_seconds }),
            quota: quota.map(|(limit, period)| Quota { limit, period }),
        };
        let (none, ten) = (of(None, None), of(Some((10, 60)), Some((100, Period::Day))));
        assert!(none.is_at_least(&ten) && !ten.is_at_least(&none) && ten.is_at_least(&ten));
        assert!(of(Some((11, 60)), Some((100, Period::Day))).is_at_least(&ten));
        assert!(!of(Some((9, 60)), Some((100, Period::Day))).is_at_least(&ten));
        assert!(!of(Some((10, 61)), Some((100, Period::Day))).is_at_least(&ten));
        assert!(!of(Some((10, 60)), Some((100, Period::Month))).is_at_least(&ten));
    }
}
