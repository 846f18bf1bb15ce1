//! One key: what it is, and editing it.

use super::{
    bounds::in_full,
    key_new::{preset, way},
    keys::{confirm_delete, duplicate, status_badge, switch},
    message::message,
    problem,
};
use crate::{
    components::{field::Errors, scopes::PRESET},
    draft::KeyDraft,
    flash::{Act, Flash},
    islands::key_form::{KeyForm, Purpose},
    layout::{Frame, Place},
    paths,
    visit::{Visit, page},
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{failure::Failure, key::Key, vault::person::Identity};

/// The page.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let identity = visit.backend().identity().await?;
        let id = visit.key_id()?;
        let key = visit.backend().read_key(id).await?;
        let Some(posted) = visit.posted() else {
            let draft = KeyDraft::of(&key);
            return Ok(form(&visit, identity, key, draft, Vec::new(), None));
        };
        let mut draft = KeyDraft::from_fields(&posted.0);
        if let Some(scopes) = preset(&posted.get(PRESET)) {
            draft.scopes = scopes;
            return Ok(form(&visit, identity, key, draft, Vec::new(), None));
        }
        let version = posted.get("version").parse().unwrap_or_default();
        let changed = match draft.to_patch(visit.backend().now()) {
            Ok(patch) => visit.backend().change_key(id, version, patch).await,
            Err(failure) => Err(failure),
        };
        match changed {
            Ok(changed) => Err(visit.done(Flash::of(Act::Saved, changed.key, changed.effective_at))),
            Err(Failure::Invalid { errors }) => {
                visit.status(StatusCode::UNPROCESSABLE_ENTITY);
                Ok(form(&visit, identity, key, draft, errors, None))
            }
            Err(Failure::Stale) => {
                visit.status(StatusCode::CONFLICT);
                let why = "Somebody changed this key since you opened the page. Your input is below, not saved: \
                           compare it with the key as it is now, then save again.";
                Ok(form(&visit, identity, key, draft, Vec::new(), Some(why.to_owned())))
            }
            Err(lost @ (Failure::NotSignedIn | Failure::NotFound)) => Err(lost.into()),
            Err(other) => {
                visit.status(problem::status(&other));
                Ok(form(&visit, identity, key, draft, Vec::new(), Some(problem::after_sending(&other))))
            }
        }
    })
}

fn form(
    visit: &Visit,
    identity: Identity,
    key: Key,
    draft: KeyDraft,
    errors: Errors,
    whole: Option<String>,
) -> AnyView {
    let ends = key.expires_at.map_or_else(|| "no expiration".to_owned(), |end| format!("until {}", end.day_and_time()));
    let purpose = Purpose::Edit { version: key.version, ends };
    let (edge, now) = (visit.backend().edge(), visit.backend().now());
    let facts = view! {
        <dl class="facts card">
            <dt>"Status"</dt>
            <dd>{status_badge(&key)}</dd>
            <dt>"Key"</dt>
            <dd><code>{key.prefix.clone()}"…"</code></dd>
            <dt>"Environment"</dt>
            <dd>{key.environment.to_string()}</dd>
            {in_full(&key, now).into_iter().map(|(label, text)| view! { <dt>{label}</dt><dd>{text}</dd> }).collect_view()}
            <dt>"Created"</dt>
            <dd>{key.created_at.day_and_time()}" by "{key.created_by.clone()}</dd>
            <dt>"Last changed"</dt>
            <dd>{key.updated_at.day_and_time()}</dd>
        </dl>
    };
    // What is done here comes back here, but for a key that is deleted then.
    let back = visit.back();
    let here = paths::with_back(paths::key(key.id), &back);
    let message = message(visit, visit.take_flash(), &here);
    view! {
        <Frame identity place=Place::Settings title=key.name.clone() way=way()>
            <div class="head">
                <h1>{key.name.clone()}</h1>
                <div class="row-actions">{duplicate(&key, &here)} {switch(&key, &here)} {confirm_delete(&key, &back)}</div>
            </div>
            {message}
            {facts}
            <KeyForm purpose draft errors whole edge now back/>
        </Frame>
    }
    .into_any()
}
