//! The settings: workspace, account and developer sections.

use super::render::page;
use crate::{
    layout::{Frame, NavSection},
    paths,
    texts::{common, settings as text},
};
use leptos::prelude::*;

/// Renders the settings.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let (name, email, workspace) = (identity.name.clone(), identity.email.clone(), identity.workspace_name.clone());
        Ok(view! {
            <Frame identity section=NavSection::Settings title=common::SETTINGS>
                <h1>{common::SETTINGS}</h1>
                <section class="card" aria-labelledby="workspace">
                    <h2 id="workspace">{text::WORKSPACE}</h2>
                    <dl class="facts">
                        <dt>{text::NAME}</dt>
                        <dd><bdi>{workspace}</bdi></dd>
                    </dl>
                </section>
                <section class="card" aria-labelledby="account">
                    <h2 id="account">{text::ACCOUNT}</h2>
                    <dl class="facts">
                        <dt>{text::NAME}</dt>
                        <dd><bdi>{name}</bdi></dd>
                        <dt>{common::EMAIL}</dt>
                        <dd>{email}</dd>
                    </dl>
                </section>
                <section class="card" aria-labelledby="developer">
                    <h2 id="developer">{text::DEVELOPER}</h2>
                    <ul class="links">
                        <li>
                            <a href=paths::KEYS>{common::API_KEYS}</a>
                            <p class="hint">{text::API_KEYS_TEXT}</p>
                        </li>
                        <li>
                            <a href=paths::DOCS>{text::DOCS}</a>
                            <p class="hint">{text::DOCS_TEXT}</p>
                        </li>
                    </ul>
                </section>
            </Frame>
        }
        .into_any())
    })
}
