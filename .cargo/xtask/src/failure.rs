//! The error of a command: the failed step, the reason, and the remedy.

use std::fmt;

/// A failed step.
#[derive(Debug)]
pub struct Failure {
    /// The step, as announced.
    pub step: String,
    /// The reason.
    pub why: String,
    /// The remedy.
    pub remedy: String,
    /// True if the step was cancelled.
    pub is_stop: bool,
}

impl Failure {
    /// Creates the failure of a step.
    pub fn new(step: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { step: step.into(), why: why.into(), remedy: remedy.into(), is_stop: false }
    }

    /// Creates the failure of a step that was cancelled.
    pub fn stopped(step: impl Into<String>) -> Self {
        Self { is_stop: true, ..Self::new(step, "it was stopped", "start again when you are ready") }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\nfailed   {}\nwhy      {}\nto do    {}", self.step, self.why, self.remedy)
    }
}
