//! `cargo xtask prove`: proves the promises at full size, first those that need no runtime.

mod list;
mod results;

use crate::{
    build::{self, Mode, part::Part},
    cargo::cargo,
    failure::Failure,
    paths::{root, target},
    setup,
    step::{Steps, now, output, say},
    test::{PROOFS_AT_ONCE, SIMULATION, TESTS_REMEDY},
};
use list::{IN_THE_SIMULATION, ON_BUILDS, ON_THE_HOST, Proof};
use results::Outcome;
use std::{
    fs,
    io::{self, BufRead, BufReader},
    process::Command,
    thread,
};

/// The results that the docs show.
const TABLE: &str = "app/docs/data/proofs.json";

/// Runs all proofs, prints their figures, and writes the table of the docs.
///
/// A proof of the simulation that fails stands in the table; a run that ended before writes none.
pub fn run_all() -> Result<(), Failure> {
    let tools = setup::tools()?;
    let mut outcomes = Vec::new();
    for proof in ON_THE_HOST {
        outcomes.push(alone(proof, &mut at_full_size(proof.tests))?);
    }
    build::parts(&Part::ALL, &tools, Mode::Release, Steps::Sequential)?;
    for proof in ON_BUILDS {
        outcomes.push(alone(proof, cargo(&["test", "--quiet"]).args(proof.tests))?);
    }
    let figures = target().join("prove/figures.txt");
    let failed = |error: io::Error| Failure::new("prove", error.to_string(), "see whether the disk is full");
    fs::create_dir_all(target().join("prove")).map_err(failed)?;
    fs::write(&figures, "").map_err(failed)?;
    let simulation = ["--package", SIMULATION, "--test", "proofs"];
    Steps::Sequential.run("build the proofs", at_full_size(&simulation).arg("--no-run"), TESTS_REMEDY)?;
    // Without `--quiet` the test runner names each test.
    let mut proofs = cargo(&["test", "--profile", "proofs"]);
    proofs.args(simulation).args(["--", PROOFS_AT_ONCE]).env("PROVE", "1").env("PROVE_FIGURES", &figures);
    let (lines, outcome) = timed("prove the promises at full size (about an hour on two cores)", &mut proofs)?;
    println!("\n{}", table(&fs::read_to_string(&figures).map_err(failed)?));
    match results::read(IN_THE_SIMULATION, &lines) {
        Ok(simulated) => outcomes.extend(simulated),
        Err(why) => return outcome.and(Err(Failure::new("read the results", why, "add the proof to prove/list.rs"))),
    }
    write(&outcomes)?;
    outcome
}

/// Runs a proof that has a command of its own.
fn alone(proof: &'static Proof, command: &mut Command) -> Result<Outcome, Failure> {
    let begin = now();
    Steps::Sequential.run(&format!("prove {}", proof.name), command, TESTS_REMEDY)?;
    Ok(Outcome::passed(proof, begin.elapsed().as_secs_f64()))
}

/// Returns a cargo command that runs tests at full size.
fn at_full_size(tests: &[&str]) -> Command {
    let mut command = cargo(&["test", "--quiet", "--profile", "proofs"]);
    command.args(tests).env("PROVE", "1");
    command
}

/// Lines of output, each with the seconds at which it came.
type Lines = Vec<(String, f64)>;

/// Runs a program, shows its standard output as it comes, and returns the lines and the outcome.
fn timed(step: &str, command: &mut Command) -> Result<(Lines, Result<(), Failure>), Failure> {
    let failed = |why: String| Failure::new(step, why, TESTS_REMEDY);
    let (reader, writer) = io::pipe().map_err(|error| failed(error.to_string()))?;
    let begin = now();
    let lines = thread::spawn(move || -> Lines {
        let lines = BufReader::new(reader).lines().map_while(Result::ok);
        lines.inspect(|line| say(line)).map(|line| (line, begin.elapsed().as_secs_f64())).collect()
    });
    let outcome = Steps::Sequential.run(step, command.stdout(writer), TESTS_REMEDY);
    let lines = lines.join().map_err(|_| failed("its output cannot be read".to_owned()))?;
    Ok((lines, outcome))
}

/// Writes the table of the docs.
fn write(outcomes: &[Outcome]) -> Result<(), Failure> {
    const STEP: &str = "write the table of the docs";
    let failed = |why: String| Failure::new(STEP, why, "see the disk");
    let date =
        output(Command::new("date").args(["-u", "+%F"])).ok_or_else(|| failed("date does not run".to_owned()))?;
    let rows: Vec<String> = outcomes.iter().map(|outcome| format!("  {}", outcome.row(&date))).collect();
    let file = root().join(TABLE);
    let write = || {
        fs::create_dir_all(file.parent().unwrap_or(&file))?;
        fs::write(&file, format!("[\n{}\n]\n", rows.join(",\n")))
    };
    write().map_err(|error: io::Error| failed(error.to_string()))
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

    #[test]
    fn lines_are_noted_as_they_come() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; sleep 0.2; echo two; exit 3"]);
        let (lines, outcome) = timed("speak", &mut command).unwrap();
        assert!(outcome.is_err());
        let [(one, first), (two, second)] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((one.as_str(), two.as_str()), ("one", "two"));
        assert!(*second - *first > 0.1, "{lines:?}");
    }
}
