//! Restrictions of a key: in one line of the list, and in full on its page.

use super::common::counted;

pub const INTEGRATION: &str = "Integration";
pub const ONLY_FROM: &str = "Only from";
pub const NEVER_FROM: &str = "Never from";
pub const ONLY_FOR_CHANNELS: &str = "Only for channels";
pub const STARTS: &str = "Starts";
pub const RATE_LIMIT: &str = "Rate limit";
pub const QUOTA: &str = "Quota";
pub const OLD_SECRET: &str = "Old secret";
pub const NOTES: &str = "Notes";

pub const DAY: &str = "day";
pub const MONTH: &str = "month";

/// Separator of the parts of a line.
pub const SEPARATOR: &str = " · ";

pub fn only_from(networks: usize) -> String {
    format!("only from {}", counted(networks, "network"))
}

pub fn never_from(networks: usize) -> String {
    format!("never from {}", counted(networks, "network"))
}

pub fn only_for(channels: usize) -> String {
    format!("only for {}", counted(channels, "channel"))
}

pub fn starts(at: &str) -> String {
    format!("starts {at}")
}

pub fn old_secret_ends(at: &str) -> String {
    format!("old secret ends {at}")
}

pub fn old_secret(number: u32, end: &str) -> String {
    format!("number {number} works until {end}")
}

pub fn notes(count: usize) -> String {
    counted(count, "note")
}

pub fn rate(calls: u32, seconds: u32) -> String {
    format!("{} in {}", counted(calls as usize, "call"), counted(seconds as usize, "second"))
}

/// Calls that the rate limit guarantees in every window, after [`rate`].
pub fn guaranteed(calls: u32) -> String {
    format!(" (at least {calls}, however they are spread over edge locations)")
}

pub fn quota(calls: u32, period: &str) -> String {
    format!("{} a {period}", counted(calls as usize, "call"))
}

/// Rest of a quota, after [`quota`].
pub fn left(calls: u32) -> String {
    format!(", {calls} left")
}
