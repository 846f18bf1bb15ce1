//! Failures: error pages, and errors of a form as a whole.

use ownchat_domain::failure::Failure;

pub const GO_TO_OVERVIEW: &str = "Go to overview";
/// Title if the vault did not respond.
pub const UNREACHABLE: &str = "We couldn't reach the server";

const FORM_REUSED: &str = "This form already created a key. Check your keys, or press Create to make another.";

/// Returns the title and the text of a failure.
pub fn of_failure(failure: &Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::NotFound => ("Page not found", "It may have been deleted, or you may not have access."),
        // Pages accept no API keys.
        Failure::Forbidden
        | Failure::NotSignedIn
        | Failure::WrongCredentials
        | Failure::KeyRefused { .. }
        | Failure::ScopeMissing { .. } => ("You don't have access", "Ask a workspace owner."),
        Failure::NotHeld { .. } | Failure::Beyond { .. } => {
            ("You can't grant that", "You can only grant permissions you have.")
        }
        Failure::Stale => ("Someone else changed this key", "Nothing was saved. Reload and try again."),
        Failure::Invalid { .. } => ("That link doesn't work", "Part of the address is wrong."),
        Failure::TooMany { .. } => ("Too many attempts", "Wait a little, then try again."),
        Failure::Busy { .. } => ("Too many sign-ins at once", "Nothing was done. Try again in a moment."),
        Failure::Reused => ("This form was submitted before", FORM_REUSED),
        Failure::Running => ("Not finished yet", "Your first attempt is still in progress. Try again in a moment."),
        Failure::NotEffectiveYet => {
            ("Saved, still taking effect", "It's saved but not live everywhere yet. We keep trying.")
        }
        Failure::Unavailable => (UNREACHABLE, "Try again in a moment."),
    }
}

/// Returns the text of a failure after a `POST`, if the failure belongs to no field.
pub fn after_sending(failure: &Failure) -> String {
    match failure {
        Failure::Unavailable => "We're not sure that worked. Check the list before trying again.".to_owned(),
        Failure::Invalid { errors } => errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" "),
        other => of_failure(other).1.to_owned(),
    }
}

/// Returns the text of a failure to create a key from the browser, which keeps the form and the
/// secret.
pub fn not_created(failure: &Failure) -> String {
    let text = match failure {
        Failure::NotSignedIn => {
            "You've been signed out. Sign in in a new tab, then press Create again. Your entries are safe."
        }
        Failure::Unavailable => "We lost the connection. Press Create again: you won't get a second key.",
        Failure::Reused => FORM_REUSED,
        Failure::Running => "Your first attempt is still in progress. Press Create again in a moment.",
        Failure::NotEffectiveYet => {
            "The key is created, but not live everywhere yet. Check your keys in a new tab in a moment."
        }
        known => return format!("That didn't work: {known}. Nothing was changed. Try again."),
    };
    text.to_owned()
}
