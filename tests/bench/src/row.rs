//! A row of the result, in the table and as JSON.

use crate::figures;
use serde::Serialize;
use std::fmt::{self, Write as _};

/// A goal of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Our figure is at most this multiple of the peer's.
    Ratio(f64),
    /// Our figure is at most this.
    AtMost(f64),
    /// Our figure is exactly this.
    Exactly(f64),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(most) => write!(f, "≤ {most:.2}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::Exactly(value) => write!(f, "= {value}"),
        }
    }
}

impl Serialize for Goal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One row of the result.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Id in the list of goals, with a suffix if a goal has several rows.
    pub id: String,
    /// Description of the figure.
    pub what: String,
    /// Our figure; none if it was not measured.
    pub ours: Option<f64>,
    /// Figure of the peer, if there is one.
    pub peer: Option<f64>,
    /// Our figure divided by the peer's.
    pub ratio: Option<f64>,
    /// The goal; none for a row that explains another.
    pub goal: Option<Goal>,
    /// Unit of both figures.
    pub unit: &'static str,
    /// True if the measured subject did something wrong, regardless of its figure. The JSON has
    /// this field only if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wrong: bool,
}

/// A row of the JSON: with `reached`, which is `null` without a goal.
#[derive(Debug, Serialize)]
pub struct Judged<'a> {
    /// The row.
    #[serde(flatten)]
    pub row: &'a Row,
    /// True if the goal is reached.
    pub reached: Option<bool>,
}

impl Row {
    /// A row without a peer.
    pub fn alone(id: &str, what: impl Into<String>, ours: Option<f64>, goal: Option<Goal>, unit: &'static str) -> Self {
        Self { id: id.into(), what: what.into(), ours, peer: None, ratio: None, goal, unit, wrong: false }
    }

    /// A row with a peer, in microseconds of CPU time.
    pub fn compared(id: &str, what: impl Into<String>, ours: f64, peer: f64, goal: Option<Goal>) -> Self {
        let ratio = figures::ratio(ours, peer);
        let (ours, peer) = (Some(ours), Some(peer));
        Self { id: id.into(), what: what.into(), ours, peer, ratio, goal, unit: "µs", wrong: false }
    }

    /// Returns true if the goal is reached; none without a goal. A row that was not measured or is
    /// wrong misses its goal.
    pub fn is_reached(&self) -> Option<bool> {
        Some(match self.goal? {
            _ if self.wrong => false,
            Goal::Ratio(most) => self.ratio.is_some_and(|ratio| ratio <= most),
            Goal::AtMost(most) => self.ours.is_some_and(|ours| ours <= most),
            Goal::Exactly(value) => self.ours.is_some_and(|ours| ours.total_cmp(&value).is_eq()),
        })
    }
}

/// Formats the rows as a table.
pub fn table(rows: &[Row]) -> String {
    let figure = |value: Option<f64>, digits| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"));
    let wide = |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (id, what) = (wide(|row| &row.id), wide(|row| &row.what));
    let mut out =
        format!("{:id$}  {:what$}  {:>8}  {:>8}  {:4}  {:>6}  {:>7}\n", "", "", "ours", "peer", "", "ratio", "goal");
    for row in rows {
        let digits = usize::from(row.unit == "µs");
        let goal = row.goal.map_or_else(String::new, |goal| goal.to_string());
        let mark = match row.is_reached() {
            _ if row.wrong => "WRONG",
            Some(true) => "reached",
            Some(false) if row.ours.is_none() => "not measured",
            Some(false) => "NOT REACHED",
            None => "",
        };
        let line = format!(
            "{:id$}  {:what$}  {:>8}  {:>8}  {:4}  {:>6}  {goal:>7}  {mark}",
            row.id,
            row.what,
            figure(row.ours, digits),
            figure(row.peer, digits),
            row.unit,
            figure(row.ratio, 2),
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reached(ours: f64, peer: f64, goal: Goal) -> Option<bool> {
        Row::compared("E1", "", ours, peer, Some(goal)).is_reached()
    }

    #[test]
    fn a_goal_is_reached_up_to_its_bound() {
        assert_eq!(reached(115.0, 100.0, Goal::Ratio(1.15)), Some(true));
        assert_eq!(reached(115.1, 100.0, Goal::Ratio(1.15)), Some(false));
        assert_eq!(reached(1.0, 0.0, Goal::Ratio(1.15)), Some(false), "without a peer nothing is reached");
        assert_eq!(reached(5.0, 0.0, Goal::AtMost(5.0)), Some(true));
        assert_eq!(reached(5.1, 0.0, Goal::AtMost(5.0)), Some(false));
        assert_eq!(reached(0.0, 0.0, Goal::Exactly(0.0)), Some(true));
        assert_eq!(reached(1.0, 0.0, Goal::Exactly(0.0)), Some(false));
        assert_eq!(Row::alone("E9", "", None, Some(Goal::AtMost(5.0)), "ms").is_reached(), Some(false));
        assert_eq!(Row::alone("E5", "", None, Some(Goal::Exactly(0.0)), "").is_reached(), Some(false));
        assert_eq!(Row::compared("E1", "", 1.0, 1.0, None).is_reached(), None);
    }

    #[test]
    fn programs_read_these_fields() {
        let compared = Row::compared("E1", "verify", 150.0, 100.0, Some(Goal::Ratio(1.15)));
        let counted = Row::alone("E5", "reads", Some(0.0), Some(Goal::Exactly(0.0)), "reads");
        let wrong = Row { wrong: true, ..Row::alone("E9", "slowest", Some(5.1), Some(Goal::AtMost(5.3)), "s") };
        assert_eq!(
            serde_json::to_value([compared, counted, wrong]).unwrap(),
            json!([
                {"id": "E1", "what": "verify", "ours": 150.0, "peer": 100.0, "ratio": 1.5, "goal": "≤ 1.15", "unit": "µs"},
                {"id": "E5", "what": "reads", "ours": 0.0, "peer": null, "ratio": null, "goal": "= 0", "unit": "reads"},
                {"id": "E9", "what": "slowest", "ours": 5.1, "peer": null, "ratio": null, "goal": "≤ 5.3", "unit": "s", "wrong": true},
            ])
        );
    }

    #[test]
    fn missed_goals_are_marked_in_the_table() {
        let rows = [
            Row::compared("E1", "verify", 150.0, 100.0, Some(Goal::Ratio(1.15))),
            Row::alone("E9", "revocation", None, Some(Goal::AtMost(5_000.0)), "ms"),
            Row::compared("E1", "more", 150.0, 100.0, None),
            Row { wrong: true, ..Row::compared("E1", "worse", 100.0, 100.0, Some(Goal::Ratio(1.15))) },
        ];
        assert_eq!(rows[3].is_reached(), Some(false));
        let table = table(&rows);
        let lines: Vec<&str> = table.lines().skip(1).collect();
        assert!(lines[0].ends_with("1.50   ≤ 1.15  NOT REACHED"), "{table}");
        assert!(lines[1].ends_with("not measured"), "{table}");
        assert!(lines[2].ends_with("1.50"), "{table}");
        assert!(lines[3].ends_with("1.00   ≤ 1.15  WRONG"), "{table}");
    }
}
