//! Installs programs from crates.io at pinned versions, in the cache.

use crate::{
    failure::Failure,
    paths::cache,
    step::Steps,
    versions::{CARGO_DENY, CARGO_MACHETE, WASM_BINDGEN, WORKER_BUILD},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The programs that build WASM, with their versions.
pub const OF_BUILDS: &[(&str, &str)] = &[("worker-build", WORKER_BUILD), ("wasm-bindgen-cli", WASM_BINDGEN)];
/// The programs that check third-party crates, with their versions.
pub const OF_CHECKS: &[(&str, &str)] = &[("cargo-deny", CARGO_DENY), ("cargo-machete", CARGO_MACHETE)];

/// Returns the folder that holds these programs.
pub fn find_or_install(wanted: &[(&str, &str)]) -> Result<PathBuf, Failure> {
    let home = cache().join("tools");
    let missing: Vec<_> = wanted.iter().filter(|(name, version)| !is_installed(&home, name, version)).collect();
    // A shared build folder compiles their common dependencies once.
    let build = home.join("build");
    for (name, version) in &missing {
        Steps::Sequential.run(
            &format!("install {name} {version} (once, about 2 minutes)"),
            Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                // A release build would take three times as long.
                .args(["install", "--quiet", "--locked", "--debug", "--root"])
                .arg(&home)
                .arg(format!("{name}@{version}"))
                .env("CARGO_TARGET_DIR", &build),
            "see cargo's message above; crates.io must be reachable and a C compiler installed",
        )?;
    }
    if !missing.is_empty() {
        // The build folder is no longer needed. Remains of it do no harm.
        let _ = fs::remove_dir_all(build);
    }
    Ok(home.join("bin"))
}

/// Looks the program up in the file where cargo records its installations.
fn is_installed(home: &Path, name: &str, version: &str) -> bool {
    fs::read_to_string(home.join(".crates.toml")).is_ok_and(|list| list.contains(&format!("\"{name} {version} (")))
}
