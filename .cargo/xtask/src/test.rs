//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to find out.

use crate::{cargo::cargo, failure::Failure, step::run};

/// The packages, each linted and tested by itself: features of one must not leak into another.
const PACKAGES: &[&str] = &["xtask", "ownchat-domain", "ownchat-edge", "ownchat-vault"];

/// Runs all of it.
pub fn run_all() -> Result<(), Failure> {
    run("format", &mut cargo(&["fmt", "--all", "--check"]), "run cargo fmt --all")?;
    for package in PACKAGES {
        run(
            &format!("lint {package}"),
            &mut cargo(&["clippy", "--quiet", "--package", package, "--all-targets", "--", "--deny", "warnings"]),
            "mend what clippy names above",
        )?;
    }
    for package in PACKAGES {
        run(
            &format!("test {package}"),
            &mut cargo(&["test", "--quiet", "--package", package]),
            "see the test that is named above",
        )?;
    }
    println!("\nall good");
    Ok(())
}
