//! Asking before a key is deleted, and deleting it.

use super::{
    key_new::way,
    keys::{CONSEQUENCE, INTENT, which},
};
use crate::{
    flash::{Act, Flash},
    islands::confirm::ConfirmForm,
    layout::{Frame, Place},
    paths,
    visit::page,
};
use http::StatusCode;
use leptos::prelude::*;

/// The page.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let identity = visit.backend().identity().await?;
        let id = visit.key_id()?;
        let confirmed = visit.posted().filter(|posted| posted.get("confirm") == "yes");
        if let Some(posted) = confirmed {
            let version = posted.get("version").parse().unwrap_or_default();
            let changed = visit.backend().delete_key(id, version).await?;
            return Err(visit.done(Flash::of(Act::Deleted, changed.key, changed.effective_at)));
        }
        let error = visit.posted().map(|_| {
            visit.status(StatusCode::UNPROCESSABLE_ENTITY);
            "Tick this box first: nothing was deleted."
        });
        let key = visit.backend().read_key(id).await?;
        let back = visit.back();
        Ok(view! {
            <Frame identity place=Place::Settings title="Delete API key" way=way()>
                <h1>"Delete “"<bdi>{key.name.clone()}</bdi>"”?"</h1>
                <p class="hint"><bdi>{which(&key)}</bdi></p>
                <div class="card">
                    <ConfirmForm
                        word="Delete"
                        consequence=CONSEQUENCE
                        intent=INTENT
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
