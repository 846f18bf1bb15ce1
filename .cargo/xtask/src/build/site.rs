//! The browser's files, as published: their folder and their version.

use super::Mode;
use crate::failure::Failure;
use std::{fs, io, path::PathBuf};

/// Returns the folder of the browser's files. Files in `assets/<version>/` are immutable.
pub fn site(mode: Mode) -> PathBuf {
    mode.folder().join("site")
}

/// Returns the version of the last build of the browser's files: a hash of their content.
pub fn site_version(mode: Mode) -> Result<String, Failure> {
    fs::read_to_string(version_file(mode))
        .map_err(|error| Failure::new("find the browser's files", error.to_string(), "start without --no-build"))
}

/// Returns the file that holds the version. It is missing while the files are unpublished.
pub fn version_file(mode: Mode) -> PathBuf {
    mode.folder().join("site-version")
}

/// Removes all versions but the current one. Pages of a running deployment may still load them.
pub fn forget_old_sites(mode: Mode) -> Result<(), Failure> {
    let current = site_version(mode)?;
    let site = site(mode);
    let failed =
        |error: io::Error| Failure::new("tidy up", error.to_string(), format!("remove the folder {}", site.display()));
    for version in fs::read_dir(site.join("assets")).map_err(failed)?.flatten() {
        if version.file_name() != current.as_str() {
            fs::remove_dir_all(version.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Marks the browser's files as unpublished.
pub fn forget_version(mode: Mode) {
    let _ = fs::remove_file(version_file(mode));
}
