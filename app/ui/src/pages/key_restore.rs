//! Undoing the deletion of a key.

use crate::{
    flash::{Act, Flash},
    paths,
    visit::{Stop, page},
};
use leptos::prelude::*;

/// The page; it has nothing to show.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let id = visit.key_id()?;
        if visit.posted().is_none() {
            return Err(Stop::Redirect(paths::key(id)));
        }
        let restored = visit.backend().restore_key(id).await?;
        Err(visit.done(Flash::of(Act::Restored, restored.key, restored.effective_at)))
    })
}
