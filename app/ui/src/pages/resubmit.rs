//! The page that keeps a posted form, so that the visitor can submit it again.

use crate::{
    layout::Plain,
    paths,
    request::{PageRequest, PostedForm},
    texts::UNREACHABLE,
};
use http::StatusCode;
use leptos::prelude::*;

/// Renders the form after the session has ended.
pub fn after_session(request: &PageRequest, posted: &PostedForm) -> AnyView {
    request.status(StatusCode::UNAUTHORIZED);
    let steps = view! {
        <ol class="practices">
            <li><a href=paths::SIGN_IN target="_blank" rel="noopener">"Sign in in another tab"</a></li>
            <li>"Come back to this page and press Send again."</li>
        </ol>
    };
    let text = "Nothing was changed. We kept what you sent.";
    shown(request, posted, "Your session has ended", text, steps.into_any())
}

/// Renders the form after a request without a response, whose outcome is unknown.
pub fn after_lost_response(request: &PageRequest, posted: &PostedForm) -> AnyView {
    request.status(StatusCode::SERVICE_UNAVAILABLE);
    let steps = view! {
        <p>
            "Check "<a href=paths::KEYS target="_blank" rel="noopener">"the list of keys"</a>
            ". If your change is not there, press Send again in a moment."
        </p>
    };
    let text = "We're not sure that worked. We kept what you sent.";
    shown(request, posted, UNREACHABLE, text, steps.into_any())
}

fn shown(
    request: &PageRequest,
    posted: &PostedForm,
    title: &'static str,
    text: &'static str,
    steps: AnyView,
) -> AnyView {
    let action = request.uri().to_owned();
    let fields = posted
        .0
        .iter()
        .cloned()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    view! {
        <Plain title=title>
            <p>{text}</p>
            <form method="post" action=action class="form card">
                {fields}
                {steps}
                <p class="actions"><button class="button button-main" type="submit">"Send again"</button></p>
            </form>
        </Plain>
    }
    .into_any()
}
