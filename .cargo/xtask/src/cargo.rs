//! Runs cargo.

use crate::paths::root;
use std::{env, process::Command};

/// Returns a cargo command at the workspace root, with the toolchain that runs this program.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words);
    command
}
