//! Builds what runs: the Workers, the browser's files, the demo services.
//!
//! Each mode has a folder of its own, so that a build of one never replaces a build of the other.

use crate::{
    failure::Failure,
    place::{root, target},
    setup::Tools,
    step::Steps,
};
use part::Part;
use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
};

pub mod part;
pub mod sources;

mod browser;
mod docs;
mod edge;
mod hash;
mod services;
mod worker;

pub use browser::{forget_old_sites, site, site_version};
pub use services::program as services_program;

/// How much the compiler optimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Quick to build; for working on the code.
    Dev,
    /// Small and quick to run; what is deployed.
    Release,
}

impl Mode {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// The folder that holds everything built in this mode.
    pub fn folder(self) -> PathBuf {
        target().join("built").join(self.name())
    }

    /// The folder of a Worker: `index.js` and `index_bg.wasm`.
    pub fn worker(self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The WASM of a Worker.
    pub fn wasm(self, name: &str) -> PathBuf {
        self.worker(name).join("index_bg.wasm")
    }
}

/// Builds every part that has changed. Returns whether any had.
pub fn all(tools: &Tools, mode: Mode, steps: Steps) -> Result<bool, Failure> {
    parts(&Part::ALL, tools, mode, steps)
}

/// Builds the `parts` that have changed, concurrently. Returns whether any had.
pub fn parts(parts: &[Part], tools: &Tools, mode: Mode, steps: Steps) -> Result<bool, Failure> {
    let mut changed = Vec::new();
    for part in parts {
        changed.extend(part.stamp_if_changed(mode)?.map(|stamp| (*part, stamp)));
    }
    // Linking and wasm-opt keep one core busy, so two builds fill two cores.
    let steps = if changed.len() > 1 { Steps::Concurrent } else { steps };
    thread::scope(|scope| {
        let build = |(part, stamp): &(Part, String)| {
            let (part, stamp) = (*part, stamp.clone());
            scope.spawn(move || part.build(&stamp, tools, mode, steps))
        };
        let building: Vec<_> = changed.iter().map(build).collect();
        let panicked = || Failure::new("build", "a build panicked", "see the message above");
        let outcomes: Vec<_> =
            building.into_iter().map(|part| part.join().unwrap_or_else(|_| Err(panicked()))).collect();
        outcomes.into_iter().collect::<Result<(), _>>()
    })?;
    if browser::is_to_be_published(mode) {
        browser::publish(mode)?;
    }
    Ok(!changed.is_empty())
}

/// WASM features that the compiler and wasm-opt use. With more, today's browsers refuse the result.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Makes a WASM file smaller. Names of functions go.
///
/// Level 1 ships the fewest bytes: from level 2 on, files shrink further but compress worse. The edge
/// has 112,755 bytes with gzip at level 1, 119,297 at level 3; the browser's WASM 188,232 with Brotli
/// at level 1, 196,845 at level z. LLVM has optimised the code before.
fn optimise(tools: &Tools, wasm: &Path, steps: Steps) -> Result<(), Failure> {
    let mut command = Command::new(tools.npm("wasm-opt"));
    command.args(FEATURES).args(["-O1", "-o"]).arg(wasm).arg(wasm);
    let shown = wasm.strip_prefix(root()).unwrap_or(wasm).display();
    steps.run(&format!("optimise {shown}"), &mut command, "see wasm-opt's message above")
}
