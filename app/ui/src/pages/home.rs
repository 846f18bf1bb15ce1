//! The overview, the default page after sign-in.

use super::render::page;
use crate::{
    layout::{Frame, NavSection},
    paths,
};
use leptos::prelude::*;

/// Renders the overview.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let workspace = identity.workspace_name.clone();
        Ok(view! {
            <Frame identity section=NavSection::Home title="Overview">
                <h1><bdi>{workspace}</bdi></h1>
                <section class="card">
                    <h2>"Connect your systems"</h2>
                    <p>
                        "Give each integration its own API key, with only the access it needs to read data, trigger \
                         actions and update records in Ownchat."
                    </p>
                    <p class="actions">
                        <a class="button button-main" href=paths::KEYS>"API Keys"</a>
                        <a class="button button-quiet" href=paths::DOCS>"Read the docs"</a>
                    </p>
                </section>
            </Frame>
        }
        .into_any())
    })
}
