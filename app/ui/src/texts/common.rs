//! Words, labels and phrases that several surfaces share.

use ownchat_domain::{
    text::plural_ending,
    time::{DAY, HOUR, MINUTE, Timestamp},
};

/// Place of a name in a text. `components::named` puts the name there.
pub const NAME: char = '@';

pub const API_KEYS: &str = "API Keys";
pub const CANCEL: &str = "Cancel";
pub const CREATE: &str = "Create API Key";
pub const EMAIL: &str = "Email";
pub const OPEN_KEY: &str = "Open key";
pub const PASSWORD: &str = "Password";
pub const RESTORE: &str = "Restore";
pub const ROTATE: &str = "Rotate key";
pub const SAVE: &str = "Save";
pub const SETTINGS: &str = "Settings";
pub const SHOW_ALL_KEYS: &str = "Show all keys";
pub const SIGN_IN: &str = "Sign in";

/// Tells the visitor that only the id of a pasted key was used.
pub const PASTED: &str = "You pasted a whole key. We looked for its id only.";
/// Advice after [`PASTED`], if the key exists.
pub const ADVICE: &str = "If others could see it, rotate it.";

/// Error for a browser that refuses our cookies.
pub const LOST_COOKIES: &str = "Your browser refused our cookie, because this page came over plain HTTP. Open it with https:// in \
                                front, or on the machine itself under http://localhost.";

/// Counts things: "1 key", "2 keys".
pub fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", plural_ending(count))
}

/// Formats the time since `at`, in one unit.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let past = now.since(at);
    let (count, unit) = match past {
        ..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (past / MINUTE, "minute"),
        HOUR..DAY => (past / HOUR, "hour"),
        _ => (past / DAY, "day"),
    };
    format!("{} ago", counted(usize::try_from(count).unwrap_or_default(), unit))
}

/// Isolates a name where no markup can (UAX #9), so that a name written from right to left does not
/// reorder the text around it.
pub fn isolated(name: String) -> String {
    if name.is_ascii() { name } else { format!("\u{2068}{name}\u{2069}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_one_unit() {
        let at = Timestamp::from_millis(1_795_452_408_000);
        for (past, words) in [
            (-1, "just now"),
            (MINUTE - 1, "just now"),
            (MINUTE, "1 minute ago"),
            (HOUR - 1, "59 minutes ago"),
            (2 * HOUR, "2 hours ago"),
            (DAY, "1 day ago"),
            (3 * DAY, "3 days ago"),
        ] {
            assert_eq!(ago(at, at.plus(past)), words);
        }
    }
}
