//! Checks of third-party crates: licences, sources and bans by `.deny.toml`, and dependencies that
//! no code uses.

use crate::{failure::Failure, paths::root, setup, step::Steps};
use std::process::Command;

/// Checks the crates of `Cargo.lock` and the manifests of all packages.
///
/// Advisories are not checked here, because their database is not on a package registry. Where it
/// can be reached, `cargo deny check advisories` reads it.
pub fn check(steps: Steps) -> Result<(), Failure> {
    let programs = setup::crate_checks()?;
    let mut licences = Command::new(programs.join("cargo-deny"));
    licences.current_dir(root()).args(["--log-level", "error", "check", "--hide-inclusion-graph"]);
    licences.args(["licenses", "bans", "sources"]);
    steps.run("check third-party crates", &mut licences, "see .deny.toml for the rules")?;
    let mut unused = Command::new(programs.join("cargo-machete"));
    unused.current_dir(root()).args(["--skip-target-dir", "."]);
    steps.run("find unused dependencies", &mut unused, "remove them from the manifests that are named above")
}
