//! Page layouts: one with the sidebar for a signed-in person, and a plain one for everyone.

use crate::{
    paths,
    texts::{common, frame as text},
};
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
    vec![(common::SETTINGS, paths::SETTINGS), (common::API_KEYS, paths::KEYS)]
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
        <a class="skip" href="#main">{text::SKIP}</a>
        <div class="frame">
            <nav class="sidebar" aria-label=text::PRODUCT>
                <a class="brand" href=paths::HOME>{text::PRODUCT}</a>
                <ul>
                    <li><a href=paths::HOME aria-current=current(NavSection::Home)>{text::OVERVIEW}</a></li>
                    <li><a href=paths::SETTINGS aria-current=current(NavSection::Settings)>{common::SETTINGS}</a></li>
                </ul>
                <div class="who">
                    <p><strong><bdi>{identity.name}</bdi></strong></p>
                    <p class="hint"><bdi>{identity.workspace_name}</bdi></p>
                    <form method="post" action=paths::SIGN_OUT>
                        <button class="button button-quiet" type="submit">{text::SIGN_OUT}</button>
                    </form>
                </div>
            </nav>
            <main id="main" tabindex="-1">
                <ol class="way" aria-label=text::BREADCRUMB>{steps.collect_view()}<li aria-current="page"><bdi>{title}</bdi></li></ol>
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
            <a class="brand" href=paths::HOME>{text::PRODUCT}</a>
            <h1>{title}</h1>
            {children()}
        </main>
    }
    .into_any()
}
