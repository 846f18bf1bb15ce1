//! Builds what runs: the Workers, the browser's files, the demo services.

use crate::{
    failure::Failure,
    place::{root, target},
    setup::Tools,
    step::run,
    versions::WASM_TARGET,
};
use part::Part;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

pub mod part;

mod edge;
mod hash;

/// How much the compiler shall optimise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Quick to build; for working on the code.
    Dev,
    /// Small and quick to run; what is deployed.
    Release,
}

/// Where the browser's files lie. `assets/<version>/` in it is served for ever.
pub fn site() -> PathBuf {
    target().join("site")
}

/// The version of the browser's files that was built last: a hash of what is in them.
pub fn site_version() -> Result<String, Failure> {
    fs::read_to_string(site_version_file())
        .map_err(|error| Failure::new("find the browser's files", error.to_string(), "start without --no-build"))
}

fn site_version_file() -> PathBuf {
    target().join("site-version")
}

/// Removes the versions before the last. While something runs, a page of it may still ask for them.
pub fn forget_old_sites() -> Result<(), Failure> {
    let current = site_version()?;
    let failed = |error: io::Error| Failure::new("tidy up", error.to_string(), "remove the folder target/site");
    for version in fs::read_dir(site().join("assets")).map_err(failed)?.flatten() {
        if version.file_name() != current.as_str() {
            fs::remove_dir_all(version.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// The WASM of a Worker.
pub fn wasm_of(worker: &str) -> PathBuf {
    root().join("worker").join(worker).join("build/index_bg.wasm")
}

/// The program of the demo services.
pub fn services_program() -> PathBuf {
    target().join("debug/ownchat-services")
}

/// Builds everything that has changed. Says whether anything had.
pub fn all(tools: &Tools, mode: Mode) -> Result<bool, Failure> {
    let mut built = false;
    for part in Part::ALL {
        built |= part.build_if_changed(tools, mode)?;
    }
    Ok(built)
}

/// Builds one Worker.
fn worker(tools: &Tools, name: &str, mode: Mode) -> Result<(), Failure> {
    let program = tools.worker_build();
    let mut command = tools.wasm(&program.to_string_lossy());
    command.current_dir(root().join("worker").join(name)).arg(match mode {
        Mode::Dev => "--dev",
        Mode::Release => "--release",
    });
    run(&format!("build the Worker {name}"), &mut command, "see the compiler's message above")?;
    match mode {
        Mode::Dev => Ok(()),
        Mode::Release => optimise(tools, &wasm_of(name), "-O3"),
    }
}

/// What the compiler and wasm-bindgen use of WASM. With more the result is one that browsers of today refuse.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Makes a WASM file quicker and smaller; names of functions go.
fn optimise(tools: &Tools, wasm: &Path, level: &str) -> Result<(), Failure> {
    let mut command = Command::new(tools.npm("wasm-opt"));
    command.args(FEATURES).args([level, "-o"]).arg(wasm).arg(wasm);
    let shown = wasm.strip_prefix(root()).unwrap_or(wasm).display();
    run(&format!("optimise {shown}"), &mut command, "see wasm-opt's message above")
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

fn shrink(tools: &Tools, output: &Path) -> Result<(), Failure> {
    optimise(tools, &output.join("ownchat_bg.wasm"), "-Oz")?;
    let script = output.join("ownchat.js");
    let mut minify = Command::new(tools.npm("esbuild"));
    minify.arg(&script).args(["--minify", "--log-level=warning", "--allow-overwrite"]);
    minify.arg(format!("--outfile={}", script.display()));
    run("shrink the browser's script", &mut minify, "see esbuild's message above")
}

/// Puts the files under a name that says what is in them, so that browsers may keep them for ever.
fn publish(output: &Path) -> io::Result<()> {
    let site = site();
    let mut files = Vec::new();
    part::collect(output, &mut files);
    let version = hash::of(output, &files);
    let assets = site.join("assets");
    fs::create_dir_all(&assets)?;
    let place = assets.join(&version);
    if place.exists() {
        fs::remove_dir_all(output)?;
    } else {
        fs::rename(output, place)?;
    }
    fs::copy(root().join("style/favicon.svg"), site.join("favicon.svg"))?;
    fs::copy(root().join("worker/console/headers.txt"), site.join("_headers"))?;
    fs::write(site_version_file(), version)
}

/// `cargo` with these words, on the toolchain that runs this.
pub fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words);
    command
}
