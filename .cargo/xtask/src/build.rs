//! Builds the deployment: the Workers, the browser's files, the demo services.
//!
//! Each mode has its own output folder, so builds of one mode never replace those of another.

use crate::{
    failure::Failure,
    paths::{root, target},
    setup::Tools,
    step::Steps,
};
use part::Part;
use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
};

pub mod files;
pub mod part;
pub mod sources;

mod browser;
mod docs;
mod edge;
mod hash;
mod services;
mod site;
mod worker;

pub use services::program as services_program;
pub use site::{forget_old_sites, site, site_version};

/// The optimisation level of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Fast to build, for development.
    Dev,
    /// Small and fast to run, for deployment.
    Release,
}

impl Mode {
    /// Returns the mode's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// Returns the output folder of this mode.
    pub fn folder(self) -> PathBuf {
        target().join("built").join(self.name())
    }

    /// Returns the output folder of a Worker, with `index.js` and `index_bg.wasm`.
    pub fn worker(self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Returns the WASM file of a Worker.
    pub fn wasm(self, name: &str) -> PathBuf {
        self.worker(name).join("index_bg.wasm")
    }
}

/// Builds every part that has changed. Returns true if any had.
pub fn all(tools: &Tools, mode: Mode, steps: Steps) -> Result<bool, Failure> {
    parts(&Part::ALL, tools, mode, steps)
}

/// Builds the changed `parts` concurrently. Returns true if any had changed.
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

/// WASM features that the compiler and wasm-opt use. Today's browsers reject modules with more.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-exception-handling",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Shrinks a WASM file with wasm-opt and drops its function names.
///
/// Level 1 ships the fewest bytes: from level 2 on, files shrink further but compress worse. The
/// edge takes 112,755 bytes with gzip at level 1, and 119,297 at level 3. The browser's WASM takes
/// 188,232 bytes with Brotli at level 1, and 196,845 at level z. LLVM has already optimised the
/// code.
fn optimise(tools: &Tools, wasm: &Path, steps: Steps) -> Result<(), Failure> {
    let mut command = Command::new(tools.npm("wasm-opt"));
    command.args(FEATURES).args(["-O1", "-o"]).arg(wasm).arg(wasm);
    let shown = wasm.strip_prefix(root()).unwrap_or(wasm).display();
    steps.run(&format!("optimise {shown}"), &mut command, "see wasm-opt's message above")
}
