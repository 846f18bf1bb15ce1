//! The frame around pages: with the sidebar for those who are signed in, a plain one for the others.

use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use ownchat_domain::vault::person::Identity;

/// Where in the sidebar a page belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The overview.
    Home,
    /// Everything under Settings.
    Settings,
}

/// One step of the way to a page: its name and address.
pub type Step = (&'static str, String);

/// The frame of a page for somebody who is signed in.
#[component]
pub fn Frame(
    /// Who is signed in.
    identity: Identity,
    /// Where the page belongs.
    place: Place,
    /// Its title.
    #[prop(into)]
    title: String,
    /// The way to it.
    #[prop(default = Vec::new())]
    way: Vec<Step>,
    /// The page.
    children: Children,
) -> impl IntoView {
    let current = move |this: Place| (this == place).then_some("page");
    let steps = way.into_iter().map(|(name, path)| view! { <li><a href=path>{name}</a></li> });
    view! {
        <Title text=title.clone()/>
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="frame">
            <nav class="sidebar" aria-label="Ownchat">
                <a class="brand" href=paths::HOME>"Ownchat"</a>
                <ul>
                    <li><a href=paths::HOME aria-current=current(Place::Home)>"Overview"</a></li>
                    <li><a href=paths::SETTINGS aria-current=current(Place::Settings)>"Settings"</a></li>
                </ul>
                <div class="who">
                    <p><strong><bdi>{identity.name}</bdi></strong></p>
                    <p class="hint"><bdi>{identity.workspace_name}</bdi></p>
                    <form method="post" action=paths::SIGN_OUT>
                        <button class="button button-quiet" type="submit">"Sign out"</button>
                    </form>
                </div>
            </nav>
            <main id="main" tabindex="-1">
                <ol class="way" aria-label="Breadcrumb">{steps.collect_view()}<li aria-current="page"><bdi>{title}</bdi></li></ol>
                {children()}
            </main>
        </div>
    }
    .into_any()
}

/// The frame of a page that anybody may see.
#[component]
pub fn Plain(
    /// Its title.
    #[prop(into)]
    title: String,
    /// The page.
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=title.clone()/>
        <main class="plain" id="main">
            <a class="brand" href=paths::HOME>"Ownchat"</a>
            <h1>{title}</h1>
            {children()}
        </main>
    }
    .into_any()
}
