//! What is shown when a page cannot be.

use crate::{layout::Plain, paths, visit::Visit};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use ownchat_domain::failure::Failure;

/// The page of a failure, with its status.
pub fn shown(visit: &Visit, failure: &Failure) -> AnyView {
    let (status, title, text) = words(failure);
    let text = if visit.posted().is_some() { after_sending(failure) } else { text.to_owned() };
    visit.status(status);
    view! {
        <Plain title=title>
            <p>{text}</p>
            <p><a class="button" href=paths::KEYS>"Show all keys"</a></p>
        </Plain>
    }
    .into_any()
}

/// There is no page under this address.
#[component]
pub fn NotFound() -> impl IntoView {
    expect_context::<ResponseOptions>().set_status(StatusCode::NOT_FOUND);
    let (_, title, text) = words(&Failure::NotFound);
    view! {
        <Plain title=title>
            <p>{text}</p>
            <p><a class="button" href=paths::HOME>"Go to overview"</a></p>
        </Plain>
    }
}

/// What somebody who sent a form is told of a failure that belongs to none of its fields.
pub fn after_sending(failure: &Failure) -> String {
    match failure {
        Failure::Unavailable => "There was no answer, so it is not known whether this was done. Look at the list of \
                                 keys before you send it again."
            .to_owned(),
        Failure::Invalid { errors } => errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" "),
        other => words(other).2.to_owned(),
    }
}

/// The status of a failure.
pub fn status(failure: &Failure) -> StatusCode {
    words(failure).0
}

fn words(failure: &Failure) -> (StatusCode, &'static str, &'static str) {
    match failure {
        Failure::NotFound => {
            (StatusCode::NOT_FOUND, "Page not found", "It may have been deleted, or you may not have access.")
        }
        // Pages take no keys.
        Failure::Forbidden
        | Failure::NotSignedIn
        | Failure::WrongCredentials
        | Failure::KeyRefused { .. }
        | Failure::ScopeMissing { .. } => {
            (StatusCode::FORBIDDEN, "Not allowed", "You may not do this. Ask an owner of the workspace.")
        }
        Failure::NotHeld { .. } | Failure::Beyond { .. } => (
            StatusCode::FORBIDDEN,
            "Not yours to give",
            "The key would be given permissions that you do not hold yourself. Ask an owner of the workspace.",
        ),
        Failure::Stale => (
            StatusCode::CONFLICT,
            "Changed meanwhile",
            "Somebody changed the key since you opened the page. Nothing was changed now; look again and repeat it.",
        ),
        Failure::Invalid { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "This cannot be done", "Something in the request cannot be accepted.")
        }
        Failure::TooMany { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Too many attempts", "Wait a little, then try again.")
        }
        Failure::Busy { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "Too many sign-ins at once", "Nothing was done. Try again in a moment.")
        }
        Failure::Reused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Sent before",
            "This form was sent before with other content, and made a key then. Look at the list of keys; if you want \
             another key, send the form again.",
        ),
        Failure::Running => {
            (StatusCode::CONFLICT, "Not finished yet", "The same is still being worked on. Send it again in a moment.")
        }
        Failure::NotEffectiveYet => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Made, and not effective everywhere yet",
            "The change is stored, but the edge could not be told yet. It is told as soon as it can be: look at the \
             list of keys in a moment.",
        ),
        Failure::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not available just now",
            "Something did not answer. Try again in a moment.",
        ),
    }
}
