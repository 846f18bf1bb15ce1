//! Conflict of an edit: both sides changed a field.

pub const THEIRS: &str = "Theirs";
pub const YOURS: &str = "Yours";
/// Name of an editor whom the visitor may not know.
pub const SOMEBODY: &str = "Somebody";

/// Value of a text field without text.
pub const EMPTY: &str = "Empty";
/// Value of the expiry of a key without one.
pub const NEVER: &str = "Never";

pub fn changed(when: &str) -> String {
    format!("@ changed this key {when}. Your changes aren't saved yet. Choose what to keep.")
}
