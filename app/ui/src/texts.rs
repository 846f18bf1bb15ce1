//! Texts that pages and islands share.

/// Tells a visitor that the pasted key was cut before the request was sent.
pub const PASTED: &str = "You pasted a whole key. We looked for its id only.";
/// The advice after [`PASTED`], where the key exists.
pub const ADVICE: &str = "If others could see it, rotate it.";
/// The link to the page that rotates a key, and its button.
pub const ROTATE: &str = "Rotate key";
