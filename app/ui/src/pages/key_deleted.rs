//! The page of a deleted key that can still be restored.

use crate::{
    components::named::named,
    layout::{Frame, NavSection, breadcrumb},
    paths,
    request::PageRequest,
    texts::{common, deleted_key as text},
};
use leptos::prelude::*;
use ownchat_domain::{key::Key, vault::person::Identity};

/// Renders the page of a deleted key.
pub async fn shown(request: &PageRequest, identity: Identity, key: Key) -> AnyView {
    let editor = request.backend().last_editor(&key).await.unwrap_or_default();
    let when = common::ago(key.updated_at, request.backend().now());
    let deleted = match editor {
        Some(name) => named(&text::deleted_by(&when), name),
        None => text::deleted(&when).into_any(),
    };
    let until = key.restore_until.map(|end| text::restorable(&end.day_in_utc()));
    let action = paths::with_back(paths::restore_key(key.id), &paths::key(key.id));
    let back = request.back();
    view! {
        <Frame identity section=NavSection::Settings title=text::TITLE breadcrumb=breadcrumb()>
            <h1>{named(text::HEADING, key.name.clone())}</h1>
            <section class="card">
                <p>{deleted}{until}</p>
                <form method="post" action=action class="actions">
                    <button class="button button-main" type="submit">{common::RESTORE}</button>
                    <a class="button button-quiet" href=back>{common::SHOW_ALL_KEYS}</a>
                </form>
            </section>
        </Frame>
    }
    .into_any()
}
