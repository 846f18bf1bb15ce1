//! What an operator does without the deployment. `cargo xtask` starts it, so that the task runner itself stays
//! small.

mod audit;

use std::process::ExitCode;

const HELP: &str = "\
audit verify FILE [--head HASH]    checks the hash chain of an audit trail
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["audit", "verify", file] => audit::verify(file, None),
        ["audit", "verify", file, "--head", head] | ["audit", "verify", "--head", head, file] => {
            audit::verify(file, Some(head))
        }
        other => {
            eprint!("There is no command \"{}\".\n\n{HELP}", other.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
