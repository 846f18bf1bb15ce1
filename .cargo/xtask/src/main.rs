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
mod place;
mod prove;
mod setup;
mod step;
mod stop;
mod test;
mod tidy;
mod versions;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask dev     builds and runs everything on this machine, until Ctrl-C
    --fresh         forgets the state of earlier runs
    --watch         builds again what changes
    --release       builds as for a deployment
    --no-build      runs what was built before
    --temporary     ends when its standard input does, and forgets its state
cargo xtask check   while you work: tidy rules, format, lints and host tests of the packages that differ from main's last
                    commit, and of those that depend on them
    --all           of every package
cargo xtask test    before you hand over: everything, stage by stage; ends at the first failure
    STAGE…          only these stages
    -- NAME         only the tests with NAME in their names
    --dev           on quick builds instead of those for a deployment
    --list          the stages
cargo xtask prove   shows on a simulated deployment, at full size, that the promises are kept, and writes
                    app/docs/data/proofs.json
cargo xtask bench   measures the edge beside others, and writes app/docs/data/bench.json
cargo xtask audit verify FILE
                    checks the hash chain of an audit trail that was handed out as NDJSON
    --head HASH     and that it ends with this hash: that nothing is missing at its end
cargo xtask let-in EMAIL
                    reads MASTER_KEYS from the environment and prints a link with which this person signs in
                    without waiting for others who guess at the password
cargo xtask master-keys retire ID
                    reads MASTER_KEYS from the environment and prints it without the older secret ID
    --keep USES     but with what is left of it for locator, pepper, or locator,pepper
cargo xtask help    this text
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
