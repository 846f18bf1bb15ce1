//! Page layouts: one with the sidebar for a signed-in person, and a plain one for everyone.

use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;
use ownchat_domain::vault::person::Identity;

/// The section of the navigation that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavSection {
    /// The overview.
    Home,
    /// The settings and all pages below them.
    Settings,
}

/// The pages above a page: name and URL of each.
pub type Breadcrumb = Vec<(&'static str, &'static str)>;

/// Returns the breadcrumb of all pages about one key.
pub fn breadcrumb() -> Breadcrumb {
    vec![("Settings", paths::SETTINGS), ("API Keys", paths::KEYS)]
}

/// The layout of a page that requires a session.
#[component]
pub fn Frame(
    /// The signed-in person.
    identity: Identity,
    /// NavSection of the navigation.
    section: NavSection,
    /// Page title.
    #[prop(into)]
    title: String,
    /// Breadcrumb, without the page itself.
    #[prop(default = Vec::new())]
    breadcrumb: Breadcrumb,
    /// Page content.
    children: Children,
) -> impl IntoView {
    let current = move |this: NavSection| (this == section).then_some("page");
    let steps = breadcrumb.into_iter().map(|(name, path)| view! { <li><a href=path>{name}</a></li> });
    view! {
        <Title text=title.clone()/>
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="frame">
            <nav class="sidebar" aria-label="Ownchat">
                <a class="brand" href=paths::HOME>"Ownchat"</a>
                <ul>
                    <li><a href=paths::HOME aria-current=current(NavSection::Home)>"Overview"</a></li>
                    <li><a href=paths::SETTINGS aria-current=current(NavSection::Settings)>"Settings"</a></li>
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
