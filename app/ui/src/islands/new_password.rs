//! The field for a new password, with a strength rating while the visitor types.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use crate::{
    components::{changing::Changing, field::TextField},
    texts::{common::PASSWORD, password as text},
};
use leptos::{ev::Event, prelude::*};
use ownchat_domain::account::PASSWORD_MIN;

/// A new-password field.
#[island]
pub fn NewPassword(
    /// Initial error.
    error: Option<String>,
    /// True if the field takes the focus on page load.
    autofocus: bool,
) -> impl IntoView {
    let strength = RwSignal::new(String::new());
    let error = RwSignal::new(error);
    let on_input = move |event: Event| {
        strength.set(words(&event_target_value(&event)));
        error.set(None);
    };
    view! {
        <div on:input=on_input>
            <TextField name="password" label=PASSWORD kind="password" value="" error=error
                autocomplete="new-password" hint=text::HINT autofocus/>
            <p class="hint" role="status"><Changing text=move || Some(strength.get())/></p>
        </div>
    }
    .into_any()
}

/// Minimum characters of a strong password (NIST SP 800-63B-4), if enough of them differ.
const STRONG: usize = 15;
/// Minimum distinct characters of a password that is not weak.
const DIFFERENT_MIN: usize = 5;

/// Rates a password. The server checks for common passwords on submission.
fn words(password: &str) -> String {
    let length = password.chars().count();
    let different = password
        .chars()
        .enumerate()
        .filter(|(place, c)| password.chars().position(|other| other == *c) == Some(*place));
    match length {
        0 => String::new(),
        1..PASSWORD_MIN => text::too_short(length),
        _ if different.count() < DIFFERENT_MIN => text::WEAK.to_owned(),
        PASSWORD_MIN..STRONG => text::FAIR.to_owned(),
        _ => text::STRONG.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_is_told_in_words() {
        for (password, told) in [
            ("", ""),
            ("a", "Too short: 1 of 8 characters."),
            ("h\u{fc}hner!", "Too short: 7 of 8 characters."),
            ("h\u{fc}hner!!", "Fair. One more word makes it strong."),
            ("aaaaaaaaaaaaaaaaaaaa", "Weak: too few different characters."),
            ("abababababababababab", "Weak: too few different characters."),
            ("correct horse", "Fair. One more word makes it strong."),
            ("correct horse battery", "Strong."),
        ] {
            assert_eq!(words(password), told, "{password}");
        }
    }
}
