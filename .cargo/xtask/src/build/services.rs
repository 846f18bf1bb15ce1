//! Builds the demo services, for this machine. They are the same in every mode.

use crate::{failure::Failure, packages::Packages, place::target, step::Steps};
use std::path::PathBuf;

/// The program.
pub fn program() -> PathBuf {
    target().join("debug/ownchat-services")
}

/// Builds the program.
pub fn build(steps: Steps) -> Result<(), Failure> {
    let mut command = Packages::read()?.on_server(&["build", "--quiet", "--bin", "ownchat-services"]);
    steps.run("build the demo services", &mut command, "see the compiler's message above")
}
