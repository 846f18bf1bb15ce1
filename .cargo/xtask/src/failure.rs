//! What a command says when it cannot go on: which step, why, and what to do.

use std::fmt;

/// A step that failed.
#[derive(Debug)]
pub struct Failure {
    /// The step, as it was announced.
    pub step: String,
    /// What happened.
    pub why: String,
    /// What the reader can do about it.
    pub mend: String,
    /// True if the step was cancelled.
    pub is_stop: bool,
}

impl Failure {
    /// A step that failed, why, and what to do.
    pub fn new(step: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { step: step.into(), why: why.into(), mend: mend.into(), is_stop: false }
    }

    /// A step that was stopped by request.
    pub fn stopped(step: impl Into<String>) -> Self {
        Self { is_stop: true, ..Self::new(step, "it was stopped", "start again when you are ready") }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\nfailed   {}\nwhy      {}\nto do    {}", self.step, self.why, self.mend)
    }
}
