//! Finds or installs Node, which runs the local Workers runtime and the browser tests.
//! Uses the machine's own if recent enough, else installs a copy in the cache.

use crate::{
    failure::Failure,
    paths::{cache, on_path},
    step::{Steps, output},
    versions::{NODE, NODE_MIN},
};
use std::{fs, path::PathBuf, process::Command};

/// Returns the path of Node.
pub fn find_or_install() -> Result<PathBuf, Failure> {
    if let Some(node) = on_path("node").filter(|node| major(node).is_some_and(|major| major >= NODE_MIN)) {
        return Ok(node);
    }
    let folder = cache().join(format!("node-{NODE}"));
    let node = folder.join("node_modules/.bin/node");
    if major(&node).is_none() {
        let step = format!("install Node {NODE} (once; this machine has none from {NODE_MIN} on)");
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::new(&step, error.to_string(), "see whether the disk is full"))?;
        let mut install = Command::new("npm");
        install.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", "."]);
        Steps::Sequential.run(
            &step,
            install.arg(format!("node@{NODE}")),
            "see npm's message above, or install a newer Node by hand",
        )?;
    }
    Ok(node)
}

/// Returns the major version of a program.
fn major(node: &PathBuf) -> Option<u32> {
    output(Command::new(node).arg("--version"))?.strip_prefix('v')?.split('.').next()?.parse().ok()
}
