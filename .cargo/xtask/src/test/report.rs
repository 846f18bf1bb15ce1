//! Reports the duration of each stage beside its budget.

use super::stages::Stage;
use crate::{
    paths::target,
    step::{now, say},
};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Budget of a full `cargo xtask test` in seconds, without builds.
const BUDGET: u64 = 720;

/// The durations of one run.
#[derive(Debug)]
pub struct Report {
    begin: Instant,
    is_everything: bool,
    rows: Mutex<Vec<Row>>,
}

#[derive(Clone, Debug)]
struct Row {
    stage: &'static str,
    seconds: f64,
    budget: u64,
    passed: bool,
}

impl Report {
    /// Starts the clock.
    pub fn open(is_everything: bool) -> Self {
        Self { begin: now(), is_everything, rows: Mutex::default() }
    }

    /// Adds a completed stage.
    pub fn note(&self, stage: &Stage, took: Duration, passed: bool) {
        let row = Row { stage: stage.name, seconds: took.as_secs_f64(), budget: stage.budget, passed };
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }

    /// Prints the table and writes it to `target/test/seconds.json`.
    ///
    /// Budgets are reported, not enforced: machines differ.
    pub fn close(&self) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let passed = rows.iter().all(|row| row.passed);
        let whole = Row { stage: "whole", seconds: self.begin.elapsed().as_secs_f64(), budget: BUDGET, passed };
        if self.is_everything {
            rows.push(whole);
        }
        say(&format!("\n── seconds\n{}", table(&rows).trim_end()));
        let file = target().join("test/seconds.json");
        let json: Vec<Value> = rows
            .iter()
            .map(|row| json!({"stage": row.stage, "seconds": row.seconds, "budget": row.budget, "passed": row.passed}))
            .collect();
        let write = || {
            fs::create_dir_all(file.parent().unwrap_or(&file))?;
            fs::write(&file, format!("{:#}\n", Value::from(json)))
        };
        if let Err(error) = write() {
            say(&format!("{} could not be written: {error}", file.display()));
        }
    }
}

fn table(rows: &[Row]) -> String {
    rows.iter().fold(String::new(), |mut table, row| {
        let note = match (row.passed, row.seconds > Duration::from_secs(row.budget).as_secs_f64()) {
            (false, _) => ", failed",
            (true, true) => ", over its budget",
            (true, false) => "",
        };
        let _ = writeln!(table, "{:<9}{:>7.1} of {:>4}{note}", row.stage, row.seconds, row.budget);
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_takes_too_long_is_marked() {
        let row = |stage, seconds, passed| Row { stage, seconds, budget: 60, passed };
        let rows = [row("lint", 59.96, true), row("api", 61.0, true), row("proofs", 3.25, false)];
        let expected =
            "lint        60.0 of   60\napi         61.0 of   60, over its budget\nproofs       3.2 of   60, failed\n";
        assert_eq!(table(&rows), expected);
    }
}
