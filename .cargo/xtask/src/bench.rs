//! `cargo xtask bench`: benchmarks the edge beside other Workers, in processor time and operations.

use crate::{
    build::{self, Mode, part::Part},
    cargo::cargo,
    failure::Failure,
    paths::{root, target},
    setup,
    step::Steps,
    test::{SIMULATION, TESTS_REMEDY},
};
use std::{fs, io, path::Path};

/// The proof that measures the delay until a revoked key is refused everywhere.
const REVOCATION: &str = "revocation::a_revoked_key_is_refused_everywhere_in_time";

/// The figures that the docs show.
const TABLE: &str = "app/docs/data/bench.json";

/// The file that the proof writes.
const SLOWEST: &str = "revocation.json";

/// Builds the Workers, runs the revocation proof, and runs the benchmark driver.
///
/// The driver prints the table and writes `target/bench/summary.json`, which becomes the table of
/// the docs. A missed goal is marked but is no failure. A failed proof is.
pub fn run_all() -> Result<(), Failure> {
    let tools = setup::tools()?;
    build::parts(&[Part::Vault, Part::Edge], &tools, Mode::Release, Steps::Sequential)?;
    let folder = target().join("bench");
    let mut driver = cargo(&["build", "--quiet", "--release", "--package", "ownchat-bench"]);
    Steps::Sequential.run("build the driver", &mut driver, "see the compiler's message above")?;
    let mut driver = cargo(&["run", "--quiet", "--release", "--package", "ownchat-bench", "--"]);
    let measure = || Steps::Sequential.run("measure", driver.arg(&folder), "see the driver's message above");
    all_the_same(revoke(&folder), measure)?;
    let table = root().join(TABLE);
    let copy = || {
        fs::create_dir_all(table.parent().unwrap_or(&table))?;
        fs::copy(folder.join("summary.json"), &table)
    };
    let failed = |error: io::Error| Failure::new("write the table of the docs", error.to_string(), "see the disk");
    copy().map(drop).map_err(failed)
}

/// Measures even after a failed proof, and returns that failure in the end.
fn all_the_same(proof: Result<(), Failure>, measure: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    if let Err(failure) = &proof {
        eprintln!("{failure}");
    }
    measure()?;
    proof
}

/// Measures the delay of revocations in the simulation.
///
/// A failed proof leaves the figure that exceeded its limit, or none; the table shows either.
fn revoke(folder: &Path) -> Result<(), Failure> {
    // A figure from an earlier run must not count for this one.
    let _ = fs::remove_file(folder.join(SLOWEST));
    let mut proof =
        cargo(&["test", "--quiet", "--package", SIMULATION, "--test", "proofs", "--", "--exact", REVOCATION]);
    Steps::Sequential.run("revoke keys in the simulation", proof.env("PROVE_FOLDER", folder), TESTS_REMEDY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_proof_is_a_failure_though_everything_was_measured() {
        let fails = |step: &str| Err(Failure::new(step, "", ""));
        for (proof, measured, expected) in [
            (Ok(()), Ok(()), None),
            (fails("prove"), Ok(()), Some("prove")),
            (Ok(()), fails("measure"), Some("measure")),
            (fails("prove"), fails("measure"), Some("measure")),
        ] {
            let mut ran = false;
            let outcome = all_the_same(proof, || {
                ran = true;
                measured
            });
            assert!(ran);
            assert_eq!(outcome.err().map(|failure| failure.step).as_deref(), expected);
        }
    }
}
