//! A fault in the sources of the docs.

use std::fmt;

/// An error in the Markdown sources.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {why}")]
pub struct BookError {
    place: String,
    why: String,
}

impl BookError {
    /// Creates an error at a place, such as a file.
    pub fn new(place: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { place: place.to_string(), why: why.to_string() }
    }
}
