//! A program that runs beside this one and ends with it.
//!
//! It holds the other end of its standard input: when this process ends, in whatever way, the pipe
//! closes, and the program takes that as its sign to stop.

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

/// How long a program may take to stop by itself.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
}

impl Process {
    /// Starts a program, with one line on its standard input if it wants one.
    pub fn start(name: &'static str, command: &mut Command, line: Option<&str>) -> Result<Self, Failure> {
        let failed = |why: String| Failure::new(format!("start {name}"), why, "see what was printed above");
        // In a group of its own Ctrl-C does not reach it: it is stopped in good order instead.
        let mut child =
            command.stdin(Stdio::piped()).process_group(0).spawn().map_err(|error| failed(error.to_string()))?;
        let mut input = child.stdin.take();
        if let (Some(line), Some(input)) = (line, &mut input) {
            writeln!(input, "{line}").map_err(|error| failed(error.to_string()))?;
        }
        Ok(Self { name, child, input })
    }

    /// Fails if it has ended.
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
        // What it has started may live on, all the more if it ended in another way than it was asked to.
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
