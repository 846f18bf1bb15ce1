//! Finds or installs the formatter, the linter, and curl.
//! The API tests call from other IP addresses with curl, which integrators use in a shell.

use super::apt;
use crate::{
    cargo::cargo,
    failure::Failure,
    place::on_path,
    step::{Steps, output},
};
use std::process::Command;

/// Each component by its cargo command, its rustup name, and its Debian package.
const COMPONENTS: &[(&str, &str, &str)] = &[("fmt", "rustfmt", "rustfmt-web"), ("clippy", "clippy", "rust-web-clippy")];

/// Finds or installs rustfmt, clippy and curl.
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
    if on_path("curl").is_none() {
        apt::install(&["curl"])?;
    }
    Ok(())
}
