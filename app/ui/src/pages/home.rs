//! The overview, the default page after sign-in.

use super::render::page;
use crate::{
    layout::{Frame, NavSection},
    paths,
    texts::{common, frame, home as text},
};
use leptos::prelude::*;

/// Renders the overview.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let workspace = identity.workspace_name.clone();
        Ok(view! {
            <Frame identity section=NavSection::Home title=frame::OVERVIEW>
                <h1><bdi>{workspace}</bdi></h1>
                <section class="card">
                    <h2>{text::CONNECT}</h2>
                    <p>{text::CONNECT_TEXT}</p>
                    <p class="actions">
                        <a class="button button-main" href=paths::KEYS>{common::API_KEYS}</a>
                        <a class="button button-quiet" href=paths::DOCS>{text::READ_DOCS}</a>
                    </p>
                </section>
            </Frame>
        }
        .into_any())
    })
}
