//! A child process that ends with this one.
//!
//! This process holds the other end of the child's standard input. The pipe closes however this
//! process ends, and the child treats that as the signal to stop.

use crate::{
    failure::Failure,
    step::{end_group, now},
};
use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// Timeout for a graceful stop, before the process group is terminated.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running child process.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
}

impl Process {
    /// Starts a program. Writes `line`, if given, to its standard input.
    pub fn start(name: &'static str, command: &mut Command, line: Option<&str>) -> Result<Self, Failure> {
        let failed = |why: String| Failure::new(format!("start {name}"), why, "see what was printed above");
        // In its own process group the child gets no Ctrl-C, so it stops gracefully.
        let mut child =
            command.stdin(Stdio::piped()).process_group(0).spawn().map_err(|error| failed(error.to_string()))?;
        let mut input = child.stdin.take();
        if let (Some(line), Some(input)) = (line, &mut input) {
            writeln!(input, "{line}").map_err(|error| failed(error.to_string()))?;
        }
        Ok(Self { name, child, input })
    }

    /// Fails if the process has ended.
    pub fn must_run(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(Failure::new(
                format!("run {}", self.name),
                format!("it ended with {status}"),
                "see what it printed above",
            )),
            Err(error) => Err(Failure::new(format!("run {}", self.name), error.to_string(), "start again")),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        let begin = now();
        while begin.elapsed() < STOP_LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            sleep(Duration::from_millis(20));
        }
        // Its children may outlive it, above all after a crash.
        end_group(&mut self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_reads_to_the_end_ends_when_it_is_dropped() {
        let begin = now();
        drop(Process::start("cat", Command::new("cat").stdout(Stdio::null()), Some("line")).unwrap());
        assert!(begin.elapsed() < STOP_LIMIT, "it had to be killed");
    }

    #[test]
    fn a_program_that_ended_is_reported() {
        let mut process = Process::start("false", &mut Command::new("false"), None).unwrap();
        let begin = now();
        while process.must_run().is_ok() && begin.elapsed() < STOP_LIMIT {
            sleep(Duration::from_millis(5));
        }
        assert!(process.must_run().unwrap_err().why.contains("exit status: 1"));
    }
}
