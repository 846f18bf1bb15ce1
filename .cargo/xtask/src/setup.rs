//! Finds what building and running need, and installs what is missing. What is there is left alone.

mod apt;
mod chromium;
mod components;
mod node;
mod npm;
mod tools;
mod wasm;

use crate::{failure::Failure, place::root};
use std::{env, ffi::OsString, path::PathBuf, process::Command};

/// Everything that building and running call by name.
#[derive(Debug)]
pub struct Tools {
    /// `PATH` with the WASM compiler first.
    path: OsString,
    /// Programs that cargo installed.
    cargo: PathBuf,
    /// Programs that npm installed.
    npm: PathBuf,
    /// Node.
    node: PathBuf,
}

/// Finds or installs the WASM target, the build tools and the npm tools.
pub fn tools() -> Result<Tools, Failure> {
    let compiler = wasm::find_or_install()?;
    let tools = tools::find_or_install()?;
    npm::find_or_install("worker")?;
    let old = env::var_os("PATH").unwrap_or_default();
    let dirs = compiler.into_iter().chain([tools.clone()]).chain(env::split_paths(&old));
    let path = env::join_paths(dirs).unwrap_or(old);
    Ok(Tools { path, cargo: tools, npm: root().join("worker/node_modules/.bin"), node: node::find_or_install()? })
}

/// Finds or installs the formatter, the lints, and curl.
pub fn components() -> Result<(), Failure> {
    components::find_or_install()
}

/// Finds or installs what the tests in a browser need. Returns the browser's program.
pub fn browser() -> Result<PathBuf, Failure> {
    npm::find_or_install("tests/browser")?;
    chromium::find_or_install()
}

impl Tools {
    /// A command that compiles to WASM.
    pub fn wasm(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Cargo and rustup hand these down to whatever they start; they would choose the host's compiler.
        for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(name);
        }
        command
            .env("PATH", &self.path)
            // Of the tools' own inside nobody wants to know when the code does not compile.
            .env("RUST_BACKTRACE", "0")
            .env("WASM_BINDGEN_BIN", self.wasm_bindgen())
            .env("ESBUILD_BIN", self.npm("esbuild"));
        command
    }

    /// A program of `worker/node_modules`.
    pub fn npm(&self, name: &str) -> PathBuf {
        self.npm.join(name)
    }

    /// The program that runs JavaScript outside of a browser.
    pub fn node(&self) -> PathBuf {
        self.node.clone()
    }

    /// The program that makes the JavaScript around WASM.
    pub fn wasm_bindgen(&self) -> PathBuf {
        self.cargo.join("wasm-bindgen")
    }

    /// The program that builds a Worker.
    pub fn worker_build(&self) -> PathBuf {
        self.cargo.join("worker-build")
    }
}
