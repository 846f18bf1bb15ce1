//! Activates or deactivates a key.

use super::render::page;
use crate::{
    flash::{Flash, KeyAction},
    paths,
    request::EarlyReturn,
    texts::keys::STATUS_UNKNOWN,
};
use leptos::prelude::*;
use ownchat_domain::{
    failure::Failure,
    key::{KeyPatch, Reason, Status},
};

/// Changes the status and redirects. Renders nothing.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let id = request.key_id()?;
        let Some(posted) = request.posted() else { return Err(EarlyReturn::Redirect(paths::key(id))) };
        let status = match posted.get("status").as_str() {
            "active" => Status::Active,
            "inactive" => Status::Inactive,
            _ => return Err(Failure::field("status", STATUS_UNKNOWN).into()),
        };
        let patch = KeyPatch { status: Some(status), ..KeyPatch::default() };
        let version = posted.get("version").parse().unwrap_or_default();
        let changed = request.backend().change_key(id, version, patch).await?;
        let action = match (status, changed.key.reason) {
            (Status::Inactive, _) => KeyAction::Deactivated,
            (Status::Active, Some(Reason::Expired)) => KeyAction::ActivatedTooLate,
            (Status::Active, _) => KeyAction::Activated,
        };
        Err(request.done(Flash::of(action, changed.key, changed.effective_at)))
    })
}
