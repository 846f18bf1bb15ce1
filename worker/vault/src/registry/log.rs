//! The log of a workspace.

use worker::console_error;

/// Logs errors that stop nothing.
pub fn log(errors: Vec<String>) {
    for trouble in errors {
        console_error!("registry: {trouble}");
    }
}

/// Logs a internal_error, of which the caller is told no more than that there is one.
pub fn internal_error(error: impl core::fmt::Display) -> worker::Error {
    console_error!("registry: {error}");
    worker::Error::RustError("internal error".into())
}
