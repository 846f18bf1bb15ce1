//! One step of a command: announced, run, timed.

use crate::failure::Failure;
use std::{process::Command, time::Instant};

/// Runs a program to its end and shows what it prints. `mend` says what to do should it fail.
pub fn run(step: &str, command: &mut Command, mend: &str) -> Result<(), Failure> {
    println!("\n── {step}");
    #[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
    let begin = Instant::now();
    let status = command
        .status()
        .map_err(|error| Failure::new(step, format!("{} did not start: {error}", name(command)), mend))?;
    if !status.success() {
        return Err(Failure::new(step, format!("{} ended with {status}", name(command)), mend));
    }
    println!("── {step}: done in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_or_is_missing_is_named() {
        assert!(run("true", &mut Command::new("true"), "").is_ok());
        let failed = run("step", &mut Command::new("false"), "mend it").unwrap_err();
        assert!(failed.why.contains("false") && failed.mend == "mend it", "{failed}");
        let missing = run("step", &mut Command::new("no-such-program-here"), "install it").unwrap_err();
        assert!(missing.why.contains("did not start"), "{missing}");
    }
}
