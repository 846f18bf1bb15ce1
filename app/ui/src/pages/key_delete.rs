//! Deletes a key after confirmation.

use super::{keys::which, render::page};
use crate::{
    flash::{Flash, KeyAction},
    islands::confirm::ConfirmForm,
    layout::{Frame, NavSection, breadcrumb},
    paths,
    texts::{DELETE_CONSEQUENCE, DELETE_INTENT},
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
            "Tick this box first: nothing was deleted."
        });
        let key = request.backend().read_key(id).await?;
        let back = request.back();
        Ok(view! {
            <Frame identity section=NavSection::Settings title="Delete API key" breadcrumb=breadcrumb()>
                <h1>"Delete “"<bdi>{key.name.clone()}</bdi>"”?"</h1>
                <p class="hint"><bdi>{which(&key)}</bdi></p>
                <div class="card">
                    <ConfirmForm
                        word="Delete"
                        consequence=DELETE_CONSEQUENCE
                        intent=DELETE_INTENT
                        action=paths::with_back(paths::delete_key(id), &back)
                        version=key.version
                        error
                    >
                        <a class="button button-quiet" href=back.clone()>"Cancel"</a>
                    </ConfirmForm>
                </div>
            </Frame>
        }
        .into_any())
    })
}
