//! Notices which sources change, and what is built from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What must be built again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// These Workers.
    pub workers: BTreeSet<&'static str>,
    /// The browser's files.
    pub browser: bool,
    /// The demo services.
    pub services: bool,
}

/// The sources as they were when they were last looked at.
#[derive(Debug)]
pub struct Watch {
    root: PathBuf,
    seen: BTreeMap<PathBuf, SystemTime>,
}

/// Folders that hold sources.
const SOURCES: &[&str] = &["app", "frontend/src", "worker", "style", "tests/services"];

impl Watch {
    /// Looks at the sources under `root` for the first time.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), seen: look(root) }
    }

    /// What changed since the last look, if anything did.
    pub fn changes(&mut self) -> Option<Changes> {
        let now = look(&self.root);
        let mut changes = Changes::default();
        let touched = now
            .iter()
            .filter(|(path, time)| self.seen.get(*path) != Some(time))
            .map(|(path, _)| path)
            .chain(self.seen.keys().filter(|path| !now.contains_key(*path)));
        for path in touched {
            changes.note(path.strip_prefix(&self.root).unwrap_or(path));
        }
        self.seen = now;
        (changes != Changes::default()).then_some(changes)
    }
}

impl Changes {
    fn note(&mut self, path: &Path) {
        let mut all = |workers: &[&'static str], browser: bool, services: bool| {
            self.workers.extend(workers);
            self.browser |= browser;
            self.services |= services;
        };
        let is_under = |folder: &str| path.starts_with(folder);
        if is_under("app/domain") {
            all(&["vault", "edge", "console"], true, true);
        } else if is_under("app/ui") {
            all(&["console"], true, false);
        } else if is_under("frontend") || is_under("style") {
            all(&[], true, false);
        } else if is_under("worker/vault") {
            all(&["vault"], false, false);
        } else if is_under("worker/edge") {
            all(&["edge"], false, false);
        } else if is_under("worker/console") {
            all(&["console"], false, false);
        } else if is_under("tests/services") {
            all(&[], false, true);
        }
    }
}

fn look(root: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut seen = BTreeMap::new();
    let mut folders: Vec<PathBuf> = SOURCES.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "node_modules" && name != "build" && name != "target" {
                    folders.push(path);
                }
            } else if let Ok(time) = entry.metadata().and_then(|data| data.modified()) {
                seen.insert(path, time);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(path: &str) -> Changes {
        let mut changes = Changes::default();
        changes.note(Path::new(path));
        changes
    }

    #[test]
    fn a_change_rebuilds_what_is_made_from_it_and_no_more() {
        let style = touched("style/table.css");
        assert!(style.browser && style.workers.is_empty() && !style.services);
        let page = touched("app/ui/src/pages/keys.rs");
        assert!(page.browser && page.workers == BTreeSet::from(["console"]));
        assert_eq!(touched("worker/edge/src/gate.rs").workers, BTreeSet::from(["edge"]));
        assert_eq!(touched("app/domain/src/token.rs").workers.len(), 3);
        assert_eq!(touched("README.md"), Changes::default());
    }

    #[test]
    fn changed_new_and_removed_files_are_noticed() {
        let root = std::env::temp_dir().join(format!("ownchat-watch-{}", std::process::id()));
        let style = root.join("style");
        fs::create_dir_all(&style).unwrap();
        let mut watch = Watch::new(&root);
        let nothing = watch.changes();
        fs::write(style.join("a.css"), "").unwrap();
        let new = watch.changes();
        fs::remove_file(style.join("a.css")).unwrap();
        let removed = watch.changes();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(nothing, None);
        assert!(new.unwrap().browser && removed.unwrap().browser);
    }
}
