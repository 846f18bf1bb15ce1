//! The parts of the deployment that build separately, their sources, and change detection.

use super::{Mode, browser, docs, edge, files::collect, hash::Hash, services, sources, worker};
use crate::{
    failure::Failure,
    paths::{root, target},
    setup::Tools,
    step::Steps,
};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// A part of the deployment that builds separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The browser's WASM and its script.
    Script,
    /// The style sheet, and the console's static files.
    Style,
    /// The user documentation.
    Docs,
    /// The Worker that holds the authoritative state.
    Vault,
    /// The Worker that integrators call.
    Edge,
    /// The Worker that admins call.
    Console,
    /// The demo services.
    Services,
}

/// Files and folders that every part depends on.
const COMMON: &[&str] = &["Cargo.toml", "Cargo.lock", "worker/package-lock.json"];

/// The source folder of xtask. Every part depends on its `build` module.
const BUILDER: &str = ".cargo/xtask/src";

impl Part {
    /// All parts, in build order.
    pub const ALL: [Self; 7] =
        [Self::Vault, Self::Edge, Self::Console, Self::Script, Self::Style, Self::Docs, Self::Services];

    /// Returns the crates that the part is compiled from.
    const fn crates(self) -> &'static [&'static str] {
        match self {
            Self::Script => &["app/domain", "app/ui", "frontend"],
            Self::Style => &[],
            Self::Docs => &["app/domain", ".cargo/docs"],
            Self::Vault => &["app/domain", "worker/vault"],
            Self::Edge => &["app/domain", "worker/edge"],
            Self::Console => &["app/domain", "app/ui", "worker/console"],
            Self::Services => &["app/domain", "tests/services"],
        }
    }

    /// Returns the source files and folders besides the crates and [`COMMON`].
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Style => &["style", "worker/console/headers.txt"],
            Self::Docs => &["app/docs"],
            Self::Edge => {
                &["worker/edge/entry.mjs", "worker/edge/gateway", "worker/edge/log.mjs", "worker/edge/stores.mjs"]
            }
            Self::Script | Self::Vault | Self::Console | Self::Services => &[],
        }
    }

    /// Returns the hash of the part's sources, unless the last build used the same ones.
    pub fn stamp_if_changed(self, mode: Mode) -> Result<Option<String>, Failure> {
        let stamp = self.stamp()?;
        let is_built = fs::read_to_string(self.stamp_file(mode)).is_ok_and(|built| built == stamp);
        Ok(if is_built && self.output(mode).exists() { None } else { Some(stamp) })
    }

    /// Builds the part and records `stamp`, the hash of its sources.
    pub fn build(self, stamp: &str, tools: &Tools, mode: Mode, steps: Steps) -> Result<(), Failure> {
        let stamp_file = self.stamp_file(mode);
        // An interrupted build must not count as complete.
        let _ = fs::remove_file(&stamp_file);
        match self {
            Self::Script => browser::build_script(tools, mode, steps),
            Self::Style => browser::build_style(tools, mode, steps),
            Self::Docs => docs::build(mode, steps),
            Self::Vault => worker::build(tools, "vault", mode, steps),
            Self::Edge => edge::build(tools, mode, steps),
            Self::Console => worker::build(tools, "console", mode, steps),
            Self::Services => services::build(steps),
        }?;
        let write = || {
            fs::create_dir_all(stamp_file.parent().unwrap_or(&stamp_file))?;
            fs::write(&stamp_file, stamp)
        };
        write().map_err(|error: std::io::Error| {
            Failure::new("note what was built", error.to_string(), "see whether the disk is full")
        })
    }

    fn output(self, mode: Mode) -> PathBuf {
        match self {
            Self::Script => browser::script(mode),
            Self::Style => browser::style(mode),
            Self::Docs => docs::contents(mode),
            Self::Vault => mode.wasm("vault"),
            Self::Edge => mode.wasm("edge"),
            Self::Console => mode.wasm("console"),
            Self::Services => services::program(),
        }
    }

    fn stamp_file(self, mode: Mode) -> PathBuf {
        let folder = match self {
            // The services are the same in every mode.
            Self::Services => target().join("built"),
            _ => mode.folder(),
        };
        folder.join(format!("{self:?}.stamp"))
    }

    /// Hashes the part's sources.
    fn stamp(self) -> Result<String, Failure> {
        let mut hash = Hash::default();
        let sources = self.sources().map_err(|why| Failure::new("read the sources", why, "fix that file"))?;
        for (file, content) in sources {
            hash.add_file(file.strip_prefix(root()).unwrap_or(&file), &content);
        }
        Ok(hash.name())
    }

    /// Returns the part's sources with their content. Rust files are in normal form.
    fn sources(self) -> Result<BTreeMap<PathBuf, Vec<u8>>, String> {
        let mut found = BTreeMap::new();
        let mut plain = Vec::new();
        for path in COMMON.iter().chain(self.files()) {
            collect(&root().join(path), &mut plain);
        }
        for folder in self.crates().iter().map(|name| root().join(name)) {
            let code = folder.join("src");
            let lib = code.join("lib.rs");
            sources::of_crate(&if lib.exists() { lib } else { code.join("main.rs") }, &mut found)?;
            plain.push(folder.join("Cargo.toml"));
        }
        for file in ["build.rs", "versions.rs"] {
            sources::of_crate(&root().join(BUILDER).join(file), &mut found)?;
        }
        for file in plain {
            let content = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            found.insert(file, content);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_from(path: &str) -> Vec<Part> {
        let path = root().join(path);
        assert!(path.exists(), "{}", path.display());
        Part::ALL.into_iter().filter(|part| part.sources().unwrap().contains_key(&path)).collect()
    }

    #[test]
    fn a_change_rebuilds_the_parts_that_depend_on_it_and_no_other() {
        assert_eq!(made_from("style/components/keys.css"), [Part::Style]);
        assert_eq!(made_from("app/ui/src/pages/keys.rs"), [Part::Console, Part::Script]);
        assert_eq!(made_from("worker/edge/src/authorizer.rs"), [Part::Edge]);
        assert_eq!(made_from("worker/edge/gateway/forward.mjs"), [Part::Edge]);
        assert_eq!(made_from("tests/services/src/main.rs"), [Part::Services]);
        let compiled = Part::ALL.into_iter().filter(|part| *part != Part::Style).collect::<Vec<_>>();
        assert_eq!(made_from("app/domain/src/token.rs"), compiled);
        assert_eq!(made_from(".cargo/xtask/src/build/worker.rs"), Part::ALL);
    }

    #[test]
    fn tests_fixtures_and_documents_are_no_sources() {
        for path in [
            "README.md",
            "tests/api/main.rs",
            "worker/edge/src/authorizer/tests.rs",
            "worker/vault/tests/previous/registry.rs",
            "worker/vault/tests/previous/registry/first.sql",
            "app/domain/tests/previous.rs",
            ".cargo/xtask/src/test.rs",
        ] {
            assert_eq!(made_from(path), [], "{path}");
        }
    }
}
