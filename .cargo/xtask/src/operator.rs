//! What operators do without the deployment is a program of its own: it needs the domain, and the first command
//! of a clean checkout must not wait for that to be compiled.

use crate::{failure::Failure, place::root};
use std::{env, process::Command};

/// Runs the operator's program with these words, in the folder of the caller, to whom its output and its exit
/// code go.
pub fn run(words: &[&str]) -> Result<u8, Failure> {
    let failed = |why: String| Failure::new("run the operator's program", why, "see whether cargo is on the PATH");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--package", "ownchat-operator", "--manifest-path"]);
    let status = cargo.arg(root().join("Cargo.toml")).arg("--").args(words).status();
    let status = status.map_err(|error| failed(error.to_string()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
