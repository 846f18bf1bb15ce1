//! Finds or installs the formatter, the linter, and the programs that the examples of the docs use.

use super::apt;
use crate::{
    cargo::cargo,
    failure::Failure,
    paths::on_path,
    step::{Steps, output},
};
use std::process::Command;

/// Each component by its cargo command, its rustup name, and its Debian package.
const COMPONENTS: &[(&str, &str, &str)] = &[("fmt", "rustfmt", "rustfmt-web"), ("clippy", "clippy", "rust-web-clippy")];

/// Programs of the examples in the docs, by the names of their Debian packages. The API tests also
/// call from other IP addresses with curl.
const PROGRAMS: &[&str] = &["curl", "jq", "openssl"];

/// Finds or installs rustfmt, clippy and the programs.
pub fn find_or_install() -> Result<(), Failure> {
    for (command, component, package) in COMPONENTS {
        if output(&mut cargo(&[command, "--version"])).is_some() {
            continue;
        }
        if on_path("rustup").is_some() {
            Steps::Sequential.run(
                &format!("add {component} to the toolchain"),
                Command::new("rustup").args(["component", "add", component]),
                "see rustup's message above",
            )?;
        } else {
            apt::install(&[package])?;
        }
    }
    let missing: Vec<&str> = PROGRAMS.iter().copied().filter(|program| on_path(program).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { apt::install(&missing) }
}
