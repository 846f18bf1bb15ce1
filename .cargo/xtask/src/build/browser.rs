//! Builds the browser's files: the WASM with its script, and the style sheet.

use super::{
    Mode, docs,
    files::collect,
    hash, optimise,
    site::{forget_version, site, version_file},
};
use crate::{
    failure::Failure,
    paths::{root, target},
    setup::Tools,
    step::Steps,
    versions::WASM_TARGET,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the path of the script. The WASM that it loads is beside it.
pub fn script(mode: Mode) -> PathBuf {
    mode.folder().join("script/ownchat.js")
}

/// Returns the path of the style sheet.
pub fn style(mode: Mode) -> PathBuf {
    mode.folder().join("style/ownchat.css")
}

/// Compiles the front end to WASM and generates its JavaScript bindings.
pub fn build_script(tools: &Tools, mode: Mode, steps: Steps) -> Result<(), Failure> {
    let (profile, folder) = match mode {
        Mode::Dev => ("dev", "debug"),
        Mode::Release => ("browser", "browser"),
    };
    let mut command = tools.wasm("cargo");
    command.current_dir(root()).args(["build", "--quiet", "--package", "ownchat-frontend", "--target", WASM_TARGET]);
    command.args(["--profile", profile]);
    steps.run("build the front end", &mut command, "see the compiler's message above")?;

    let script = script(mode);
    let output = folder_of(&script, mode)?;
    let wasm = target().join(WASM_TARGET).join(folder).join("ownchat_frontend.wasm");
    let mut bindgen = Command::new(tools.wasm_bindgen());
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "ownchat", "--out-dir"]).arg(&output).arg(wasm);
    steps.run("make the JavaScript around the front end", &mut bindgen, "see wasm-bindgen's message above")?;
    if mode == Mode::Dev {
        return Ok(());
    }
    optimise(tools, &output.join("ownchat_bg.wasm"), steps)?;
    let mut minify = Command::new(tools.npm("esbuild"));
    minify.arg(&script).args(["--minify", "--log-level=warning", "--allow-overwrite"]);
    minify.arg(format!("--outfile={}", script.display()));
    steps.run("shrink the browser's script", &mut minify, "see esbuild's message above")
}

/// The style sheet of the docs.
pub fn docs_style(mode: Mode) -> PathBuf {
    mode.folder().join("docs-style/ownchat.css")
}

/// Bundles the style sheets.
pub fn build_style(tools: &Tools, mode: Mode, steps: Steps) -> Result<(), Failure> {
    for (source, style) in [("style/main.css", style(mode)), ("style/docs.css", docs_style(mode))] {
        folder_of(&style, mode)?;
        let mut command = Command::new(tools.npm("esbuild"));
        command.current_dir(root()).arg(source).args(["--bundle", "--log-level=warning"]);
        command.arg(format!("--outfile={}", style.display()));
        if mode == Mode::Release {
            command.arg("--minify");
        }
        steps.run("put the style sheet together", &mut command, "see esbuild's message above")?;
    }
    Ok(())
}

/// Creates the folder of a file, or empties it. Marks the browser's files as unpublished.
fn folder_of(file: &Path, mode: Mode) -> Result<PathBuf, Failure> {
    forget_version(mode);
    let folder = file.parent().unwrap_or(file).to_owned();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| {
        Failure::new("make a folder", format!("{}: {error}", folder.display()), "see whether the disk is full")
    })?;
    Ok(folder)
}

/// Returns true once script, style and docs are built and one of them is newer than the published
/// files.
pub fn is_to_be_published(mode: Mode) -> bool {
    !version_file(mode).exists() && [script(mode), style(mode), docs::contents(mode)].iter().all(|file| file.exists())
}

/// Copies script and style sheet to a path named by their hash, for browsers to cache for ever. The
/// docs keep their paths.
pub fn publish(mode: Mode) -> Result<(), Failure> {
    let publish = || -> io::Result<()> {
        let site = site(mode);
        let mut files = Vec::new();
        for folder in ["script", "style"] {
            collect(&mode.folder().join(folder), &mut files);
        }
        let version = hash::of_files(&mode.folder(), &files);
        let place = site.join("assets").join(&version);
        fs::create_dir_all(&place)?;
        for file in files {
            fs::copy(&file, place.join(file.file_name().unwrap_or_default()))?;
        }
        docs::publish(&docs_style(mode), &site, mode)?;
        fs::copy(root().join("style/favicon.svg"), site.join("favicon.svg"))?;
        fs::copy(root().join("worker/console/headers.txt"), site.join("_headers"))?;
        fs::write(version_file(mode), version)
    };
    publish()
        .map_err(|error| Failure::new("publish the browser's files", error.to_string(), "see whether the disk is full"))
}
