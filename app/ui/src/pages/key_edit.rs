//! The page of one key: its facts, and the form to edit it.

use super::{
    conflict::{self, choices},
    key_deleted,
    key_new::preset,
    keys::{confirm_delete, duplicate, status_badge, switch},
    message::message,
    render::page,
    restrictions::in_full,
};
use crate::{
    components::{field::Errors, named::named, scopes::PRESET},
    draft::{Expiry, KeyFormDraft},
    flash::{Flash, KeyAction},
    islands::key_form::{FormMode, KeyForm},
    layout::{Frame, NavSection, breadcrumb},
    merge::{Values, merge},
    paths,
    request::{PageRequest, PageResult, PostedForm},
    texts::{key_form, key_page as text},
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{failure::Failure, key::Key, vault::person::Identity};

/// Maximum attempts to merge and save a change while others change the key concurrently.
const ROUNDS: usize = 3;

/// Renders the page, or saves the posted form.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let id = request.key_id()?;
        let key = match request.backend().read_key(id).await {
            Err(Failure::NotFound) => {
                let deleted = request.backend().read_deleted_key(id).await?;
                return Ok(key_deleted::shown(&request, identity, deleted).await);
            }
            read => read?,
        };
        let Some(posted) = request.posted() else {
            let draft = KeyFormDraft::of(&key);
            return Ok(Form::of(&key, draft).shown(&request, identity, key));
        };
        let mut draft = KeyFormDraft::read(|name| posted.all(name));
        let was_shown = posted.get("version") == key.version.to_string();
        let base = Values::posted(posted).or_else(|| was_shown.then(|| Values::of(&key)));
        if let Some(scopes) = preset(&posted.get(PRESET)) {
            draft.scopes = scopes;
            let form = Form { base: base.unwrap_or_else(|| Values::of(&key)), ..Form::of(&key, draft) };
            return Ok(form.shown(&request, identity, key));
        }
        save(&request, identity, key, draft, base, posted).await
    })
}

/// Saves the admin's changes. Merges them again if the version is stale.
async fn save(
    request: &PageRequest,
    identity: Identity,
    mut key: Key,
    draft: KeyFormDraft,
    base: Option<Values>,
    posted: &PostedForm,
) -> PageResult {
    let now = request.backend().now();
    let mut round = 1;
    let (merged, failure) = loop {
        let merged = merge(draft.clone(), base.as_ref(), posted, &key);
        if !merged.conflicts.is_empty() {
            request.status(StatusCode::CONFLICT);
            let editor = request.backend().last_editor(&key).await.unwrap_or_default();
            let choices = choices(&merged.conflicts, &merged.draft, &key, editor, now);
            let form = Form { choices: Some(choices), ..Form::of(&key, merged.draft) };
            return Ok(form.shown(request, identity, key));
        }
        if merged.changed.is_empty() {
            return Err(request.done(Flash::of(KeyAction::Unchanged, key, None)));
        }
        let changed = match merged.patch(now) {
            Ok(patch) => request.backend().change_key(key.id, key.version, patch).await,
            Err(failure) => Err(failure),
        };
        match changed {
            Ok(changed) => return Err(request.done(Flash::of(KeyAction::Saved, changed.key, changed.effective_at))),
            Err(Failure::Stale) if round < ROUNDS => {
                round += 1;
                key = request.backend().read_key(key.id).await?;
            }
            Err(lost @ (Failure::NotSignedIn | Failure::NotFound)) => return Err(lost.into()),
            Err(failure) => break (merged, failure),
        }
    };
    let (errors, whole) = request.fail_form(failure);
    let form = Form { errors, whole, ..Form::of(&key, merged.draft) };
    Ok(form.shown(request, identity, key))
}

/// The edit form and its errors.
struct Form {
    draft: KeyFormDraft,
    base: Values,
    choices: Option<AnyView>,
    errors: Errors,
    whole: Option<String>,
}

impl Form {
    fn of(key: &Key, draft: KeyFormDraft) -> Self {
        Self { draft, base: Values::of(key), choices: None, errors: Vec::new(), whole: None }
    }

    fn shown(self, request: &PageRequest, identity: Identity, key: Key) -> AnyView {
        let Self { draft, base, choices, errors, whole } = self;
        let (edge, now) = (request.backend().edge(), request.backend().now());
        let keep = match key.expires_at {
            Some(end) if end > now => key_form::keep(&end.day_and_time()),
            Some(end) => key_form::keep_expired(&end.day_and_time()),
            None => key_form::KEEP_NEVER.to_owned(),
        };
        let mode = FormMode::Edit { version: key.version, keep };
        let facts = view! {
            <dl class="facts card">
                <dt>{text::STATUS}</dt>
                <dd>{status_badge(&key)}</dd>
                <dt>{text::KEY}</dt>
                <dd><code>{key.prefix.clone()}"…"</code></dd>
                <dt>{text::ENVIRONMENT}</dt>
                <dd>{text::environment(key.environment)}</dd>
                {in_full(&key, now).into_iter().map(|(label, text)| view! { <dt>{label}</dt><dd><bdi>{text}</bdi></dd> }).collect_view()}
                <dt>{text::CREATED}</dt>
                <dd>{named(&text::created(&key.created_at.day_and_time()), key.created_by.clone())}</dd>
                <dt>{text::LAST_CHANGED}</dt>
                <dd>{key.updated_at.day_and_time()}</dd>
            </dl>
        };
        // Duplication and the status switch return to this page, deletion to the page before.
        let back = request.back();
        let here = paths::with_back(paths::key(key.id), &back);
        let message = message(request, request.take_flash(), &here, false);
        view! {
            <Frame identity section=NavSection::Settings title=key.name.clone() breadcrumb=breadcrumb()>
                <div class="head">
                    <h1><bdi>{key.name.clone()}</bdi></h1>
                    <div class="row-actions">{duplicate(&key, &key.name, &here)} {switch(&key, &key.name, &here)} {confirm_delete(&key, &back)}</div>
                </div>
                {message}
                {facts}
                {choices}
                {conflict::base(&base)}
                <KeyForm mode draft errors whole edge hints=Expiry::hints(now) back/>
            </Frame>
        }
        .into_any()
    }
}
