//! Logging of the registry.

use worker::console_error;

/// Logs errors that stop nothing.
pub fn log(errors: Vec<String>) {
    for error in errors {
        console_error!("registry: {error}");
    }
}

/// Logs an internal error; the caller gets no detail.
pub fn internal_error(error: impl core::fmt::Display) -> worker::Error {
    console_error!("registry: {error}");
    worker::Error::RustError("internal error".into())
}
