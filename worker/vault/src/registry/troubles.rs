//! The log of a workspace.

use worker::console_error;

/// Logs troubles that stop nothing.
pub fn log(troubles: Vec<String>) {
    for trouble in troubles {
        console_error!("registry: {trouble}");
    }
}

/// Logs a defect, of which the caller is told no more than that there is one.
pub fn defect(error: impl core::fmt::Display) -> worker::Error {
    console_error!("registry: {error}");
    worker::Error::RustError("internal error".into())
}
