//! Messages after an action on a key. [`super::common::NAME`] stands for the quoted name.

pub const ACTIVATED: &str = "@ is on again.";
pub const UNCHANGED: &str = "Nothing to save.";
pub const RESTORED: &str = "@ restored.";
pub const EXTEND: &str = "Extend it";
pub const UNDO: &str = "Undo";

pub fn deactivated(refused: &str) -> String {
    format!("@ is off.{refused}")
}

pub fn activated_too_late(expired_on: &str) -> String {
    format!("@ is on but expired on {expired_on}.")
}

pub fn saved(effective: &str) -> String {
    format!("@ saved.{effective}")
}

pub fn deleted(refused: &str, restorable_until: &str) -> String {
    format!("@ deleted.{refused} You can restore it until {restorable_until}.")
}

/// Time from which a revocation applies, after the sentence about the action.
pub fn refused(from: &str) -> String {
    format!(" Refused everywhere from {from}.")
}

/// Time by which a change applies, after the sentence about the action.
pub fn effective(by: &str) -> String {
    format!(" Takes effect everywhere by {by}.")
}

/// Time of a day in the future.
pub fn on_day(time: &str, day: &str) -> String {
    format!("{time} UTC on {day}")
}

/// Time of today.
pub fn today(time: &str) -> String {
    format!("{time} UTC")
}

/// Name of the button that undoes, for a screen reader.
pub fn undo_label(name: &str) -> String {
    format!("{UNDO}: {name}")
}
