//! Paths: the checkout, the build output, and the cache outside the checkout.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Returns the root of the workspace.
pub fn root() -> PathBuf {
    // The root is two levels above this package.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Returns the folder for build output.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Returns the cache folder: `OWNCHAT_CACHE`, or `ownchat-keys` in the user's cache folder.
pub fn cache() -> PathBuf {
    let under = |name: &str| env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    under("OWNCHAT_CACHE")
        .or_else(|| under("XDG_CACHE_HOME").map(|dir| dir.join("ownchat-keys")))
        .or_else(|| under("HOME").map(|home| home.join(".cache/ownchat-keys")))
        .unwrap_or_else(|| root().join("target/cache"))
}

/// Finds a program on the `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
