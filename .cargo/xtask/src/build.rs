//! Builds what runs: the Workers, the browser's files, the demo services.

use crate::{
    failure::Failure,
    place::{root, target},
    setup::Tools,
    step::run,
    versions::WASM_TARGET,
};
use part::Part;
use std::{fs, io, path::PathBuf, process::Command};

pub mod part;

mod hash;

/// How much the compiler shall optimise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Quick to build; for working on the code.
    Dev,
    /// Small and quick to run; what is deployed.
    Release,
}

/// Where the browser's files lie. `assets/<hash>/` in it is served for ever.
pub fn site() -> PathBuf {
    target().join("site")
}

/// The WASM of a Worker.
pub fn wasm_of(worker: &str) -> PathBuf {
    root().join("worker").join(worker).join("build/index_bg.wasm")
}

/// The program of the demo services.
pub fn services_program() -> PathBuf {
    target().join("debug/ownchat-services")
}

/// Builds everything that has changed.
pub fn all(tools: &Tools, mode: Mode) -> Result<(), Failure> {
    Part::ALL.into_iter().try_for_each(|part| part.build_if_changed(tools, mode))
}

/// Builds one Worker.
fn worker(tools: &Tools, name: &str, mode: Mode) -> Result<(), Failure> {
    let program = tools.worker_build();
    let mut command = tools.wasm(&program.to_string_lossy());
    command.current_dir(root().join("worker").join(name)).arg(match mode {
        Mode::Dev => "--dev",
        Mode::Release => "--release",
    });
    run(&format!("build the Worker {name}"), &mut command, "see the compiler's message above")
}

/// Builds the demo services, for this machine.
fn services() -> Result<(), Failure> {
    let mut command = cargo(&["build", "--quiet", "--package", "ownchat-services"]);
    run("build the demo services", &mut command, "see the compiler's message above")
}

/// Builds what the browser loads: the WASM with its JavaScript, and the style sheet.
fn browser(tools: &Tools, mode: Mode) -> Result<(), Failure> {
    let (profile, folder) = match mode {
        Mode::Dev => ("dev", "debug"),
        Mode::Release => ("browser", "browser"),
    };
    let mut command = tools.wasm("cargo");
    command.current_dir(root()).args(["build", "--quiet", "--package", "ownchat-frontend", "--target", WASM_TARGET]);
    command.args(["--profile", profile]);
    run("build the front end", &mut command, "see the compiler's message above")?;

    let output = target().join("site-new");
    let step = "put the browser's files together";
    let failed = |error: io::Error| Failure::new(step, error.to_string(), "see whether the disk is full");
    let _ = fs::remove_dir_all(&output);
    fs::create_dir_all(&output).map_err(failed)?;
    let wasm = target().join(WASM_TARGET).join(folder).join("ownchat_frontend.wasm");
    let mut bindgen = Command::new(tools.wasm_bindgen());
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "ownchat", "--out-dir"]).arg(&output).arg(wasm);
    run(step, &mut bindgen, "see wasm-bindgen's message above")?;
    if mode == Mode::Release {
        shrink(tools, &output)?;
    }
    let mut style = Command::new(tools.npm("esbuild"));
    style.current_dir(root()).arg("style/main.css").args(["--bundle", "--log-level=warning"]);
    style.arg(format!("--outfile={}", output.join("ownchat.css").display()));
    if mode == Mode::Release {
        style.arg("--minify");
    }
    run("put the style sheet together", &mut style, "see esbuild's message above")?;
    publish(&output).map_err(failed)
}

fn shrink(tools: &Tools, output: &std::path::Path) -> Result<(), Failure> {
    let wasm = output.join("ownchat_bg.wasm");
    let mut optimise = Command::new(tools.npm("wasm-opt"));
    optimise.args(["-Oz", "--all-features", "-o"]).arg(&wasm).arg(&wasm);
    run("shrink the browser's WASM", &mut optimise, "see wasm-opt's message above")?;
    let script = output.join("ownchat.js");
    let mut minify = Command::new(tools.npm("esbuild"));
    minify.arg(&script).args(["--minify", "--log-level=warning", "--allow-overwrite"]);
    minify.arg(format!("--outfile={}", script.display()));
    run("shrink the browser's script", &mut minify, "see esbuild's message above")
}

/// Puts the files under a name that says what is in them, so that browsers may keep them for ever.
fn publish(output: &std::path::Path) -> io::Result<()> {
    let site = site();
    let mut files = Vec::new();
    part::collect(output, &mut files);
    let version = hash::of(output, &files);
    let assets = site.join("assets");
    if assets.exists() {
        fs::remove_dir_all(&assets)?;
    }
    fs::create_dir_all(&assets)?;
    fs::rename(output, assets.join(version))?;
    fs::copy(root().join("style/favicon.svg"), site.join("favicon.svg"))?;
    fs::copy(root().join("worker/console/headers.txt"), site.join("_headers"))?;
    Ok(())
}

/// `cargo` with these words, on the toolchain that runs this.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words);
    command
}
