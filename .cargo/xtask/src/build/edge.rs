//! Builds the edge with wasm-bindgen and esbuild instead of worker-build.
//! worker-build's module contains bindings for the whole platform, and an object and two proxies
//! per request. The output files have the same names.

use super::{Mode, optimise};
use crate::{
    failure::Failure,
    paths::{root, target},
    setup::Tools,
    step::Steps,
    versions::WASM_TARGET,
};
use std::{fs, process::Command};

/// Compiles the edge, generates its JavaScript bindings, and bundles them with `entry.mjs`.
pub fn build(tools: &Tools, mode: Mode, steps: Steps) -> Result<(), Failure> {
    let step = "build the Worker edge";
    let (profile, folder) = match mode {
        Mode::Dev => ("dev", "debug"),
        Mode::Release => ("release", "release"),
    };
    let mut command = tools.wasm("cargo");
    command.current_dir(root()).args(["build", "--quiet", "--package", "ownchat-edge", "--target", WASM_TARGET]);
    command.args(["--profile", profile]);
    steps.run(step, &mut command, "see the compiler's message above")?;

    let output = mode.worker("edge");
    let glue = output.join("glue");
    let failed = |error: std::io::Error| Failure::new(step, error.to_string(), "see whether the disk is full");
    if output.exists() {
        fs::remove_dir_all(&output).map_err(failed)?;
    }
    fs::create_dir_all(&glue).map_err(failed)?;
    let mut bindgen = Command::new(tools.wasm_bindgen());
    bindgen.args(["--target", "web", "--no-typescript", "--experimental-reset-state-function", "--out-name", "index"]);
    bindgen.arg("--out-dir").arg(&glue).arg(target().join(WASM_TARGET).join(folder).join("ownchat_edge.wasm"));
    steps.run("make the JavaScript around the edge", &mut bindgen, "see wasm-bindgen's message above")?;
    fs::rename(glue.join("index_bg.wasm"), mode.wasm("edge")).map_err(failed)?;

    let mut bundle = Command::new(tools.npm("esbuild"));
    bundle.current_dir(root().join("worker/edge")).args(["entry.mjs", "--bundle", "--format=esm"]);
    bundle.args(["--log-level=warning", "--external:./index_bg.wasm", "--external:cloudflare:*"]);
    bundle.arg(format!("--alias:ownchat-edge={}", glue.join("index.js").display()));
    bundle.arg(format!("--outfile={}", output.join("index.js").display()));
    if mode == Mode::Release {
        bundle.arg("--minify");
    }
    steps.run("put the edge together", &mut bundle, "see esbuild's message above")?;
    match mode {
        Mode::Dev => Ok(()),
        Mode::Release => optimise(tools, &mode.wasm("edge"), steps),
    }
}
