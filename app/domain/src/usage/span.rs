//! The time span of a usage query.

use super::Step;
use crate::{failure::Failure, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Maximum number of points in one response: 60 days by hour, or a day by minute.
const POINTS_MAX: i64 = 1_500;

/// A time span of whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Start of the first step.
    pub from: Timestamp,
    /// End of the last step, exclusive.
    pub to: Timestamp,
    /// Length of the steps.
    pub step: Step,
}

impl Span {
    /// Rounds a query to whole steps that cover `from` to `to`. The span ends with the current step
    /// at the latest, since nothing has happened after it.
    ///
    /// # Errors
    ///
    /// Fails for an empty span, or one with too many points for one response. Also fails for times
    /// before the retention period or in the future.
    pub fn of(
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        step: Option<Step>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let step = step.unwrap_or_default();
        let begin = |number| step.begin(number);
        let oldest = begin(step.number(now.plus(-step.kept_for())));
        let end = begin(step.number(now) + 1);
        let to = to.map_or(end, |to| begin(step.number(to.plus(step.millis() - 1))).min(end));
        let (units, kept, coarser) = step.words();
        let too_old = |field| {
            let or = coarser.map(|word| format!(", or by {word}")).unwrap_or_default();
            let oldest = oldest.rfc3339();
            Err(Failure::field(field, format!("{units} are kept for {kept}. Ask for a time from {oldest} on{or}.")))
        };
        if to <= oldest {
            return too_old("to");
        }
        let from = match from.map(|from| begin(step.number(from))) {
            Some(from) if from < oldest => return too_old("from"),
            Some(from) if from >= end => return Err(Failure::field("from", "This time is still to come.")),
            Some(from) if from >= to => return Err(Failure::field("to", "The end must be later than the beginning.")),
            Some(from) => from,
            None => to.plus(-step.usual_span()).max(oldest),
        };
        let span = Self { from, to, step };
        let points = span.points();
        if points > POINTS_MAX {
            let or = coarser.map(|word| format!(", or by {word}")).unwrap_or_default();
            let message =
                format!("That is {points} points, and an answer has up to {POINTS_MAX}. Ask for less time{or}.");
            return Err(Failure::field("step", message));
        }
        Ok(span)
    }

    /// Number of steps in the span.
    pub const fn points(&self) -> i64 {
        self.to.since(self.from) / self.step.millis()
    }

    /// Returns true if `moment` lies in the span.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.to
    }

    /// Iterates over the start times of the steps.
    pub fn steps(self) -> impl Iterator<Item = Timestamp> {
        (0..self.points()).map(move |number| self.from.plus(number * self.step.millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-24T13:10:20.000Z";

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn ask(from: &str, to: &str, step: Option<Step>) -> Result<(String, String, i64), (String, String)> {
        let given = |text: &str| (!text.is_empty()).then(|| time(text));
        match Span::of(given(from), given(to), step, time(NOW)) {
            Ok(span) => Ok((span.from.rfc3339(), span.to.rfc3339(), span.points())),
            Err(Failure::Invalid { errors }) => Err((errors[0].field.clone(), errors[0].message.clone())),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn spans_cover_whole_steps_and_have_defaults() {
        use Step::{Day, Hour, Minute};
        for (from, to, step, begin, end, points) in [
            ("", "", None, "2026-11-23T14:00:00.000Z", "2026-11-24T14:00:00.000Z", 24),
            ("", "", Some(Minute), "2026-11-24T12:11:00.000Z", "2026-11-24T13:11:00.000Z", 60),
            ("", "", Some(Day), "2026-10-26T00:00:00.000Z", "2026-11-25T00:00:00.000Z", 30),
            ("2026-11-24T10:59:59.999Z", "", None, "2026-11-24T10:00:00.000Z", "2026-11-24T14:00:00.000Z", 4),
            (
                "2026-11-24T10:00:00.000Z",
                "2026-11-24T11:00:00.000Z",
                None,
                "2026-11-24T10:00:00.000Z",
                "2026-11-24T11:00:00.000Z",
                1,
            ),
            (
                "2026-11-24T10:00:00.000Z",
                "2026-11-24T11:00:00.001Z",
                None,
                "2026-11-24T10:00:00.000Z",
                "2026-11-24T12:00:00.000Z",
                2,
            ),
            (
                "2026-11-24T12:00:00+02:00",
                "2030-01-01T00:00:00.000Z",
                None,
                "2026-11-24T10:00:00.000Z",
                "2026-11-24T14:00:00.000Z",
                4,
            ),
            ("", "2026-11-20T00:00:00.000Z", None, "2026-11-19T00:00:00.000Z", "2026-11-20T00:00:00.000Z", 24),
            ("2026-09-25T13:10:00.000Z", "", Some(Hour), "2026-09-25T13:00:00.000Z", "2026-11-24T14:00:00.000Z", 1_441),
            ("2024-11-23T13:10:20.000Z", "", Some(Day), "2024-11-23T00:00:00.000Z", "2026-11-25T00:00:00.000Z", 732),
            // A default start is clamped to the retention period.
            ("", "2026-11-22T13:20:30.000Z", Some(Minute), "2026-11-22T13:10:00.000Z", "2026-11-22T13:21:00.000Z", 11),
        ] {
            assert_eq!(ask(from, to, step), Ok((begin.into(), end.into(), points)), "{from} {to} {step:?}");
        }
    }

    #[test]
    fn a_span_that_is_refused_names_one_that_is_not() {
        use Step::{Day, Hour, Minute};
        for (from, to, step, field, words) in [
            (
                "2026-11-22T13:09:59.000Z",
                "",
                Some(Minute),
                "from",
                "48 hours. Ask for a time from 2026-11-22T13:10:00.000Z on, or by hour.",
            ),
            (
                "2026-09-25T12:59:59.000Z",
                "",
                Some(Hour),
                "from",
                "60 days. Ask for a time from 2026-09-25T13:00:00.000Z on, or by day.",
            ),
            (
                "2024-11-22T23:59:59.000Z",
                "",
                Some(Day),
                "from",
                "two years. Ask for a time from 2024-11-23T00:00:00.000Z on.",
            ),
            ("", "2026-09-25T13:00:00.000Z", Some(Hour), "to", "60 days"),
            ("0000-01-01T00:00:00.000Z", "", None, "from", "60 days"),
            ("2026-11-24T14:00:00.000Z", "", None, "from", "still to come"),
            ("9999-12-31T23:59:59.000Z", "9999-12-31T23:59:59.000Z", Some(Day), "from", "still to come"),
            ("2026-11-24T10:00:00.000Z", "2026-11-24T10:00:00.000Z", None, "to", "later than the beginning"),
            (
                "2026-11-22T13:20:00.000Z",
                "",
                Some(Minute),
                "step",
                "2871 points, and an answer has up to 1500. Ask for less time, or by hour.",
            ),
        ] {
            let (named, message) = ask(from, to, step).unwrap_err();
            assert_eq!(named, field, "{from} {to}: {message}");
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn every_step_of_a_span_begins_where_the_one_before_it_ends() {
        let span = Span::of(None, None, None, time(NOW)).unwrap();
        let steps: Vec<_> = span.steps().collect();
        assert_eq!((steps.len(), steps[0], steps[23].plus(Step::Hour.millis())), (24, span.from, span.to));
        assert!(span.contains(span.from) && !span.contains(span.to));
    }
}
