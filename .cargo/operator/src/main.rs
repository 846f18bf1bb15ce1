#![doc = include_str!("../README.md")]

mod audit;
mod device;
mod masters;

use std::{fmt::Display, process::ExitCode};

const HELP: &str = "\
audit verify FILE [--head HASH]                verifies the hash chain of an exported audit trail
let-in EMAIL                                   reads MASTER_KEYS, prints a sign-in link for a rate-limited person
master-keys retire ID [--keep locator,pepper]  reads MASTER_KEYS, prints it without this master secret
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["audit", "verify", file] => said(audit::verify(file, None)),
        ["audit", "verify", file, "--head", head] | ["audit", "verify", "--head", head, file] => {
            said(audit::verify(file, Some(head)))
        }
        ["let-in", email] => said(device::let_in(email)),
        ["master-keys", "retire", id] => said(masters::retire(id, "")),
        ["master-keys", "retire", id, "--keep", kept] => said(masters::retire(id, kept)),
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

/// Converts the outcome of a command to the text to print.
fn said(done: Result<impl Display, impl Display>) -> Result<String, String> {
    done.map(|report| report.to_string()).map_err(|why| why.to_string())
}
