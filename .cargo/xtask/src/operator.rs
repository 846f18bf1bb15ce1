//! Starts the operator program, a separate crate because it depends on the domain.
//! The first command in a clean checkout must not wait for the domain to compile.

use crate::{failure::Failure, paths::root};
use std::{env, process::Command};

/// Runs the operator program in the current folder. Passes its output through and returns its exit
/// code.
pub fn run(words: &[&str]) -> Result<u8, Failure> {
    let failed = |why: String| Failure::new("run the operator's program", why, "see whether cargo is on the PATH");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--package", "ownchat-operator", "--manifest-path"]);
    let status = cargo.arg(root().join("Cargo.toml")).arg("--").args(words).status();
    let status = status.map_err(|error| failed(error.to_string()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
