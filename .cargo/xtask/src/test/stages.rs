//! The table of test stages and the plan that schedules them.

use super::Session;
use crate::{
    budget,
    build::part::Part,
    crates,
    failure::Failure,
    packages::Packages,
    paths::root,
    step::{self, Steps},
    tidy,
};
use std::{env, fmt::Write, fs, process::Command, sync::atomic::Ordering};

/// The package of the simulation and its proofs.
pub const SIMULATION: &str = "ownchat-simulation";

/// Starts all proofs at once: the simulation itself limits concurrency.
pub const PROOFS_AT_ONCE: &str = "--test-threads=64";

/// Remedy for failed tests.
pub const TESTS_REMEDY: &str = "see the test that is named above";

/// One stage of `cargo xtask test`.
#[derive(Debug)]
pub struct Stage {
    /// Name on the command line.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Budget in seconds on two cores, without builds.
    pub budget: u64,
    /// True if a filter can select from its tests.
    pub has_tests: bool,
    /// Parts to build before it runs.
    pub parts: &'static [Part],
    /// Runs the stage.
    pub run: fn(&Session, Steps) -> Result<(), Failure>,
}

/// Vault and edge, the only parts that the simulation runs.
const CORE: &[Part] = &[Part::Vault, Part::Edge];

/// All stages.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "lint",
        help: "tidy rules, third-party crates; format and lints of every package",
        budget: 30,
        has_tests: false,
        parts: &[],
        run: lint,
    },
    Stage { name: "unit", help: "host tests of every package", budget: 60, has_tests: true, parts: &[], run: unit },
    Stage {
        name: "docs",
        help: "documentation comments: no broken links",
        budget: 30,
        has_tests: false,
        parts: &[],
        run: docs,
    },
    Stage {
        name: "build",
        help: "the Workers, the browser's files and the demo services, for release",
        budget: 10,
        has_tests: false,
        parts: &Part::ALL,
        run: |_, _| Ok(()),
    },
    Stage {
        name: "sizes",
        help: "compressed size of each shipped part against its budget",
        budget: 5,
        has_tests: false,
        parts: &Part::ALL,
        run: sizes,
    },
    Stage {
        name: "runtime",
        help: "the Workers on the bare runtime",
        budget: 15,
        has_tests: true,
        parts: CORE,
        run: |session, steps| session.cargo_test("test the runtime", "runtime", "--test-threads=2", steps),
    },
    Stage {
        name: "proofs",
        help: "proofs of the promises on a simulated deployment, at daily size",
        budget: 270,
        has_tests: true,
        parts: CORE,
        run: |session, steps| session.cargo_test("prove the promises", "proofs", PROOFS_AT_ONCE, steps),
    },
    Stage {
        name: "api",
        help: "edge and console over HTTP",
        budget: 90,
        has_tests: true,
        parts: &Part::ALL,
        run: |session, steps| session.cargo_test("test over HTTP", "api", "--test-threads=4", steps),
    },
    Stage {
        name: "browser",
        help: "the pages in Chromium",
        budget: 120,
        has_tests: true,
        parts: &Part::ALL,
        run: browser,
    },
];

/// The rounds of a run. Rounds run sequentially, lanes of a round concurrently, stages of a lane in
/// order.
///
/// No timing-sensitive stage runs concurrently with compilers: they keep both cores busy.
pub const PLAN: &[&[&[&str]]] =
    &[&[&["lint", "unit", "docs"], &["build"]], &[&["sizes", "runtime"]], &[&["proofs"]], &[&["api", "browser"]]];

/// Lists the stages, with budget and help.
pub fn list() -> String {
    STAGES.iter().fold(String::new(), |mut list, stage| {
        let _ = writeln!(list, "{:<9}{:>4} s  {}", stage.name, stage.budget, stage.help);
        list
    })
}

fn lint(_: &Session, steps: Steps) -> Result<(), Failure> {
    tidy::run()?;
    crates::check(steps)?;
    let packages = Packages::read()?;
    packages.all().format(steps)?;
    packages.all().lint(steps)
}

fn unit(session: &Session, steps: Steps) -> Result<(), Failure> {
    for test in Packages::read()?.all().host_tests(steps)? {
        session.tests(&format!("test {}", test.name), test.command().args(&session.filter), steps)?;
    }
    Ok(())
}

fn docs(_: &Session, steps: Steps) -> Result<(), Failure> {
    Packages::read()?.all().document(steps)
}

fn sizes(session: &Session, _: Steps) -> Result<(), Failure> {
    match &session.tools {
        Some(tools) => budget::check(tools, session.mode),
        None => Ok(()),
    }
}

fn browser(session: &Session, steps: Steps) -> Result<(), Failure> {
    // This test changes a source for a moment, so it runs alone.
    const ALONE: &str = "watch.test.mjs";
    let folder = root().join("tests/browser");
    let mut files: Vec<String> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| file.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs") && name != ALONE)
        .collect();
    files.sort();
    let node = |step: &str, files: &[String]| {
        let program = session.tools.as_ref().map(crate::setup::Tools::node).unwrap_or_default();
        let mut node = Command::new(program);
        // Each file starts its own deployments; two at a time keep two cores busy.
        node.current_dir(&folder).args(["--test", "--test-concurrency=2", "--test-reporter=spec"]);
        // With no match for the filter, a file's deployments would otherwise keep Node alive.
        node.arg("--test-force-exit");
        if let Some(filter) = &session.filter {
            node.arg(format!("--test-name-pattern={filter}"));
        }
        if let Some(chromium) = &session.chromium {
            node.env("CHROMIUM", chromium);
        }
        session.tests(step, node.args(files), steps)
    };
    node("test the pages in a browser", &files)?;
    node("test that a change is shown", &[ALONE.to_owned()])
}

impl Session {
    /// Runs an integration test with cargo.
    fn cargo_test(&self, step: &str, name: &str, threads: &str, steps: Steps) -> Result<(), Failure> {
        let mut tests = Packages::read()?.on_server(&["test", "--quiet", "--test", name]);
        tests.args(["--", threads]).args(&self.filter);
        self.tests(step, &mut tests, steps)
    }

    /// Runs tests, and counts them if there is a filter.
    fn tests(&self, step: &str, command: &mut Command, steps: Steps) -> Result<(), Failure> {
        command.env("OWNCHAT_MODE", self.mode.name());
        // The tests start deployments with this program.
        if let Ok(program) = env::current_exe() {
            command.env("OWNCHAT_XTASK", program);
        }
        if self.filter.is_none() {
            return steps.run(step, command, TESTS_REMEDY);
        }
        let output = step::read(step, command, TESTS_REMEDY)?;
        self.ran.fetch_add(passed(&output), Ordering::Relaxed);
        Ok(())
    }
}

/// Counts the passed tests in the output of cargo's and Node's test runners.
fn passed(output: &str) -> usize {
    let cargo = |line: &str| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok();
    // Node reports a file without a matching test as passed, by file name.
    let node = |line: &str| usize::from(line.trim_start().starts_with("✔ ") && !line.contains(".test.mjs ("));
    output.lines().map(|line| cargo(line).unwrap_or_else(|| node(line))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_stands_in_the_plan_once() {
        let mut planned: Vec<&str> = PLAN.iter().flat_map(|round| round.iter().copied().flatten()).copied().collect();
        let mut names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        planned.sort_unstable();
        names.sort_unstable();
        assert_eq!(planned, names);
    }

    #[test]
    fn tests_that_passed_are_counted() {
        let output = "running 2 tests\n..\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\n\
                      ✔ one (1.5ms)\n▶ some\n  ✔ two (2ms)\n✔ job.test.mjs (3ms)\n✖ three (1ms)\nℹ pass 4\n";
        assert_eq!(passed(output), 4);
    }
}
