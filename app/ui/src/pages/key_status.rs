//! Switching a key off and on.

use crate::{
    paths::{self, Done},
    visit::{Stop, page},
};
use leptos::prelude::*;
use ownchat_domain::{
    failure::Failure,
    key::{KeyPatch, Status},
};

/// The page; it has nothing to show.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let id = visit.key_id()?;
        let Some(posted) = visit.posted() else { return Err(Stop::Redirect(paths::key(id))) };
        let status = match posted.get("status").as_str() {
            "active" => Status::Active,
            "inactive" => Status::Inactive,
            _ => return Err(Failure::field("status", "Choose active or inactive.").into()),
        };
        let patch = KeyPatch { status: Some(status), ..KeyPatch::default() };
        let version = posted.get("version").parse().unwrap_or_default();
        let changed = visit.backend().change_key(id, version, patch).await?;
        let done = match (status, changed.key.status) {
            (Status::Inactive, _) => Done::Deactivated,
            (Status::Active, Status::Active) => Done::Activated,
            (Status::Active, Status::Inactive) => Done::ActivatedTooLate,
        };
        Err(Stop::Redirect(paths::keys_after(done, changed.effective_at)))
    })
}
