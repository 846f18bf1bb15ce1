//! Switching a key off and on.

use crate::{
    paths::{self, Done},
    visit::{Stop, page},
};
use leptos::prelude::*;
use ownchat_domain::key::{KeyPatch, Status};

/// The page; it has nothing to show.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let id = visit.key_id()?;
        let Some(posted) = visit.posted() else { return Err(Stop::Redirect(paths::key(id))) };
        let (status, done) = match posted.get("status").as_str() {
            "inactive" => (Status::Inactive, Done::Deactivated),
            _ => (Status::Active, Done::Activated),
        };
        let patch = KeyPatch { status: Some(status), ..KeyPatch::default() };
        let version = posted.get("version").parse().unwrap_or_default();
        visit.backend().change_key(id, version, patch).await?;
        Err(Stop::Redirect(paths::keys_after(done)))
    })
}
