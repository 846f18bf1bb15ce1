//! Sign-out.

use super::render::page;
use crate::{paths, request::EarlyReturn};
use leptos::prelude::*;

/// Signs out and redirects. Renders nothing.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        // Only a `POST` ends a session: a link or an image must not.
        if request.posted().is_none() {
            return Err(EarlyReturn::Redirect(paths::HOME.to_owned()));
        }
        let cookies = request.backend().sign_out().await?;
        request.set_cookies(&cookies);
        Err(EarlyReturn::Redirect(paths::SIGN_IN.to_owned()))
    })
}
