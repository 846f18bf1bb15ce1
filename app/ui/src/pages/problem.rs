//! Error pages, and the texts of failures.

use crate::{layout::Plain, paths, request::PageRequest, status};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use ownchat_domain::failure::Failure;

/// Renders the error page of a failure, and sets its status.
pub fn shown(request: &PageRequest, failure: &Failure) -> AnyView {
    let (title, text) = words(failure);
    let text = if request.posted().is_some() { after_sending(failure) } else { text.to_owned() };
    request.status(status::of(failure));
    view! {
        <Plain title=title>
            <p>{text}</p>
            <p><a class="button" href=paths::KEYS>"Show all keys"</a></p>
        </Plain>
    }
    .into_any()
}

/// The 404 page of an unknown URL.
#[component]
pub fn NotFound() -> impl IntoView {
    expect_context::<ResponseOptions>().set_status(StatusCode::NOT_FOUND);
    let (title, text) = words(&Failure::NotFound);
    view! {
        <Plain title=title>
            <p>{text}</p>
            <p><a class="button" href=paths::HOME>"Go to overview"</a></p>
        </Plain>
    }
}

/// Returns the text of a failure after a `POST`, if the failure belongs to no field.
pub fn after_sending(failure: &Failure) -> String {
    match failure {
        Failure::Unavailable => "We're not sure that worked. Check the list of keys before you try again.".to_owned(),
        Failure::Invalid { errors } => errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" "),
        other => words(other).1.to_owned(),
    }
}

fn words(failure: &Failure) -> (&'static str, &'static str) {
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
        Failure::Unavailable => ("We couldn't reach the server", "Try again in a moment."),
    }
}
