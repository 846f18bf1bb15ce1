//! Runs the steps of a command as child processes. Announces and times each step.

use crate::{failure::Failure, stop};
use std::{
    io::{self, PipeWriter, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

/// Interval of the progress messages of a long step.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Timeout between SIGTERM and SIGKILL.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Polling interval for a running process.
const LOOK: Duration = Duration::from_millis(20);

/// Held while printing lines that must stay together.
static PRINTING: Mutex<()> = Mutex::new(());

/// Scheduling of steps, which decides when their output appears.
#[derive(Clone, Copy, Debug)]
pub enum Steps {
    /// One step at a time, with its output as it comes.
    Sequential,
    /// Several steps at a time. The output of a step appears once it has ended.
    Concurrent,
}

impl Steps {
    /// Runs a program to its end and shows its output. `remedy` is the remedy if it fails.
    pub fn run(self, step: &str, command: &mut Command, remedy: &str) -> Result<(), Failure> {
        match self {
            Self::Sequential => execute(step, command, remedy, String::new),
            Self::Concurrent => read(step, command, remedy).map(drop),
        }
    }

    /// Runs a program, shows its standard error and returns its standard output.
    pub fn run_and_read(self, step: &str, command: &mut Command, remedy: &str) -> Result<String, Failure> {
        let failed = |error: io::Error| Failure::new(step, error.to_string(), remedy);
        let (writer, messages) = reader().map_err(failed)?;
        command.stdout(writer);
        match self {
            Self::Sequential => execute(step, command, remedy, String::new)?,
            Self::Concurrent => {
                let (writer, shown) = reader().map_err(failed)?;
                command.stderr(writer);
                execute(step, command, remedy, || text(shown))?;
            }
        }
        Ok(text(messages))
    }
}

/// Runs a program to its end, then shows and returns standard output and error, interleaved.
pub fn read(step: &str, command: &mut Command, remedy: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::new(step, error.to_string(), remedy);
    let (writer, reading) = reader().map_err(failed)?;
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut output = String::new();
    execute(step, command, remedy, || {
        output = text(reading);
        output.clone()
    })?;
    Ok(output)
}

/// Runs a program to its end. `output` returns the output not shown so far.
fn execute(step: &str, command: &mut Command, remedy: &str, output: impl FnOnce() -> String) -> Result<(), Failure> {
    say(&format!("\n── {step}"));
    let failed = |why: String| Failure::new(step, why, remedy);
    let begin = now();
    // A separate process group, so that ending it also ends the program's children.
    let started = command.stdin(Stdio::null()).process_group(0).spawn();
    // Close our write ends of the pipes: the reader waits until every copy is closed.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = started.map_err(|error| failed(format!("{} did not start: {error}", name(command))))?;
    let status = wait(step, &mut child, begin, remedy);
    let output = output();
    let (outcome, seconds) = match &status {
        Ok(status) if status.success() => ("done in", begin.elapsed().as_secs_f64()),
        _ => ("ended after", begin.elapsed().as_secs_f64()),
    };
    let title = if output.is_empty() { String::new() } else { format!("\n── {step}: its output\n{output}") };
    say(&format!("{title}── {step}: {outcome} {seconds:.1} s"));
    let status = status?;
    if status.success() { Ok(()) } else { Err(failed(format!("{} ended with {status}", name(command)))) }
}

/// Creates a pipe. Returns its write end and a thread that reads it to the end.
fn reader() -> io::Result<(PipeWriter, JoinHandle<Vec<u8>>)> {
    let (mut reader, writer) = io::pipe()?;
    let read = move || {
        let mut bytes = Vec::new();
        // Output before a read error is still worth showing.
        let _ = reader.read_to_end(&mut bytes);
        bytes
    };
    Ok((writer, thread::spawn(read)))
}

/// Returns the text read, ending in a line break.
fn text(reading: JoinHandle<Vec<u8>>) -> String {
    let bytes = reading.join().unwrap_or_default();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Prints lines without interleaving those of other threads.
pub fn say(text: &str) {
    let _printing = PRINTING.lock().unwrap_or_else(PoisonError::into_inner);
    // Ignore errors: a closed pipe has no reader.
    let _ = writeln!(io::stdout(), "{text}");
}

fn wait(step: &str, child: &mut Child, begin: Instant, remedy: &str) -> Result<ExitStatus, Failure> {
    let mut next_sign = SIGN_OF_LIFE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if stop::requested() => {
                end_group(child);
                return Err(Failure::stopped(step));
            }
            Ok(None) => sleep(LOOK),
            Err(error) => return Err(Failure::new(step, error.to_string(), remedy)),
        }
        if begin.elapsed() >= next_sign {
            say(&format!("   {step}: {} s so far", next_sign.as_secs()));
            next_sign += SIGN_OF_LIFE;
        }
    }
}

/// Runs a program that may hang, with a timeout. Returns true if it succeeded.
pub fn attempt(step: &str, command: &mut Command, limit: Duration) -> bool {
    say(&format!("\n── {step} (at most {} s)", limit.as_secs()));
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

/// Terminates the process group that a program leads: SIGTERM, a grace period of 10 s, SIGKILL.
/// The grace period lets its processes release locks and restore files.
pub fn end_group(child: &mut Child) {
    signal_group(child, "TERM");
    let begin = now();
    while begin.elapsed() < END_LIMIT && matches!(child.try_wait(), Ok(None)) {
        sleep(LOOK);
    }
    signal_group(child, "KILL");
    let _ = child.wait();
}

/// Uses the shell's built-in `kill`: some machines lack the program.
fn signal_group(child: &Child, signal: &str) {
    // The group may have ended already; then there is no process to signal.
    let _ = Command::new("sh").args(["-c", &format!("kill -{signal} -{}", child.id())]).output();
}

/// Returns the trimmed standard output of a program, or `None` if it fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the current time of the monotonic clock.
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
        for steps in [Steps::Sequential, Steps::Concurrent] {
            assert!(steps.run("true", &mut Command::new("true"), "").is_ok());
            let failed = steps.run("step", &mut Command::new("false"), "fix it").unwrap_err();
            assert!(failed.why.contains("false") && failed.remedy == "fix it", "{failed}");
            let missing = steps.run("step", &mut Command::new("no-such-program-here"), "install it").unwrap_err();
            assert!(missing.why.contains("did not start"), "{missing}");
        }
    }

    #[test]
    fn output_is_read_from_both_of_its_streams() {
        let mut command = Command::new("sh");
        let output = read("speak", command.args(["-c", "echo one; echo two >&2; printf three"]), "");
        assert_eq!(output.unwrap(), "one\ntwo\nthree\n");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let mark = std::env::temp_dir().join(format!("ownchat-step-{}", std::process::id()));
        // The shell's child would survive, and then create the file `mark`.
        let script = format!("(trap '' TERM; sleep 1; touch {}) & wait", mark.display());
        let begin = now();
        assert!(!attempt("hang", Command::new("sh").args(["-c", &script]), Duration::from_millis(200)));
        assert!(begin.elapsed() < Duration::from_secs(30));
        sleep(Duration::from_millis(1_500));
        assert!(!mark.exists(), "what it started goes on");
        assert!(attempt("pass", &mut Command::new("true"), Duration::from_secs(30)));
    }
}
