//! Rotation of a key.

pub const QUESTION: &str = "Rotate “@”?";

/// Effect on the secrets. `earlier` is the sentence of [`earlier_secret`], if there is one.
pub fn effect(earlier: &str) -> String {
    format!("The present secret stops working within 5 seconds.{earlier} You see the new key once.")
}

/// Effect on a secret that was to work until `end`.
pub fn earlier_secret(end: &str) -> String {
    format!(" So does the one before it, which was to work until {end}.")
}
