//! Lists files of sources and of build output.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Collects the files at and below a path, except build output and installed packages.
pub fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name != "node_modules" && name != "target" {
                collect(&entry.path(), files);
            }
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
}
