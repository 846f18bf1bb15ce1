//! Page layouts: one with the sidebar for a signed-in person, and a plain one for everyone.

use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use ownchat_domain::vault::person::Identity;

/// The section of the sidebar that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The overview.
    Home,
    /// The settings and all pages below them.
    Settings,
}

/// One step of the breadcrumb: name and URL.
pub type Step = (&'static str, String);

/// The layout of a page that requires a session.
#[component]
pub fn Frame(
    /// The signed-in person.
    identity: Identity,
    /// Section of the sidebar.
    place: Place,
    /// Page title.
    #[prop(into)]
    title: String,
    /// Breadcrumb, without the page itself.
    #[prop(default = Vec::new())]
    way: Vec<Step>,
    /// Page content.
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

/// The layout of a page that requires no session.
#[component]
pub fn Plain(
    /// Page title, and its heading.
    #[prop(into)]
    title: String,
    /// Page content.
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
