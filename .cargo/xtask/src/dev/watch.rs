//! Detects changed sources by polling modification times.

use crate::build::files::collect;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Folders that hold sources.
const SOURCES: &[&str] = &["app", "frontend", "worker", "style", "tests/services"];

/// A snapshot of the sources' modification times.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    seen: BTreeMap<PathBuf, SystemTime>,
}

impl Watch {
    /// Takes the first snapshot of the sources under `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), seen: look(root) }
    }

    /// Takes a new snapshot. Returns true if it differs from the last.
    pub fn changed(&mut self) -> bool {
        let now = look(&self.root);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

fn look(root: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut files = Vec::new();
    for folder in SOURCES {
        collect(&root.join(folder), &mut files);
    }
    let time = |file: &PathBuf| fs::metadata(file).and_then(|data| data.modified()).ok();
    files.into_iter().filter_map(|file| time(&file).map(|time| (file, time))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_new_and_removed_files_are_noticed() {
        let root = std::env::temp_dir().join(format!("ownchat-watch-{}", std::process::id()));
        let style = root.join("style");
        fs::create_dir_all(&style).unwrap();
        let mut watch = Watch::new(&root);
        let nothing = watch.changed();
        fs::write(style.join("a.css"), "").unwrap();
        let new = watch.changed();
        fs::remove_file(style.join("a.css")).unwrap();
        let removed = watch.changed();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!((nothing, new, removed), (false, true, true));
    }
}
