//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to find out.

use crate::{
    budget,
    build::{self, Mode, cargo},
    failure::Failure,
    place::root,
    setup::{self, Tools},
    step::run,
};
use std::{env, path::Path, process::Command};

/// The tests over HTTP need a deployment, so they come after the builds.
const API_TESTS: &str = "ownchat-api-tests";

/// So does what runs the Workers on the real runtime.
const RUNTIME: &str = "ownchat-runtime";

/// And what simulates a deployment.
pub const SIMULATION: &str = "ownchat-simulation";

/// What to do when tests fail.
pub const MEND: &str = "see the test that is named above";

/// The packages with the features that are looked at, each linted and tested by itself: features of one
/// must not leak into another.
const PACKAGES: &[(&str, &str)] = &[
    ("xtask", ""),
    ("ownchat-domain", ""),
    ("ownchat-edge", ""),
    ("ownchat-vault", ""),
    ("ownchat-services", ""),
    ("ownchat-ui", "ssr"),
    ("ownchat-ui", "hydrate"),
    ("ownchat-frontend", ""),
    ("ownchat-console", ""),
    ("ownchat-bench", ""),
    (API_TESTS, ""),
    (RUNTIME, ""),
    (SIMULATION, ""),
];

/// What is tested after the builds.
const ON_BUILDS: &[&str] = &[API_TESTS, RUNTIME, SIMULATION];

/// Runs all of it.
pub fn run_all() -> Result<(), Failure> {
    let tools = setup::tools()?;
    let chromium = setup::for_tests()?;
    run("format", &mut cargo(&["fmt", "--all", "--check"]), "run cargo fmt --all")?;
    for (package, features) in PACKAGES {
        let mut clippy = cargo(&["clippy", "--quiet", "--package", package, "--features", features, "--all-targets"]);
        clippy.args(["--", "--deny", "warnings"]);
        run(&format!("lint {package} {features}"), &mut clippy, "mend what clippy names above")?;
    }
    for (package, features) in PACKAGES.iter().filter(|(package, _)| !ON_BUILDS.contains(package)) {
        run(
            &format!("test {package} {features}"),
            &mut cargo(&["test", "--quiet", "--package", package, "--features", features]),
            MEND,
        )?;
    }
    build::all(&tools, Mode::Release)?;
    budget::check(&tools)?;
    run("test the runtime", &mut cargo(&["test", "--quiet", "--package", RUNTIME]), MEND)?;
    let mut proofs = cargo(&["test", "--quiet", "--package", SIMULATION]);
    run("prove the promises at the size for every day", &mut proofs, MEND)?;
    let mut api = cargo(&["test", "--quiet", "--package", API_TESTS]);
    run("test edge and console over HTTP", with_xtask(&mut api), MEND)?;
    browser_tests(&tools, &chromium)?;
    println!("\nall good");
    Ok(())
}

fn browser_tests(tools: &Tools, chromium: &Path) -> Result<(), Failure> {
    let folder = root().join("tests/browser");
    let mut node = Command::new(tools.npm("node"));
    // Each file starts deployments of its own; two at a time keep two cores busy.
    node.current_dir(&folder).args(["--test", "--test-concurrency=2", "--test-reporter=spec"]);
    node.args(["comfort.test.mjs", "job.test.mjs", "pages.test.mjs"]).env("CHROMIUM", chromium);
    run("test the pages in a browser", with_xtask(&mut node), MEND)?;
    // Alone, and last: it changes a source for a moment.
    let mut node = Command::new(tools.npm("node"));
    node.current_dir(&folder).args(["--test", "--test-reporter=spec", "watch.test.mjs"]).env("CHROMIUM", chromium);
    run("test that a change is shown", with_xtask(&mut node), MEND)
}

/// Tells tests which program starts deployments: this one.
fn with_xtask(command: &mut Command) -> &mut Command {
    if let Ok(program) = env::current_exe() {
        command.env("OWNCHAT_XTASK", program);
    }
    command
}
