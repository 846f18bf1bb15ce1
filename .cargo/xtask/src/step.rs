//! One step of a command: announced, run, timed.

use crate::{failure::Failure, stop};
use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How often a step that takes long says that it is still at it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How long a program may take to end when it is asked to.
const END_LIMIT: Duration = Duration::from_secs(10);

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a program to its end and shows what it prints. `mend` says what to do should it fail.
pub fn run(step: &str, command: &mut Command, mend: &str) -> Result<(), Failure> {
    println!("\n── {step}");
    let begin = now();
    // A group of its own: whatever the program starts can be ended with it.
    let mut child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::new(step, format!("{} did not start: {error}", name(command)), mend))?;
    let status = wait(step, &mut child, begin, mend)?;
    if !status.success() {
        return Err(Failure::new(step, format!("{} ended with {status}", name(command)), mend));
    }
    println!("── {step}: done in {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}

fn wait(step: &str, child: &mut Child, begin: Instant, mend: &str) -> Result<ExitStatus, Failure> {
    let mut next_sign = SIGN_OF_LIFE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if stop::requested() => {
                end_group(child);
                return Err(Failure::new(step, "it was stopped", "start again when you are ready"));
            }
            Ok(None) => sleep(LOOK),
            Err(error) => return Err(Failure::new(step, error.to_string(), mend)),
        }
        if begin.elapsed() >= next_sign {
            println!("   {step}: {} s so far", next_sign.as_secs());
            next_sign += SIGN_OF_LIFE;
        }
    }
}

/// Runs a program that may hang, and ends it after a time. Says whether it succeeded.
pub fn attempt(step: &str, command: &mut Command, limit: Duration) -> bool {
    println!("\n── {step} (at most {} s)", limit.as_secs());
    let begin = now();
    let Ok(mut child) = command.stdin(Stdio::null()).process_group(0).spawn() else { return false };
    while begin.elapsed() < limit && !stop::requested() {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => sleep(LOOK),
            Err(_) => break,
        }
    }
    end_group(&mut child);
    false
}

/// Ends a program that leads a group, and everything that it has started: kindly first, so that what holds a
/// lock or has a file to restore can do so.
pub fn end_group(child: &mut Child) {
    signal_group(child, "TERM");
    let begin = now();
    while begin.elapsed() < END_LIMIT && matches!(child.try_wait(), Ok(None)) {
        sleep(LOOK);
    }
    signal_group(child, "KILL");
    let _ = child.wait();
}

/// The shell's own `kill`: the program of that name is not on every machine.
fn signal_group(child: &Child, signal: &str) {
    // It may have ended just now; then there is nobody to be told.
    let _ = Command::new("sh").args(["-c", &format!("kill -{signal} -{}", child.id())]).output();
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
    fn a_program_that_hangs_is_ended_with_what_it_started() {
        let mark = std::env::temp_dir().join(format!("ownchat-step-{}", std::process::id()));
        // The shell's own child is what would survive; it writes the mark if it does.
        let script = format!("(trap '' TERM; sleep 1; touch {}) & wait", mark.display());
        let begin = now();
        assert!(!attempt("hang", Command::new("sh").args(["-c", &script]), Duration::from_millis(200)));
        assert!(begin.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_millis(1_500));
        assert!(!mark.exists(), "what it started goes on");
        assert!(attempt("pass", &mut Command::new("true"), Duration::from_secs(30)));
    }
}
