//! The page of a deleted key that can still be restored.

use super::conflict::ago;
use crate::{
    layout::{Frame, NavSection, breadcrumb},
    paths,
    request::PageRequest,
};
use leptos::prelude::*;
use ownchat_domain::{key::Key, vault::person::Identity};

/// Renders the page of a deleted key.
pub async fn shown(request: &PageRequest, identity: Identity, key: Key) -> AnyView {
    let editor = request.backend().last_editor(&key).await.unwrap_or_default();
    let by = editor.map(|name| view! { " by "<bdi>{name}</bdi> });
    let when = ago(key.updated_at, request.backend().now());
    let until = key.restore_until.map(|end| format!(" You can restore it until {}.", end.day_in_utc()));
    let action = paths::with_back(paths::restore_key(key.id), &paths::key(key.id));
    let back = request.back();
    view! {
        <Frame identity section=NavSection::Settings title="Deleted key" breadcrumb=breadcrumb()>
            <h1>"“"<bdi>{key.name.clone()}</bdi>"” is deleted"</h1>
            <section class="card">
                <p>"Deleted"{by}" "{when}"."{until}</p>
                <form method="post" action=action class="actions">
                    <button class="button button-main" type="submit">"Restore"</button>
                    <a class="button button-quiet" href=back>"Show all keys"</a>
                </form>
            </section>
        </Frame>
    }
    .into_any()
}
