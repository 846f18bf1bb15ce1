//! Use over time, as the vault answers and as people and programs read it.

use super::{Parts, Span, Step};
use crate::{
    scope::{Scope, ScopeSet},
    time::Timestamp,
    verdict::Code,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the vault answers: only steps with calls, and numbers for names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// What it is about.
    pub span: Span,
    /// Steps with calls, in order.
    pub points: Vec<Point>,
}

/// Calls of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// When the step begins.
    pub at: Timestamp,
    /// Calls by the number of their outcome.
    pub outcomes: Parts,
    /// Calls by the bit of each scope that they needed.
    pub scopes: Parts,
}

/// Use over time, with every step in it and everything under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// When the first step begins.
    pub from: Timestamp,
    /// When the last step ends.
    pub to: Timestamp,
    /// The length of a step.
    pub step: Step,
    /// All steps together.
    pub totals: Calls,
    /// Every step, the eldest first, those without calls too.
    pub series: Vec<Entry>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When it begins.
    pub at: Timestamp,
    /// Its calls.
    #[serde(flatten)]
    pub calls: Calls,
}

/// Calls by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// All of them.
    pub total: u64,
    /// By outcome; their sum is the total.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By scope that was needed. A call that needed several counts under each, one that needed none under none.
    pub scopes: BTreeMap<&'static str, u64>,
}

/// The name of what a later version has counted and this one does not know.
const OTHER: &str = "OTHER";

impl Calls {
    fn add(&mut self, point: &Point) {
        for (number, calls) in &point.outcomes {
            let name = Code::of_number(*number).map_or(OTHER, Code::as_str);
            add(&mut self.outcomes, name, *calls);
            self.total = self.total.saturating_add(*calls);
        }
        for (bit, calls) in &point.scopes {
            let known = ScopeSet::from_known_bits(1u64.checked_shl(u32::from(*bit)).unwrap_or(0));
            let name = known.iter().next().map_or(OTHER, Scope::name);
            add(&mut self.scopes, name, *calls);
        }
    }
}

fn add(parts: &mut BTreeMap<&'static str, u64>, name: &'static str, calls: u64) {
    let sum = parts.entry(name).or_insert(0);
    *sum = sum.saturating_add(calls);
}

impl From<&Series> for Report {
    fn from(series: &Series) -> Self {
        let Span { from, to, step } = series.span;
        let mut totals = Calls::default();
        let mut points = series.points.iter().peekable();
        let entry = |at| {
            let mut calls = Calls::default();
            while let Some(point) = points.next_if(|point| point.at <= at) {
                calls.add(point);
                totals.add(point);
            }
            Entry { at, calls }
        };
        let entries = series.span.steps().map(entry).collect();
        Self { from, to, step, totals, series: entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scopes;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_report_has_no_gaps_and_names_everything() {
        let span =
            Span { from: time("2026-11-24T10:00:00.000Z"), to: time("2026-11-24T13:00:00.000Z"), step: Step::Hour };
        let bit = |name| u8::try_from(scopes(&[name]).bits().trailing_zeros()).unwrap();
        let point = |at, outcomes: &[(u8, u64)], scopes: &[(u8, u64)]| Point {
            at: time(at),
            outcomes: outcomes.to_vec(),
            scopes: scopes.to_vec(),
        };
        let series = Series {
            span,
            points: vec![
                point("2026-11-24T10:00:00.000Z", &[(Code::Valid.number(), 3), (31, 1)], &[(bit("contacts:read"), 3)]),
                point(
                    "2026-11-24T12:00:00.000Z",
                    &[(Code::Valid.number(), 1), (Code::RateLimited.number(), 2)],
                    &[(bit("contacts:read"), 1), (bit("messages:send"), 2), (52, 1)],
                ),
            ],
        };
        let json = serde_json::to_value(Report::from(&series)).unwrap();
        let expected = serde_json::json!({
            "from": "2026-11-24T10:00:00.000Z", "to": "2026-11-24T13:00:00.000Z", "step": "hour",
            "totals": {
                "total": 7,
                "outcomes": {"VALID": 4, "RATE_LIMITED": 2, "OTHER": 1},
                "scopes": {"contacts:read": 4, "messages:send": 2, "OTHER": 1},
            },
            "series": [
                {"at": "2026-11-24T10:00:00.000Z", "total": 4, "outcomes": {"VALID": 3, "OTHER": 1}, "scopes": {"contacts:read": 3}},
                {"at": "2026-11-24T11:00:00.000Z", "total": 0, "outcomes": {}, "scopes": {}},
                {"at": "2026-11-24T12:00:00.000Z", "total": 3, "outcomes": {"VALID": 1, "RATE_LIMITED": 2},
                 "scopes": {"contacts:read": 1, "messages:send": 2, "OTHER": 1}},
            ],
        });
        assert_eq!(json, expected);
    }

    /// Vault and console are deployed at different moments.
    #[test]
    fn the_answer_of_the_vault_is_read_back() {
        let span =
            Span { from: time("2026-11-24T10:00:00.000Z"), to: time("2026-11-24T13:00:00.000Z"), step: Step::Minute };
        let point = Point { at: span.from, outcomes: vec![(0, 3)], scopes: vec![(52, 3)] };
        let series = Series { span, points: vec![point] };
        let text = r#"{"span":{"from":"2026-11-24T10:00:00.000Z","to":"2026-11-24T13:00:00.000Z","step":"minute"},"points":[{"at":"2026-11-24T10:00:00.000Z","outcomes":[[0,3]],"scopes":[[52,3]]}]}"#;
        assert_eq!(serde_json::to_string(&series).unwrap(), text);
        assert_eq!(serde_json::from_str::<Series>(text).unwrap(), series);
    }
}
