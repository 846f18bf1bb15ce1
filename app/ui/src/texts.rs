//! Texts of the pages and islands, for people.
//!
//! A sentence belongs here if several pages, islands or tests share it, or if it says that an
//! action failed. A title, label, hint or button that one page alone shows stands in that page,
//! beside its markup. Texts of single fields come from `ownchat-domain`, which the API shares.

use ownchat_domain::failure::Failure;

/// Tells the visitor that only the id of a pasted key was used.
pub const PASTED: &str = "You pasted a whole key. We looked for its id only.";
/// Advice after [`PASTED`], if the key exists.
pub const ADVICE: &str = "If others could see it, rotate it.";
/// Text of the link and the button that rotate a key.
pub const ROTATE: &str = "Rotate key";

/// Consequence of a deletion.
pub const DELETE_CONSEQUENCE: &str = "Calls with this key stop working within 5 seconds. Where the edge is cut off from us, they may work until the \
     outage that your workspace allows is over. You can restore the key for 30 days.";
/// Label of the checkbox that confirms a deletion.
pub const DELETE_INTENT: &str = "I know which integration uses it.";

/// Error text for a browser that refuses our cookies.
pub const LOST_COOKIES: &str = "Your browser refused our cookie, because this page came over plain HTTP. Open it with https:// in \
                                front, or on the machine itself under http://localhost.";
/// Title if the vault did not respond.
pub const UNREACHABLE: &str = "We couldn't reach the server";

/// Returns the title and the text of a failure.
pub fn of_failure(failure: &Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::NotFound => ("Page not found", "It may have been deleted, or you may not have access."),
        // Pages accept no API keys.
        Failure::Forbidden
        | Failure::NotSignedIn
        | Failure::WrongCredentials
        | Failure::KeyRefused { .. }
        | Failure::ScopeMissing { .. } => {
            ("You don't have access", "You may not do this. Ask an owner of the workspace.")
        }
        Failure::NotHeld { .. } | Failure::Beyond { .. } => {
            ("You can't grant that", "You can only grant permissions that you have. Ask an owner of the workspace.")
        }
        Failure::Stale => (
            "Someone else changed this key",
            "The key was changed after you opened the page, so your change was not made. Look at the key, then try again.",
        ),
        Failure::Invalid { .. } => ("That doesn't work", "Part of the address is wrong."),
        Failure::TooMany { .. } => ("Too many attempts", "Wait a little, then try again."),
        Failure::Busy { .. } => ("Too many sign-ins at once", "Nothing was done. Try again in a moment."),
        Failure::Reused => (
            "Sent before",
            "This form was sent before with other content and created a key. Check the list of keys. To create another \
             key, send the form again.",
        ),
        Failure::Running => ("Not finished yet", "Your first attempt is still in progress. Try again in a moment."),
        Failure::NotEffectiveYet => (
            "Saved, but not live everywhere yet",
            "The change is saved and takes effect as soon as we reach the edge. Check the list of keys in a moment.",
        ),
        Failure::Unavailable => (UNREACHABLE, "Try again in a moment."),
    }
}

/// Returns the text of a failure after a `POST`, if the failure belongs to no field.
pub fn after_sending(failure: &Failure) -> String {
    match failure {
        Failure::Unavailable => "We're not sure that worked. Check the list of keys before you try again.".to_owned(),
        Failure::Invalid { errors } => errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" "),
        other => of_failure(other).1.to_owned(),
    }
}

/// Returns the text of a failure to create a key from the browser, which keeps the form and the
/// secret.
pub fn not_created(failure: &Failure) -> String {
    let text = match failure {
        Failure::NotSignedIn => {
            "Your session has ended. Sign in in another tab, then press Create API Key again. Your entries are safe."
        }
        Failure::Unavailable => "We lost the connection. Press Create API Key again: you won't get a second key.",
        Failure::Reused => {
            "This form was sent before with other content and created a key. Check the list of keys in another tab. To \
             create another key, press Create API Key again."
        }
        Failure::Running => "Your first attempt is still in progress. Press Create API Key again in a moment.",
        Failure::NotEffectiveYet => {
            "The key is created, but not live everywhere yet. Check the list of keys in another tab in a moment."
        }
        known => return format!("That didn't work: {known}. Nothing was changed. Try again."),
    };
    text.to_owned()
}
