//! The project's own commands. `cargo xtask help` lists them.

mod budget;
mod build;
mod dev;
mod failure;
mod place;
mod prove;
mod setup;
mod step;
mod stop;
mod test;
mod versions;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask dev     builds and runs everything on this machine, until Ctrl-C
    --fresh         forgets the state of earlier runs
    --watch         builds again what changes
    --release       builds as for a deployment
    --no-build      runs what was built before
cargo xtask test    formats, lints, builds and tests everything; stops at the first thing that is wrong
cargo xtask prove   shows on a simulated deployment, at full size, that the promises are kept
cargo xtask help    this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["dev", options @ ..] => stop::listen().and_then(|()| dev::run(options)),
        ["prove"] => stop::listen().and_then(|()| prove::run_all()),
        ["test"] => stop::listen().and_then(|()| test::run_all()),
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
