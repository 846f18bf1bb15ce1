//! The timestamp type: parsing, formatting and arithmetic.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, the unit of every time in the product.
///
/// Serialises as RFC 3339 text in UTC in JSON, and as the number in binary formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The earliest time with a text, 0000-01-01T00:00:00Z: years have four digits (RFC 3339 §1).
const FIRST: Timestamp = Timestamp(-62_167_219_200_000);
/// The latest time with a text, 9999-12-31T23:59:59.999Z.
const LAST: Timestamp = Timestamp(253_402_300_799_999);

/// Error message for a text that is not a time.
pub const NOT_A_TIME: &str = "Write a date and time with its zone, such as 2027-01-31T23:59:59Z.";

/// One second in the unit of [`Timestamp`].
pub const SECOND: i64 = 1_000;
/// One minute in the unit of [`Timestamp`].
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in the unit of [`Timestamp`].
pub const HOUR: i64 = 60 * MINUTE;
/// One day of 24 hours in the unit of [`Timestamp`].
pub const DAY: i64 = 24 * HOUR;

/// Converts milliseconds to seconds, rounded up.
pub const fn whole_seconds(millis: i64) -> i64 {
    millis.saturating_add(SECOND - 1).div_euclid(SECOND)
}

impl Timestamp {
    /// Creates the time `millis` milliseconds after (or, if negative, before) the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Adds `millis` milliseconds; saturates instead of wrapping.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to `self`; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Parses RFC 3339 text with any offset and truncates fractions below a millisecond. Returns
    /// `None` if the offset moves the time out of the years 0 to 9999. Such a time has no text in
    /// UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).ok().map(Self).filter(|moment| (FIRST..=LAST).contains(moment))
    }

    /// Parses a calendar date, `YYYY-MM-DD`, as the last millisecond of that day in UTC.
    pub fn parse_end_of_day(date: &str) -> Option<Self> {
        Self::parse(&format!("{date}T00:00:00Z")).map(|midnight| midnight.plus(DAY - 1))
    }

    /// Formats as RFC 3339 in UTC with milliseconds, e.g. `2026-11-23T16:46:48.250Z`. Every text
    /// has 24 characters, so texts sort as times do.
    ///
    /// Times before the year 0 or after 9999 become the earliest or latest time with a text.
    pub fn rfc3339(self) -> String {
        let moment = self.calendar();
        let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
        let (hour, minute, second, milli) = (moment.hour(), moment.minute(), moment.second(), moment.millisecond());
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }

    /// Formats like [`Self::rfc3339`] without trailing zeros in the fraction, e.g.
    /// `2026-11-23T16:46:48Z`. Export files and older entries of the audit trail have this form.
    pub fn rfc3339_shortest(self) -> String {
        let text = self.rfc3339();
        let digits = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
        format!("{digits}Z")
    }

    /// Formats for people, in UTC: `23 Nov 2026`.
    pub fn day_month_year(self) -> String {
        let moment = self.calendar();
        let month: String = moment.month().to_string().chars().take(3).collect();
        format!("{} {month} {}", moment.day(), moment.year())
    }

    /// Formats for people: `23 Nov 2026 UTC`.
    pub fn day_in_utc(self) -> String {
        format!("{} UTC", self.day_month_year())
    }

    /// Formats for people, in UTC: `23 Nov 2026, 16:46 UTC`.
    pub fn day_and_time(self) -> String {
        let moment = self.calendar();
        format!("{}, {:02}:{:02} UTC", self.day_month_year(), moment.hour(), moment.minute())
    }

    /// Formats for people, in UTC: `16:46:48`.
    pub fn time_of_day(self) -> String {
        let moment = self.calendar();
        format!("{:02}:{:02}:{:02}", moment.hour(), moment.minute(), moment.second())
    }

    /// Rounds up to a whole second. A change effective at `self` is effective at the result as
    /// well.
    #[must_use]
    pub const fn rounded_up_to_second(self) -> Self {
        Self(whole_seconds(self.0) * SECOND)
    }

    /// Day of the month in UTC, from 1.
    pub fn day_of_month(self) -> u8 {
        self.calendar().day()
    }

    fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.clamp(FIRST, LAST).0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(UtcOffset::UTC)
    }
}

/// Serialises an optional time in the form of [`Timestamp::rfc3339_shortest`].
pub fn serialize_shortest<T: Copy + Into<Option<Timestamp>>, S: Serializer>(
    moment: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (*moment).into().map(Timestamp::rfc3339_shortest).serialize(serializer)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.rfc3339())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Self::parse(&text).ok_or_else(|| D::Error::custom(NOT_A_TIME))
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_agree() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_452_408_000, "2026-11-23T16:46:48.000Z"),
            (1_795_452_408_200, "2026-11-23T16:46:48.200Z"),
            (1_795_452_408_250, "2026-11-23T16:46:48.250Z"),
            (1_795_452_408_007, "2026-11-23T16:46:48.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            let moment = Timestamp::from_millis(millis);
            assert_eq!(moment.rfc3339(), text);
            assert_eq!(Timestamp::parse(text), Some(moment));
            let shortest = moment.rfc3339_shortest();
            assert_eq!(Timestamp::parse(&shortest), Some(moment), "{shortest}");
        }
        for (millis, text) in [(1_795_452_408_000, "48Z"), (1_795_452_408_250, "48.25Z"), (1_795_452_400_000, "40Z")] {
            assert!(Timestamp::from_millis(millis).rfc3339_shortest().ends_with(text), "{text}");
        }
    }

    #[test]
    fn offsets_are_understood_and_nonsense_is_not() {
        assert_eq!(Timestamp::parse("2026-11-23T18:46:48+02:00"), Timestamp::parse("2026-11-23T16:46:48Z"));
        for text in ["", "tomorrow", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23 16:46"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_moment_has_a_text_that_is_read_back() {
        for text in ["0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"] {
            assert_eq!(Timestamp::parse(text).map(Timestamp::rfc3339).as_deref(), Some(text));
        }
        for text in ["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01"] {
            assert_eq!(Timestamp::parse(text), None, "{text} is in a year without a text in UTC");
        }
        for (millis, nearest) in [(i64::MIN, FIRST), (FIRST.0 - 1, FIRST), (LAST.0 + 1, LAST), (i64::MAX, LAST)] {
            assert_eq!(Timestamp::parse(&Timestamp(millis).rfc3339()), Some(nearest), "{millis}");
        }
        assert_eq!(Timestamp::parse_end_of_day("9999-12-31"), Some(LAST));
    }

    #[test]
    fn a_date_lasts_until_its_last_millisecond() {
        assert_eq!(
            Timestamp::parse_end_of_day("2026-12-31"),
            Timestamp::parse("2027-01-01T00:00:00Z").map(|next| next.plus(-1))
        );
        assert_eq!(Timestamp::parse_end_of_day("2026-02-30"), None);
    }

    #[test]
    fn people_read_days() {
        let moment = Timestamp::from_millis(1_795_452_408_000);
        assert_eq!(moment.day_month_year(), "23 Nov 2026");
        assert_eq!(moment.day_and_time(), "23 Nov 2026, 16:46 UTC");
        assert_eq!(moment.time_of_day(), "16:46:48");
    }

    #[test]
    fn a_moment_within_a_second_is_rounded_up_to_the_next() {
        for (millis, second) in
            [(0, 0), (1, 1_000), (999, 1_000), (1_000, 1_000), (1_001, 2_000), (-1, 0), (-1_000, -1_000)]
        {
            assert_eq!(Timestamp(millis).rounded_up_to_second(), Timestamp(second), "{millis}");
        }
        for far in [i64::MIN, i64::MAX] {
            assert_eq!(Timestamp(far).rounded_up_to_second().0 / DAY, far / DAY, "{far}");
        }
    }
}
