//! Finds or installs Chromium for the browser tests.

use super::apt;
use crate::{failure::Failure, paths::on_path};
use std::path::PathBuf;

/// Program names of Chromium in various distributions.
const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Debian's package, and a font for it to render.
const PACKAGES: &[&str] = &["chromium", "fonts-dejavu-core"];

/// Returns the path of the browser.
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
