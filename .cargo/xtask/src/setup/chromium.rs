//! A browser for the tests.

use super::apt;
use crate::{failure::Failure, place::on_path};
use std::path::PathBuf;

/// Names under which it is installed.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Debian's package, and a font for it to write with.
const PACKAGES: &[&str] = &["chromium", "fonts-dejavu-core"];

/// The browser's program.
pub fn find_or_install() -> Result<PathBuf, Failure> {
    let find = || NAMES.iter().find_map(|name| on_path(name));
    if let Some(program) = find() {
        return Ok(program);
    }
    apt::install(PACKAGES)?;
    find().ok_or_else(|| {
        Failure::new("find Chromium", "it was installed and is not on the PATH", "install Chromium by hand")
    })
}
