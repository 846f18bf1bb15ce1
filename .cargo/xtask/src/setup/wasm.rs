//! Finds or installs the WASM target: a compiler with a standard library for it.
//!
//! Prefers rustup's compiler, if it has the target or can download it. Falls back to Debian's
//! compiler for WASM. Debian ships only the source of its standard library, so this module builds
//! it once.

use super::apt;
use crate::{
    failure::Failure,
    paths::{cache, on_path},
    step::{Steps, attempt, output},
    versions::{DEBIAN_PACKAGES, WASM_TARGET},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Path of Debian's compiler.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// Timeout of rustup's download.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// Returns the folder to prepend to `PATH`, or `None` if the current compiler suffices.
pub fn find_or_install() -> Result<Option<PathBuf>, Failure> {
    if has_std(Path::new("rustc")) {
        return Ok(None);
    }
    if has_std(Path::new(DEBIAN_RUSTC)) {
        return debian_on_path().map(Some);
    }
    if on_path("rustup").is_some() {
        let mut add = Command::new("rustup");
        add.args(["target", "add", WASM_TARGET]).env_remove("RUSTUP_TOOLCHAIN");
        if attempt("fetch the WASM target with rustup", &mut add, RUSTUP_LIMIT) && has_std(Path::new("rustc")) {
            return Ok(None);
        }
        println!("rustup cannot reach its server; taking Debian's compiler for WASM instead");
    }
    apt::install(DEBIAN_PACKAGES)?;
    build_std()?;
    debian_on_path().map(Some)
}

/// Returns true if this compiler has a standard library for WASM of its own version.
fn has_std(rustc: &Path) -> bool {
    let Some(dir) = libdir(rustc) else { return false };
    let holds_std = fs::read_dir(&dir)
        .is_ok_and(|files| files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-")));
    if rustc != Path::new(DEBIAN_RUSTC) {
        return holds_std;
    }
    // A library built here is stale once Debian ships a newer compiler.
    let mark = fs::read_to_string(dir.join(MARK));
    holds_std && mark.is_ok_and(|mark| Some(mark) == version(rustc))
}

/// File that names the compiler which built the standard library beside it.
const MARK: &str = "built-by";

fn libdir(rustc: &Path) -> Option<PathBuf> {
    output(compiler(rustc).args(["--print", "target-libdir", "--target", WASM_TARGET])).map(PathBuf::from)
}

fn version(rustc: &Path) -> Option<String> {
    output(compiler(rustc).arg("-vV"))
}

fn compiler(rustc: &Path) -> Command {
    let mut command = Command::new(rustc);
    command.env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn build_std() -> Result<(), Failure> {
    let step = "build the standard library for WASM (once, about 2 minutes)";
    let failed = |why: String| Failure::new(step, why, "see whether the disk is full and whether you are root");
    let rustc = Path::new(DEBIAN_RUSTC);
    let sysroot = output(compiler(rustc).args(["--print", "sysroot"])).ok_or_else(|| failed("no sysroot".into()))?;
    let work = cache().join("std");
    // Start from an empty folder: two copies of one crate would break the result.
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).map_err(|error| failed(error.to_string()))?;
    Steps::Sequential.run(
        "copy the source of the standard library",
        Command::new("cp").arg("-rL").arg(format!("{sysroot}/lib/rustlib/src/rust/library")).arg(work.join("library")),
        "see whether the package rust-web-src is installed",
    )?;
    Steps::Sequential.run(
        step,
        compiler(Path::new(DEBIAN_CARGO))
            .current_dir(work.join("library/sysroot"))
            .args(["build", "--quiet", "--release", "--locked", "--features", "panic-unwind", "--target", WASM_TARGET])
            .env("CARGO_TARGET_DIR", work.join("target"))
            .env("PATH", with_debian_first())
            .env_remove("CARGO")
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("__CARGO_DEFAULT_LIB_METADATA", "sys")
            .env("RUSTFLAGS", "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes"),
        "see the compiler's message above",
    )?;
    let libdir = libdir(rustc).ok_or_else(|| failed("the compiler names no folder for its libraries".into()))?;
    install(&work.join("target").join(WASM_TARGET).join("release/deps"), &libdir, &version(rustc).unwrap_or_default())
        .map_err(|error| failed(format!("{}: {error}", libdir.display())))?;
    let _ = fs::remove_dir_all(&work);
    Ok(())
}

fn install(built: &Path, libdir: &Path, version: &str) -> std::io::Result<()> {
    if libdir.exists() {
        fs::remove_dir_all(libdir)?;
    }
    fs::create_dir_all(libdir)?;
    for file in fs::read_dir(built)?.flatten() {
        if file.path().extension().is_some_and(|end| end == "rlib") {
            fs::copy(file.path(), libdir.join(file.file_name()))?;
        }
    }
    fs::write(libdir.join(MARK), version)
}

fn with_debian_first() -> std::ffi::OsString {
    let old = env::var_os("PATH").unwrap_or_default();
    env::join_paths([PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&old))).unwrap_or(old)
}

/// Returns a folder with only Debian's compiler: `/usr/bin` first on the `PATH` would shadow much
/// else.
fn debian_on_path() -> Result<PathBuf, Failure> {
    let dir = cache().join("debian/bin");
    let link = || -> std::io::Result<()> {
        fs::create_dir_all(&dir)?;
        for name in ["cargo", "rustc", "rustdoc"] {
            let link = dir.join(name);
            if !link.is_symlink() {
                std::os::unix::fs::symlink(Path::new("/usr/bin").join(name), link)?;
            }
        }
        Ok(())
    };
    link()
        .map_err(|error| Failure::new("find the WASM compiler", error.to_string(), "see whether the disk is full"))?;
    Ok(dir)
}
