//! Deletes a key after confirmation.

use super::render::page;
use crate::{
    components::named::named,
    flash::{Flash, KeyAction},
    islands::confirm::ConfirmForm,
    layout::{Frame, NavSection, breadcrumb},
    paths,
    texts::{common::CANCEL, delete as text},
};
use http::StatusCode;
use leptos::prelude::*;

/// Renders the confirmation, or deletes the key.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let id = request.key_id()?;
        let confirmed = request.posted().filter(|posted| posted.get("confirm") == "yes");
        if let Some(posted) = confirmed {
            let version = posted.get("version").parse().unwrap_or_default();
            let changed = request.backend().delete_key(id, version).await?;
            return Err(request.done(Flash::of(KeyAction::Deleted, changed.key, changed.effective_at)));
        }
        let error = request.posted().map(|_| {
            request.status(StatusCode::UNPROCESSABLE_ENTITY);
            text::NOT_TICKED
        });
        let key = request.backend().read_key(id).await?;
        let back = request.back();
        Ok(view! {
            <Frame identity section=NavSection::Settings title=text::TITLE breadcrumb=breadcrumb()>
                <h1>{named(text::QUESTION, key.name.clone())}</h1>
                <p class="hint"><bdi>{text::details(&key)}</bdi></p>
                <div class="card">
                    <ConfirmForm
                        intent=text::intent(&key)
                        action=paths::with_back(paths::delete_key(id), &back)
                        version=key.version
                        error
                    >
                        <a class="button button-quiet" href=back.clone()>{CANCEL}</a>
                    </ConfirmForm>
                </div>
            </Frame>
        }
        .into_any())
    })
}
