//! The page that keeps a posted form, so that the visitor can submit it again.

use crate::{
    layout::Plain,
    paths,
    request::{PageRequest, PostedForm},
    texts::{failure::UNREACHABLE, resubmit as text},
};
use http::StatusCode;
use leptos::prelude::*;

/// Renders the form after the session has ended.
pub fn after_session(request: &PageRequest, posted: &PostedForm) -> AnyView {
    request.status(StatusCode::UNAUTHORIZED);
    let steps = view! {
        <ol class="practices">
            <li><a href=paths::SIGN_IN target="_blank" rel="noopener">{text::SIGN_IN}</a></li>
            <li>{text::COME_BACK}</li>
        </ol>
    };
    shown(request, posted, text::SIGNED_OUT, text::SIGNED_OUT_TEXT, steps.into_any())
}

/// Renders the form after a request without a response, whose outcome is unknown.
pub fn after_lost_response(request: &PageRequest, posted: &PostedForm) -> AnyView {
    request.status(StatusCode::SERVICE_UNAVAILABLE);
    let (before, after) = text::CHECK;
    let steps = view! {
        <p>{before}<a href=paths::KEYS target="_blank" rel="noopener">{text::LIST}</a>{after}</p>
    };
    shown(request, posted, UNREACHABLE, text::UNSURE, steps.into_any())
}

fn shown(
    request: &PageRequest,
    posted: &PostedForm,
    title: &'static str,
    sentence: &'static str,
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
            <p>{sentence}</p>
            <form method="post" action=action class="form card">
                {fields}
                {steps}
                <p class="actions"><button class="button button-main" type="submit">{text::SEND_AGAIN}</button></p>
            </form>
        </Plain>
    }
    .into_any()
}
