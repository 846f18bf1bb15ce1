//! Builds the edge. It is made without worker-build, whose module brings bindings for the whole platform and an object and
//! two proxies for each call; what comes out has the same names.

use super::{Mode, optimise, wasm_of};
use crate::{
    failure::Failure,
    place::{root, target},
    setup::Tools,
    step::run,
    versions::WASM_TARGET,
};
use std::{fs, process::Command};

/// Compiles it, makes the JavaScript around it, and puts that and `entry.mjs` into one module.
pub fn build(tools: &Tools, mode: Mode) -> Result<(), Failure> {
    let step = "build the Worker edge";
    let (profile, folder) = match mode {
        Mode::Dev => ("dev", "debug"),
        Mode::Release => ("release", "release"),
    };
    let mut command = tools.wasm("cargo");
    command.current_dir(root()).args(["build", "--quiet", "--package", "ownchat-edge", "--target", WASM_TARGET]);
    command.args(["--profile", profile]);
    run(step, &mut command, "see the compiler's message above")?;

    let here = root().join("worker/edge");
    let glue = here.join("build/glue");
    let failed = |error: std::io::Error| Failure::new(step, error.to_string(), "see whether the disk is full");
    if here.join("build").exists() {
        fs::remove_dir_all(here.join("build")).map_err(failed)?;
    }
    fs::create_dir_all(&glue).map_err(failed)?;
    let mut bindgen = Command::new(tools.wasm_bindgen());
    bindgen.args(["--target", "web", "--no-typescript", "--experimental-reset-state-function", "--out-name", "index"]);
    bindgen.arg("--out-dir").arg(&glue).arg(target().join(WASM_TARGET).join(folder).join("ownchat_edge.wasm"));
    run("make the JavaScript around the edge", &mut bindgen, "see wasm-bindgen's message above")?;
    fs::rename(glue.join("index_bg.wasm"), wasm_of("edge")).map_err(failed)?;

    let mut bundle = Command::new(tools.npm("esbuild"));
    bundle.current_dir(&here).args(["entry.mjs", "--bundle", "--format=esm", "--log-level=warning"]);
    bundle.args(["--external:./index_bg.wasm", "--outfile=build/index.js"]);
    if mode == Mode::Release {
        bundle.arg("--minify");
    }
    run("put the edge together", &mut bundle, "see esbuild's message above")?;
    match mode {
        Mode::Dev => Ok(()),
        Mode::Release => optimise(tools, &wasm_of("edge"), "-O3"),
    }
}
