//! Page of a deleted key.

pub const TITLE: &str = "Deleted key";
pub const HEADING: &str = "“@” is deleted";

pub fn deleted(when: &str) -> String {
    format!("Deleted {when}.")
}

pub fn deleted_by(when: &str) -> String {
    format!("Deleted by @ {when}.")
}

/// End of the time to restore a key, after the other sentence.
pub fn restorable(until: &str) -> String {
    format!(" You can restore it until {until}.")
}
