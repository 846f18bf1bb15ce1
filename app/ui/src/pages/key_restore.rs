//! Restores a deleted key.

use super::render::page;
use crate::{
    flash::{Flash, KeyAction},
    paths,
    request::EarlyReturn,
};
use leptos::prelude::*;

/// Restores the key and redirects. Renders nothing.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let id = request.key_id()?;
        if request.posted().is_none() {
            return Err(EarlyReturn::Redirect(paths::key(id)));
        }
        let restored = request.backend().restore_key(id).await?;
        Err(request.done(Flash::of(KeyAction::Restored, restored.key, restored.effective_at)))
    })
}
