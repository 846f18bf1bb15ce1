//! A form that came from somebody whose session has ended: it waits, whole, until they are signed in again.

use crate::{
    layout::Plain,
    paths,
    visit::{Posted, Visit},
};
use http::StatusCode;
use leptos::prelude::*;

/// The page: what was posted, ready to be sent again.
pub fn shown(visit: &Visit, posted: &Posted) -> AnyView {
    visit.status(StatusCode::UNAUTHORIZED);
    let action = visit.uri().to_owned();
    let fields = posted
        .0
        .iter()
        .cloned()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    view! {
        <Plain title="Your session has ended">
            <p>"Nothing was changed, and nothing that you typed is lost."</p>
            <form method="post" action=action class="form card">
                {fields}
                <ol class="practices">
                    <li><a href=paths::SIGN_IN target="_blank" rel="noopener">"Sign in in another tab"</a></li>
                    <li>"Come back here and send the form again."</li>
                </ol>
                <p class="actions"><button class="button button-main" type="submit">"Send again"</button></p>
            </form>
        </Plain>
    }
    .into_any()
}
