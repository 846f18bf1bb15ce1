//! Signing out.

use crate::{
    paths,
    visit::{Stop, page},
};
use leptos::prelude::*;

/// The page; it has nothing to show.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        // Only a `POST` ends a session: a link or an image must not.
        if visit.posted().is_none() {
            return Err(Stop::Redirect(paths::HOME.to_owned()));
        }
        let cookies = visit.backend().sign_out().await?;
        visit.set_cookies(&cookies);
        Err(Stop::Redirect(paths::SIGN_IN.to_owned()))
    })
}
