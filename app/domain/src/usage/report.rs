//! Usage reports: the vault's compact series and the report for people and programs.

use super::{Parts, Span, Step};
use crate::{
    scope::{Scope, ScopeSet},
    time::Timestamp,
    verdict::Code,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The vault's response: only steps with requests, and numbers for names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Time span of the series.
    pub span: Span,
    /// Steps with requests, in order.
    pub points: Vec<Point>,
}

/// Request counts of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Start of the step.
    pub at: Timestamp,
    /// Requests by outcome number.
    pub outcomes: Parts,
    /// Requests by the bit of each scope that they needed.
    pub scopes: Parts,
}

/// Usage over time, with every step and with names for numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Start of the first step.
    pub from: Timestamp,
    /// End of the last step.
    pub to: Timestamp,
    /// Length of a step.
    pub step: Step,
    /// Totals of all steps.
    pub totals: Calls,
    /// All steps, oldest first, including those without requests.
    pub series: Vec<ReportStep>,
}

/// One step of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportStep {
    /// Start of the step.
    pub at: Timestamp,
    /// Requests of the step.
    #[serde(flatten)]
    pub calls: Calls,
}

/// Request counts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Total number of requests.
    pub total: u64,
    /// Requests by outcome; they add up to the total.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Requests by required scope. A request counts under every scope that it needed, or under
    /// none.
    pub scopes: BTreeMap<&'static str, u64>,
}

/// Name for outcomes and scopes that a later version counted and this one does not know.
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
            ReportStep { at, calls }
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

    /// Vault and console are deployed at different times.
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
