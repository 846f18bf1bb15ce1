//! Installs the npm packages of one folder, at the versions in its `package-lock.json`.

use crate::{failure::Failure, paths::root, step::Steps};
use std::{fs, process::Command};

/// Installs the packages of `folder` if the lock file has changed since the last installation.
pub fn find_or_install(folder: &str) -> Result<(), Failure> {
    let folder_path = root().join(folder);
    let lock = fs::read(folder_path.join("package-lock.json")).unwrap_or_default();
    let mark = folder_path.join("node_modules/.installed-from");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let step = format!("install the npm packages of {folder}");
    // `npm ci` insists on packages for platforms that some registries omit.
    Steps::Sequential.run(
        &step,
        Command::new("npm").current_dir(&folder_path).args([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]),
        "see npm's message above; npm and a network path to its registry are needed",
    )?;
    fs::write(mark, lock).map_err(|error| Failure::new(step, error.to_string(), "see whether the disk is full"))
}
