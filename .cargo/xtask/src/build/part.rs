//! What is built, and from which sources.

use super::{Mode, browser, edge, hash, services, worker};
use crate::{
    failure::Failure,
    place::{root, target},
    setup::Tools,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Something that is built on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What the browser loads.
    Browser,
    /// The Worker that owns the truth.
    Vault,
    /// The Worker that integrators call.
    Edge,
    /// The Worker that admins call.
    Console,
    /// The demo services.
    Services,
}

/// What every part is made from.
const COMMON: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "worker/package-lock.json",
    ".cargo/xtask/src/build.rs",
    ".cargo/xtask/src/versions.rs",
    "app/domain",
];

impl Part {
    /// All of them, in the order in which they are built.
    pub const ALL: [Self; 5] = [Self::Browser, Self::Vault, Self::Edge, Self::Console, Self::Services];

    /// Files and folders that it is made from, apart from [`COMMON`].
    const fn sources(self) -> &'static [&'static str] {
        match self {
            Self::Browser => &["app/ui", "frontend", "style", "worker/console/headers.txt"],
            Self::Vault => &["worker/vault"],
            Self::Edge => &["worker/edge"],
            Self::Console => &["app/ui", "worker/console"],
            Self::Services => &["tests/services"],
        }
    }

    /// Builds it, unless what was built before is made from the same.
    /// Says whether it did.
    pub fn build_if_changed(self, tools: &Tools, mode: Mode) -> Result<bool, Failure> {
        let stamp = self.stamp(mode);
        if self.output().exists() && fs::read_to_string(self.stamp_file()).is_ok_and(|built| built == stamp) {
            return Ok(false);
        }
        // Should the build be cut off, what it leaves is not taken for built.
        let _ = fs::remove_file(self.stamp_file());
        self.build(tools, mode)?;
        let write = || {
            fs::create_dir_all(self.stamp_file().parent().unwrap_or(&target()))?;
            fs::write(self.stamp_file(), &stamp)
        };
        write().map(|()| true).map_err(|error: std::io::Error| {
            Failure::new("note what was built", error.to_string(), "see whether the disk is full")
        })
    }

    fn build(self, tools: &Tools, mode: Mode) -> Result<(), Failure> {
        match self {
            Self::Browser => browser(tools, mode),
            Self::Vault => worker(tools, "vault", mode),
            Self::Edge => edge::build(tools, mode),
            Self::Console => worker(tools, "console", mode),
            Self::Services => services(),
        }
    }

    fn output(self) -> PathBuf {
        match self {
            Self::Browser => super::site().join("_headers"),
            Self::Vault => super::wasm_of("vault"),
            Self::Edge => super::wasm_of("edge"),
            Self::Console => super::wasm_of("console"),
            Self::Services => super::services_program(),
        }
    }

    /// Says what it is made from, and how.
    fn stamp(self, mode: Mode) -> String {
        let mut files = Vec::new();
        for source in COMMON.iter().chain(self.sources()) {
            collect(&root().join(source), &mut files);
        }
        format!("{mode:?} {}", hash::of(&root(), &files))
    }

    fn stamp_file(self) -> PathBuf {
        target().join("stamps").join(format!("{self:?}"))
    }
}

/// The files at and under a path, without what is built or installed there.
pub fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name != "node_modules" && name != "build" && name != "target" {
                collect(&entry.path(), files);
            }
        }
    } else if path.is_file() {
        files.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_from(path: &str) -> Vec<Part> {
        let is_source =
            |part: &Part| COMMON.iter().chain(part.sources()).any(|source| Path::new(path).starts_with(source));
        Part::ALL.into_iter().filter(is_source).collect()
    }

    #[test]
    fn a_change_rebuilds_what_is_made_from_it_and_no_more() {
        assert_eq!(made_from("style/components/keys.css"), [Part::Browser]);
        assert_eq!(made_from("app/ui/src/pages/keys.rs"), [Part::Browser, Part::Console]);
        assert_eq!(made_from("worker/edge/src/gate.rs"), [Part::Edge]);
        assert_eq!(made_from("tests/services/src/main.rs"), [Part::Services]);
        assert_eq!(made_from("app/domain/src/token.rs"), Part::ALL);
        assert_eq!(made_from("README.md"), []);
    }

    #[test]
    fn every_source_is_there() {
        for source in Part::ALL.iter().flat_map(|part| part.sources()).chain(COMMON) {
            assert!(root().join(source).exists(), "{source}");
        }
    }
}
