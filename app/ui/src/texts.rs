//! Texts that pages and islands share.

/// Tells the visitor that only the id of a pasted key was used.
pub const PASTED: &str = "You pasted a whole key. We looked for its id only.";
/// Advice after [`PASTED`], if the key exists.
pub const ADVICE: &str = "If others could see it, rotate it.";
/// Text of the link and the button that rotate a key.
pub const ROTATE: &str = "Rotate key";
