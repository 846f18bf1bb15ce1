//! One step of a command: announced, run, timed.

use crate::{failure::Failure, stop};
use std::{
    io::{self, PipeWriter, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

/// How often a step that takes long says that it still runs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How long a program may take to end when it is asked to.
const END_LIMIT: Duration = Duration::from_secs(10);

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Held while lines are printed that must stay together.
static PRINTING: Mutex<()> = Mutex::new(());

/// How steps run, and so when their output is shown.
#[derive(Clone, Copy, Debug)]
pub enum Steps {
    /// One after the other: output is shown as it comes.
    Sequential,
    /// At the same time: the output of a step is shown once it has ended.
    Concurrent,
}

impl Steps {
    /// Runs a program to its end and shows its output. `mend` says what to do should it fail.
    pub fn run(self, step: &str, command: &mut Command, mend: &str) -> Result<(), Failure> {
        match self {
            Self::Sequential => execute(step, command, mend, String::new),
            Self::Concurrent => read(step, command, mend).map(drop),
        }
    }

    /// Runs a program, shows its standard error and returns its standard output.
    pub fn run_and_read(self, step: &str, command: &mut Command, mend: &str) -> Result<String, Failure> {
        let failed = |error: io::Error| Failure::new(step, error.to_string(), mend);
        let (writer, messages) = reader().map_err(failed)?;
        command.stdout(writer);
        match self {
            Self::Sequential => execute(step, command, mend, String::new)?,
            Self::Concurrent => {
                let (writer, shown) = reader().map_err(failed)?;
                command.stderr(writer);
                execute(step, command, mend, || text(shown))?;
            }
        }
        Ok(text(messages))
    }
}

/// Runs a program to its end, then shows and returns standard output and error, interleaved.
pub fn read(step: &str, command: &mut Command, mend: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::new(step, error.to_string(), mend);
    let (writer, reading) = reader().map_err(failed)?;
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let mut output = String::new();
    execute(step, command, mend, || {
        output = text(reading);
        output.clone()
    })?;
    Ok(output)
}

/// Runs a program to its end. `output` returns the output that was not shown while it ran.
fn execute(step: &str, command: &mut Command, mend: &str, output: impl FnOnce() -> String) -> Result<(), Failure> {
    say(&format!("\n── {step}"));
    let failed = |why: String| Failure::new(step, why, mend);
    let begin = now();
    // A group of its own: whatever the program starts can be ended with it.
    let started = command.stdin(Stdio::null()).process_group(0).spawn();
    // The reader waits until every copy of the writing end is closed, ours too.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = started.map_err(|error| failed(format!("{} did not start: {error}", name(command))))?;
    let status = wait(step, &mut child, begin, mend);
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

/// The end of a pipe for a program to write to, and the thread that reads it to its end.
fn reader() -> io::Result<(PipeWriter, JoinHandle<Vec<u8>>)> {
    let (mut reader, writer) = io::pipe()?;
    let read = move || {
        let mut bytes = Vec::new();
        // Output before an error is still worth showing.
        let _ = reader.read_to_end(&mut bytes);
        bytes
    };
    Ok((writer, thread::spawn(read)))
}

/// The text that was read, ending in a line break.
fn text(reading: JoinHandle<Vec<u8>>) -> String {
    let bytes = reading.join().unwrap_or_default();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Prints lines that stay together.
pub fn say(text: &str) {
    let _printing = PRINTING.lock().unwrap_or_else(PoisonError::into_inner);
    // Where nobody reads any more, nothing can be said.
    let _ = writeln!(io::stdout(), "{text}");
}

fn wait(step: &str, child: &mut Child, begin: Instant, mend: &str) -> Result<ExitStatus, Failure> {
    let mut next_sign = SIGN_OF_LIFE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if stop::requested() => {
                end_group(child);
                return Err(Failure::stopped(step));
            }
            Ok(None) => sleep(LOOK),
            Err(error) => return Err(Failure::new(step, error.to_string(), mend)),
        }
        if begin.elapsed() >= next_sign {
            say(&format!("   {step}: {} s so far", next_sign.as_secs()));
            next_sign += SIGN_OF_LIFE;
        }
    }
}

/// Runs a program that may hang, and ends it after a time. Says whether it succeeded.
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
        for steps in [Steps::Sequential, Steps::Concurrent] {
            assert!(steps.run("true", &mut Command::new("true"), "").is_ok());
            let failed = steps.run("step", &mut Command::new("false"), "mend it").unwrap_err();
            assert!(failed.why.contains("false") && failed.mend == "mend it", "{failed}");
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
