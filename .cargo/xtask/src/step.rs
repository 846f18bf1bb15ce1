//! One step of a command: announced, run, timed.

use crate::failure::Failure;
use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// Runs a program to its end and shows what it prints. `mend` says what to do should it fail.
pub fn run(step: &str, command: &mut Command, mend: &str) -> Result<(), Failure> {
    println!("\n── {step}");
    let begin = now();
    let status = command
        .status()
        .map_err(|error| Failure::new(step, format!("{} did not start: {error}", name(command)), mend))?;
    if !status.success() {
        return Err(Failure::new(step, format!("{} ended with {status}", name(command)), mend));
    }
    println!("── {step}: done in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a program that may hang, and ends it after a time. Says whether it succeeded.
pub fn attempt(step: &str, command: &mut Command, limit: Duration) -> bool {
    println!("\n── {step} (at most {} s)", limit.as_secs());
    let begin = now();
    let Ok(mut child) = command.spawn() else { return false };
    while begin.elapsed() < limit {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => sleep(Duration::from_millis(100)),
            Err(_) => break,
        }
    }
    // It may have ended just now; then there is nothing to kill.
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// What a program prints on standard output, without the line's end; nothing if it fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The clock.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
pub fn now() -> Instant {
    Instant::now()
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

    #[test]
    fn a_program_that_hangs_is_ended() {
        let begin = now();
        assert!(!attempt("hang", Command::new("sleep").arg("60"), Duration::from_millis(200)));
        assert!(begin.elapsed() < Duration::from_secs(30));
        assert!(attempt("pass", &mut Command::new("true"), Duration::from_secs(30)));
    }
}
