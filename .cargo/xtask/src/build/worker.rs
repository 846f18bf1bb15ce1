//! Builds a Worker with worker-build.

use super::{Mode, optimise};
use crate::{failure::Failure, paths::root, setup::Tools, step::Steps};

/// Compiles `worker/<name>` to WASM and generates its JavaScript bindings.
pub fn build(tools: &Tools, name: &str, mode: Mode, steps: Steps) -> Result<(), Failure> {
    let program = tools.worker_build();
    let mut command = tools.wasm(&program.to_string_lossy());
    command.current_dir(root().join("worker").join(name)).arg("--out-dir").arg(mode.worker(name)).arg(match mode {
        Mode::Dev => "--dev",
        Mode::Release => "--release",
    });
    steps.run(&format!("build the Worker {name}"), &mut command, "see the compiler's message above")?;
    match mode {
        Mode::Dev => Ok(()),
        Mode::Release => optimise(tools, &mode.wasm(name), steps),
    }
}
