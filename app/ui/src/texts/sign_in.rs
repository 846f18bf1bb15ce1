//! Sign-in.

use super::common::counted;

pub const WRONG: &str = "That email and password don't match.";
pub const BUSY: &str = "Too many people sign in at once. Try again in a few seconds.";
pub const FAILED: &str = "We couldn't sign you in just now. Try again in a moment.";
pub const NO_EMAIL: &str = "Enter your email address.";
pub const NO_PASSWORD: &str = "Enter your password.";

/// Title before the set-up, while no account exists.
pub const NOT_SET_UP: &str = "Ownchat is not set up yet";
pub const NOT_SET_UP_TEXT: &str =
    "Open the link that Ownchat printed when it started. It makes you the owner of the first workspace.";

pub fn too_many(retry_after_seconds: u32) -> String {
    format!("Too many attempts. Try again in {}.", duration(retry_after_seconds))
}

/// Formats seconds for people. Rounds up to whole minutes from two minutes on.
fn duration(seconds: u32) -> String {
    let (count, unit) = if seconds < 120 { (seconds, "second") } else { (seconds.div_ceil(60), "minute") };
    counted(count as usize, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_as_people_say_it() {
        for (seconds, words) in [
            (1, "1 second"),
            (2, "2 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (900, "15 minutes"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }
}
