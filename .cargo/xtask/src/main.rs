#![doc = include_str!("../README.md")]

mod bench;
mod budget;
mod build;
mod cargo;
mod check;
mod crates;
mod dev;
mod failure;
mod operator;
mod packages;
mod paths;
mod prove;
mod setup;
mod step;
mod stop;
mod test;
mod tidy;
mod versions;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask dev     builds and runs a local deployment until Ctrl-C
    --fresh         deletes the state of earlier runs
    --watch         rebuilds and restarts when sources change
    --release       builds as for a deployment
    --no-build      starts the last build
    --temporary     ends with its standard input and deletes its state; for tests
cargo xtask check   during development: tidy rules, third-party crates; format, lints, comments and host tests of the
                    packages that differ from the last commit on main, and of their dependents
    --all           every package
cargo xtask test    before a merge: all stages in order; stops at the first failure
    STAGE…          only these stages
    -- NAME         only tests with NAME in their names
    --dev           tests development builds instead of release builds
    --list          lists the stages
cargo xtask prove   proves the promises at full size on a simulated deployment, and writes app/docs/data/proofs.json
cargo xtask bench   benchmarks the edge beside other Workers, and writes app/docs/data/bench.json
cargo xtask audit verify FILE
                    verifies the hash chain of an audit trail exported as NDJSON
    --head HASH     also verifies that the last line has this hash, so that no lines are missing at the end
cargo xtask let-in EMAIL
                    reads MASTER_KEYS from the environment, and prints a sign-in link for a person whose sign-in is
                    rate-limited because others guess the password
cargo xtask master-keys retire ID
                    reads MASTER_KEYS from the environment, and prints it without the master secret ID
    --keep USES     keeps the derived keys for locator, pepper, or locator,pepper
cargo xtask help    prints this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["dev", options @ ..] => stop::listen().and_then(|()| dev::run(options)),
        ["bench"] => stop::listen().and_then(|()| bench::run_all()),
        ["prove"] => stop::listen().and_then(|()| prove::run_all()),
        ["check", options @ ..] => stop::listen().and_then(|()| check::run(options)),
        ["test", options @ ..] => stop::listen().and_then(|()| test::run(options)),
        ["audit" | "let-in" | "master-keys", ..] => match operator::run(&words) {
            Ok(code) => return ExitCode::from(code),
            Err(failure) => Err(failure),
        },
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprint!("There is no command \"{}\".\n\n{HELP}", other.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
