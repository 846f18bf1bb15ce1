//! Restores a deleted key.

use super::render::page;
use crate::{
    flash::{Act, Flash},
    paths,
    request::Stop,
};
use leptos::prelude::*;

/// Restores the key and redirects. Renders nothing.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let id = request.key_id()?;
        if request.posted().is_none() {
            return Err(Stop::Redirect(paths::key(id)));
        }
        let restored = request.backend().restore_key(id).await?;
        Err(request.done(Flash::of(Act::Restored, restored.key, restored.effective_at)))
    })
}
