//! Finds the tools for building and running, and installs missing ones. Keeps existing
//! installations.

mod apt;
mod chromium;
mod components;
mod node;
mod npm;
mod tools;
mod wasm;

use crate::{failure::Failure, paths::root};
use std::{env, ffi::OsString, path::PathBuf, process::Command};

/// The tools for building and running.
#[derive(Debug)]
pub struct Tools {
    /// Value of `PATH` with the WASM compiler first.
    path: OsString,
    /// Folder of the programs that cargo installed.
    cargo: PathBuf,
    /// Folder of the programs that npm installed.
    npm: PathBuf,
    node: PathBuf,
}

/// Finds or installs the WASM target, the build tools and the npm tools.
pub fn tools() -> Result<Tools, Failure> {
    let compiler = wasm::find_or_install()?;
    let tools = tools::find_or_install(tools::OF_BUILDS)?;
    npm::find_or_install("worker")?;
    let old = env::var_os("PATH").unwrap_or_default();
    let dirs = compiler.into_iter().chain([tools.clone()]).chain(env::split_paths(&old));
    let path = env::join_paths(dirs).unwrap_or(old);
    Ok(Tools { path, cargo: tools, npm: root().join("worker/node_modules/.bin"), node: node::find_or_install()? })
}

/// Finds or installs rustfmt, clippy and curl.
pub fn components() -> Result<(), Failure> {
    components::find_or_install()
}

/// Finds or installs the programs that check third-party crates. Returns their folder.
pub fn crate_checks() -> Result<PathBuf, Failure> {
    tools::find_or_install(tools::OF_CHECKS)
}

/// Finds or installs the tools of the browser tests. Returns the path of the browser.
pub fn browser() -> Result<PathBuf, Failure> {
    npm::find_or_install("tests/browser")?;
    chromium::find_or_install()
}

impl Tools {
    /// Returns a command that compiles to WASM.
    pub fn wasm(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Child processes inherit these from cargo and rustup, and would use the host's compiler.
        for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(name);
        }
        command
            .env("PATH", &self.path)
            // A backtrace of the build tools does not help when the code fails to compile.
            .env("RUST_BACKTRACE", "0")
            .env("WASM_BINDGEN_BIN", self.wasm_bindgen())
            .env("ESBUILD_BIN", self.npm("esbuild"));
        command
    }

    /// Returns the path of a program in `worker/node_modules`.
    pub fn npm(&self, name: &str) -> PathBuf {
        self.npm.join(name)
    }

    /// Returns the path of Node.
    pub fn node(&self) -> PathBuf {
        self.node.clone()
    }

    /// Returns the path of wasm-bindgen, which generates the JavaScript bindings of WASM.
    pub fn wasm_bindgen(&self) -> PathBuf {
        self.cargo.join("wasm-bindgen")
    }

    /// Returns the path of worker-build.
    pub fn worker_build(&self) -> PathBuf {
        self.cargo.join("worker-build")
    }
}
