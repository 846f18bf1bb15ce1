//! Builds the user documentation: `app/docs` becomes static pages.

use super::{Mode, files::collect, site};
use crate::{cargo::cargo, failure::Failure, paths::root, step::Steps};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder of the pages, laid out as in the folder of the browser's files.
fn folder(mode: Mode) -> PathBuf {
    mode.folder().join("docs")
}

/// The page of `/docs`.
pub fn contents(mode: Mode) -> PathBuf {
    folder(mode).join("docs/index.html")
}

/// Renders the pages.
pub fn build(mode: Mode, steps: Steps) -> Result<(), Failure> {
    site::forget_version(mode);
    let mut render = cargo(&["run", "--quiet", "--package", "ownchat-docs", "--"]);
    render.arg(root().join("app/docs")).arg(folder(mode));
    steps.run("render the docs", &mut render, "fix the source that is named above")
}

/// Copies the pages and the style sheet that they load into the folder of the browser's files.
pub fn publish(style: &Path, site: &Path, mode: Mode) -> io::Result<()> {
    let docs = site.join("docs");
    if docs.exists() {
        fs::remove_dir_all(&docs)?;
    }
    fs::create_dir_all(&docs)?;
    let folder = folder(mode);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    for file in files {
        fs::copy(&file, site.join(file.strip_prefix(&folder).unwrap_or(&file)))?;
    }
    fs::copy(style, docs.join("ownchat.css")).map(drop)
}
