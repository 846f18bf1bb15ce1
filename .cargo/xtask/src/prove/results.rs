//! Results of the proofs, for the table of the docs.

use super::list::Proof;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Result of a proof.
#[derive(Debug)]
pub struct Outcome {
    proof: &'static Proof,
    passed: bool,
    seconds: f64,
}

impl Outcome {
    /// The result of a proof that passed.
    pub const fn passed(proof: &'static Proof, seconds: f64) -> Self {
        Self { proof, passed: true, seconds }
    }

    /// The row of the docs. `date` is the day of the run.
    pub fn row(&self, date: &str) -> Value {
        let Proof { name, promise, size, .. } = self.proof;
        let result = if self.passed { "passed" } else { "failed" };
        let seconds = (self.seconds * 10.0).round() / 10.0;
        json!({"name": name, "promise": promise, "size": size, "result": result, "seconds": seconds, "date": date})
    }
}

/// Reads the results of `proofs` from the lines of the test runner, each with the seconds at which
/// it came. All run concurrently, so the seconds of a proof are those until its last test ended.
///
/// # Errors
/// Names a test without a proof, and a proof without a result.
pub fn read(proofs: &'static [Proof], lines: &[(String, f64)]) -> Result<Vec<Outcome>, String> {
    let begin = lines.iter().find(|(line, _)| line.starts_with("running ")).map_or(0.0, |(_, seconds)| *seconds);
    let mut outcomes: BTreeMap<&str, Outcome> = BTreeMap::new();
    for (line, at) in lines {
        let Some((test, result)) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")) else {
            continue;
        };
        let proof = proof_of(proofs, test).ok_or_else(|| format!("no proof in prove/list.rs has the test {test}"))?;
        let outcome = outcomes.entry(proof.name).or_insert(Outcome::passed(proof, 0.0));
        outcome.passed &= result == "ok";
        outcome.seconds = outcome.seconds.max(at - begin);
    }
    let result = |proof: &Proof| outcomes.remove(proof.name).ok_or_else(|| format!("{} has no result", proof.name));
    proofs.iter().map(result).collect()
}

/// Returns the proof with the longest name that the path of a test begins with.
fn proof_of(proofs: &'static [Proof], test: &str) -> Option<&'static Proof> {
    let is_in = |proof: &&Proof| test.strip_prefix(proof.name).is_some_and(|rest| rest.starts_with("::"));
    proofs.iter().filter(is_in).max_by_key(|proof| proof.name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROOFS: &[Proof] = &[
        Proof { name: "a", promise: "A.", size: "1", tests: &[] },
        Proof { name: "a::b", promise: "B.", size: "2", tests: &[] },
    ];

    fn rows(lines: &[(&str, f64)]) -> Result<Vec<Value>, String> {
        let lines: Vec<_> = lines.iter().map(|(line, at)| ((*line).to_owned(), *at)).collect();
        Ok(read(PROOFS, &lines)?.iter().map(|outcome| outcome.row("2026-11-30")).collect())
    }

    #[test]
    fn a_proof_passes_if_each_of_its_tests_does() {
        let lines = [
            ("running 3 tests", 2.0),
            ("test a::one ... ok", 3.0),
            ("test a::b::two ... FAILED", 9.04),
            ("test a::three has been running for over 60 seconds", 62.0),
            ("test a::three ... ok", 70.5),
        ];
        let row = |name, promise, size, result, seconds: f64| json!({"name": name, "promise": promise, "size": size, "result": result, "seconds": seconds, "date": "2026-11-30"});
        assert_eq!(rows(&lines).unwrap(), [row("a", "A.", "1", "passed", 68.5), row("a::b", "B.", "2", "failed", 7.0)]);
    }

    #[test]
    fn a_test_without_proof_and_a_proof_without_result_are_named() {
        assert!(rows(&[("test c::one ... ok", 1.0)]).unwrap_err().contains("c::one"));
        assert!(rows(&[("test a::one ... ok", 1.0)]).unwrap_err().contains("a::b"));
        assert!(rows(&[("test ab::one ... ok", 1.0)]).unwrap_err().contains("ab::one"));
    }
}
