//! Builds the demo services for this machine. Both modes share one build.

use crate::{failure::Failure, packages::Packages, paths::target, step::Steps};
use std::path::PathBuf;

/// Returns the path of the program.
pub fn program() -> PathBuf {
    target().join("debug/ownchat-services")
}

pub fn build(steps: Steps) -> Result<(), Failure> {
    let mut command = Packages::read()?.on_server(&["build", "--quiet", "--bin", "ownchat-services"]);
    steps.run("build the demo services", &mut command, "see the compiler's message above")
}
