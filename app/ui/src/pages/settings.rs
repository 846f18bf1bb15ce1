//! The settings: workspace, account and developer sections.

use super::render::page;
use crate::{
    layout::{Frame, NavSection},
    paths,
};
use leptos::prelude::*;

/// Renders the settings.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let (name, email, workspace) = (identity.name.clone(), identity.email.clone(), identity.workspace_name.clone());
        Ok(view! {
            <Frame identity section=NavSection::Settings title="Settings">
                <h1>"Settings"</h1>
                <section class="card" aria-labelledby="workspace">
                    <h2 id="workspace">"Workspace"</h2>
                    <dl class="facts">
                        <dt>"Name"</dt>
                        <dd><bdi>{workspace}</bdi></dd>
                    </dl>
                </section>
                <section class="card" aria-labelledby="account">
                    <h2 id="account">"Account"</h2>
                    <dl class="facts">
                        <dt>"Name"</dt>
                        <dd><bdi>{name}</bdi></dd>
                        <dt>"Email"</dt>
                        <dd>{email}</dd>
                    </dl>
                </section>
                <section class="card" aria-labelledby="developer">
                    <h2 id="developer">"Developer"</h2>
                    <ul class="links">
                        <li>
                            <a href=paths::KEYS>"API Keys"</a>
                            <p class="hint">"Create keys, choose what each one can do, and turn them off."</p>
                        </li>
                        <li>
                            <a href=paths::DOCS>"Documentation"</a>
                            <p class="hint">"Send and verify keys, handle limits and errors, rotate secrets, run the service."</p>
                        </li>
                    </ul>
                </section>
            </Frame>
        }
        .into_any())
    })
}
