//! How cargo is called.

use crate::place::root;
use std::{env, process::Command};

/// `cargo` with these words in the root of the workspace, on the toolchain that runs this.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words);
    command
}
