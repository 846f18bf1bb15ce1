//! `cargo xtask bench`: the edge beside others, measured and counted.

use crate::{
    build::{self, Mode, part::Part},
    cargo::cargo,
    failure::Failure,
    place::target,
    setup,
    step::Steps,
    test::{MEND, SIMULATION},
};
use std::{fs, path::Path};

/// The proof that finds out how long what was revoked is still let through.
const REVOCATION: &str = "revocation::what_was_revoked_is_refused_everywhere_in_time";

/// What it leaves.
const SLOWEST: &str = "revocation.json";

/// Builds what is measured, revokes keys in the simulation, and runs the driver, which prints the table and writes
/// `target/bench/summary.json`. A goal that is not reached is marked, and is no failure; a proof that fails is.
pub fn run_all() -> Result<(), Failure> {
    let tools = setup::tools()?;
    build::parts(&[Part::Vault, Part::Edge], &tools, Mode::Release, Steps::Sequential)?;
    let folder = target().join("bench");
    let mut driver = cargo(&["build", "--quiet", "--release", "--package", "ownchat-bench"]);
    Steps::Sequential.run("build the driver", &mut driver, "see the compiler's message above")?;
    let mut driver = cargo(&["run", "--quiet", "--release", "--package", "ownchat-bench", "--"]);
    let measure = || Steps::Sequential.run("measure", driver.arg(&folder), "see what the driver says above");
    all_the_same(revoke(&folder), measure)
}

/// Measures whether or not the proof has failed, and fails in the end if it has.
fn all_the_same(proof: Result<(), Failure>, measure: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    if let Err(failure) = &proof {
        eprintln!("{failure}");
    }
    measure()?;
    proof
}

/// Finds out how long what was revoked is let through. A proof that fails leaves the figure that it failed by, or none;
/// the table shows either.
fn revoke(folder: &Path) -> Result<(), Failure> {
    // That of an earlier run is not this one's.
    let _ = fs::remove_file(folder.join(SLOWEST));
    let mut proof =
        cargo(&["test", "--quiet", "--package", SIMULATION, "--test", "proofs", "--", "--exact", REVOCATION]);
    Steps::Sequential.run("revoke keys in the simulation", proof.env("PROVE_FOLDER", folder), MEND)
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
