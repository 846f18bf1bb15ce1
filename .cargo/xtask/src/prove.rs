//! `cargo xtask prove`: proves the promises at full size, first those that need no runtime.

use crate::{
    build::{self, Mode, part::Part},
    cargo::cargo,
    failure::Failure,
    place::target,
    setup,
    step::Steps,
    test::{MEND, PROOFS_AT_ONCE, SIMULATION},
};
use std::{fs, io, process::Command};

/// Proofs that need no runtime: title and cargo options. `PROVE` scales these tests to full size.
const ON_THE_HOST: &[(&str, &[&str])] = &[
    ("fuzz whatever is read from elsewhere", &["--package", "ownchat-domain", "--test", "fuzz"]),
    ("fuzz where lists go on", &["--package", "ownchat-vault", "--lib", "--", "registry::list::"]),
    ("fuzz the bodies that the edge reads", &["--package", "ownchat-edge", "--lib", "--", "verify_request::"]),
    ("walk at random", &["--package", "ownchat-vault", "--lib", "--", "registry::walk::", "--nocapture"]),
];

/// Builds the simulated Workers, runs all proofs, and prints the figures.
pub fn run_all() -> Result<(), Failure> {
    let tools = setup::tools()?;
    for (what, tests) in ON_THE_HOST {
        Steps::Sequential.run(what, &mut at_full_size(tests), MEND)?;
    }
    build::parts(&[Part::Vault, Part::Edge], &tools, Mode::Release, Steps::Sequential)?;
    let figures = target().join("prove/figures.txt");
    let failed = |error: io::Error| Failure::new("prove", error.to_string(), "see whether the disk is full");
    fs::create_dir_all(target().join("prove")).map_err(failed)?;
    fs::write(&figures, "").map_err(failed)?;
    let mut proofs = at_full_size(&["--package", SIMULATION, "--test", "proofs", "--", PROOFS_AT_ONCE]);
    proofs.env("PROVE_FIGURES", &figures);
    let outcome =
        Steps::Sequential.run("prove the promises at full size (about an hour on two cores)", &mut proofs, MEND);
    println!("\n{}", table(&fs::read_to_string(&figures).map_err(failed)?));
    outcome
}

/// Returns a cargo command that runs tests at full size.
fn at_full_size(tests: &[&str]) -> Command {
    let mut command = cargo(&["test", "--quiet", "--profile", "proofs"]);
    command.args(tests).env("PROVE", "1");
    command
}

/// Formats lines of name, tab and figure as a table.
fn table(lines: &str) -> String {
    let rows: Vec<(&str, &str)> = lines.lines().filter_map(|line| line.split_once('\t')).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, found)| format!("{name:width$}  {found}\n")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_below_each_other() {
        assert_eq!(table("a\tone\nlonger\ttwo\nno figure\n"), "a       one\nlonger  two\n");
    }
}
