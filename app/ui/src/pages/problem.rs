//! Error pages.

use crate::{
    layout::Plain,
    paths,
    request::PageRequest,
    status,
    texts::{
        common,
        failure::{GO_TO_OVERVIEW, after_sending, of_failure},
    },
};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use ownchat_domain::failure::Failure;

/// Renders the error page of a failure, and sets its status.
pub fn shown(request: &PageRequest, failure: &Failure) -> AnyView {
    let (title, text) = of_failure(failure);
    let text = if request.posted().is_some() { after_sending(failure) } else { text.to_owned() };
    request.status(status::of(failure));
    view! {
        <Plain title=title>
            <p>{text}</p>
            <p><a class="button" href=paths::KEYS>{common::SHOW_ALL_KEYS}</a></p>
        </Plain>
    }
    .into_any()
}

/// The 404 page of an unknown URL.
#[component]
pub fn NotFound() -> impl IntoView {
    expect_context::<ResponseOptions>().set_status(StatusCode::NOT_FOUND);
    let (title, text) = of_failure(&Failure::NotFound);
    view! {
        <Plain title=title>
            <p>{text}</p>
            <p><a class="button" href=paths::HOME>{GO_TO_OVERVIEW}</a></p>
        </Plain>
    }
}
