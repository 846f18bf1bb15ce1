//! The HTML document around every page, and the route table.

use crate::{
    backend::Provided,
    pages::{
        home, key_delete, key_edit, key_new, key_restore, key_rotate, key_status, keys, problem, settings, setup,
        sign_in, sign_out,
    },
    texts::{
        common::isolated,
        frame::{PRODUCT, tab_title},
    },
};
use http::{HeaderValue, header};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

/// Inline script at the end of the document. It hydrates the islands.
const START: &str = include_str!("start.js");

/// Renders the HTML document. Sets a content security policy that permits its inline script by
/// nonce.
pub fn shell() -> impl IntoView {
    provide_meta_context();
    let backend = expect_context::<Provided>();
    let assets = format!("/assets/{}", backend.assets());
    let nonce = use_nonce();
    set_policy(nonce.as_deref().unwrap_or_default(), &backend.edge());
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=format!("{assets}/ownchat.css")/>
                <MetaTags/>
            </head>
            <body>
                <App/>
                <script nonce=nonce data-assets=assets inner_html=START></script>
            </body>
        </html>
    }
}

fn set_policy(nonce: &str, edge: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self' {edge}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; object-src 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        expect_context::<ResponseOptions>().insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// The route table. The console renders each page completely before it responds, because status and
/// redirect depend on the data.
#[component]
fn App() -> impl IntoView {
    view! {
        <Title formatter=title/>
        <Router>
            <Routes fallback=problem::NotFound>
                <Route path=path!("/") view=home::Page/>
                <Route path=path!("/setup") view=setup::Page/>
                <Route path=path!("/sign-in") view=sign_in::Page/>
                <Route path=path!("/sign-out") view=sign_out::Page/>
                <Route path=path!("/settings") view=settings::Page/>
                <Route path=path!("/settings/developer/api-keys") view=keys::Page/>
                <Route path=path!("/settings/developer/api-keys/new") view=key_new::Page/>
                <Route path=path!("/settings/developer/api-keys/:id") view=key_edit::Page/>
                <Route path=path!("/settings/developer/api-keys/:id/status") view=key_status::Page/>
                <Route path=path!("/settings/developer/api-keys/:id/delete") view=key_delete::Page/>
                <Route path=path!("/settings/developer/api-keys/:id/restore") view=key_restore::Page/>
                <Route path=path!("/settings/developer/api-keys/:id/rotate") view=key_rotate::Page/>
            </Routes>
        </Router>
    }
}

/// Formats the title in the browser tab. The renderer inserts it unescaped, so this function
/// escapes it.
fn title(page: String) -> String {
    let page = isolated(page);
    let title = if page.contains(PRODUCT) { page } else { tab_title(&page) };
    html_escape::encode_text(&title).into_owned()
}

#[cfg(test)]
mod tests {
    use super::title;
    use crate::paths;

    /// The routes need literals, so the paths stand in two files.
    #[test]
    fn every_path_has_its_route() {
        let id = "0123456789abcdef";
        let key = id.parse().unwrap();
        let paths =
            [paths::HOME, paths::SETUP, paths::SIGN_IN, paths::SIGN_OUT, paths::SETTINGS, paths::KEYS, paths::NEW_KEY]
                .map(str::to_owned)
                .into_iter()
                .chain(
                    [paths::key, paths::key_status, paths::delete_key, paths::restore_key, paths::rotate_key]
                        .map(|path| path(key)),
                );
        let routes = include_str!("app.rs")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("<Route path=path!(\"")?.split('"').next());
        assert!(routes.eq(paths.map(|path| path.replace(id, ":id"))));
    }

    #[test]
    fn a_title_cannot_end_itself() {
        assert_eq!(title("API Keys".into()), "API Keys · Ownchat");
        assert_eq!(title("מפתח 1".into()), "\u{2068}מפתח 1\u{2069} · Ownchat");
        assert_eq!(title("Set up Ownchat".into()), "Set up Ownchat");
        assert_eq!(title("</title><script>".into()), "&lt;/title&gt;&lt;script&gt; · Ownchat");
    }
}
