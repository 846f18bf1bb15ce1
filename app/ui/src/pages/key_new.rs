//! The page that creates or duplicates a key.

use super::{
    key_rotate::{CREATED, already_submitted},
    render::page,
};
use crate::{
    components::{field::Errors, scopes::PRESET},
    draft::{Expiry, KeyFormDraft},
    islands::{
        key_form::{FormMode, KeyForm},
        reveal::Reveal,
    },
    layout::{Frame, NavSection, breadcrumb},
    request::PageRequest,
    texts::{common::CREATE, key_form::same_as, reveal},
};
use leptos::prelude::*;
use ownchat_domain::{
    failure::Failure,
    key::{Key, KeyQuery},
    scope::PRESETS,
    vault::person::Identity,
};

/// Renders the form, or creates the key.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let Some(posted) = request.posted() else {
            let source = source(&request, &request.query("from")).await?;
            let draft = match &source {
                Some(key) => KeyFormDraft::duplicate_of(key, &duplicate_names(&request).await, request.backend().now()),
                None => KeyFormDraft::default(),
            };
            let draft = KeyFormDraft { form: request.backend().request_id(), ..draft };
            return Ok(form(&request, identity, source.as_ref(), draft, Vec::new(), None));
        };
        let mut draft = KeyFormDraft::read(|name| posted.all(name));
        let source = source(&request, &draft.from).await?;
        let source = source.as_ref();
        if let Some(scopes) = preset(&posted.get(PRESET)) {
            draft.scopes = scopes;
            return Ok(form(&request, identity, source, draft, Vec::new(), None));
        }
        match request.backend().submit(&draft, None).await {
            Ok(created) if created.replayed => Ok(already_submitted(&request, identity, created.key, CREATED)),
            Ok(created) => {
                let token = created.token.map(|token| token.to_string()).unwrap_or_default();
                let (edge, back) = (request.backend().edge(), request.back());
                Ok(view! {
                    <Frame identity section=NavSection::Settings title=reveal::TITLE_CREATED breadcrumb=breadcrumb()>
                        <h1>{reveal::TITLE_CREATED}</h1>
                        <Reveal key=created.key.into() token edge back/>
                    </Frame>
                }
                .into_any())
            }
            Err(Failure::NotSignedIn) => Err(Failure::NotSignedIn.into()),
            Err(failure) => {
                if failure == Failure::Reused {
                    // The server would refuse every retry with the old idempotency key.
                    draft.form = request.backend().request_id();
                }
                let (errors, whole) = request.fail_form(failure);
                Ok(form(&request, identity, source, draft, errors, whole))
            }
        }
    })
}

/// Returns the source key of a duplicate; `None` for a new key.
///
/// # Errors
///
/// Returns [`Failure::NotFound`] for an invalid id, and every failure to read the key.
async fn source(request: &PageRequest, from: &str) -> Result<Option<Key>, Failure> {
    if from.is_empty() {
        return Ok(None);
    }
    let id = from.parse().map_err(|_| Failure::NotFound)?;
    request.backend().read_key(id).await.map(Some)
}

/// Returns the names of existing duplicates, to suggest a free name.
async fn duplicate_names(request: &PageRequest) -> Vec<String> {
    let query = KeyQuery { limit: Some(KeyQuery::LIMIT_MAX), q: Some("(copy".to_owned()), ..KeyQuery::default() };
    // The name is only a suggestion. Without the list it may already be taken.
    let page = request.backend().list_keys(query).await;
    page.map(|page| page.data.into_iter().map(|key| key.name).collect()).unwrap_or_default()
}

/// Returns the scopes of a preset, for the pressed button.
pub fn preset(name: &str) -> Option<Vec<String>> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    Some(preset.scopes.iter().map(|scope| (*scope).to_owned()).collect())
}

fn form(
    request: &PageRequest,
    identity: Identity,
    source: Option<&Key>,
    draft: KeyFormDraft,
    errors: Errors,
    whole: Option<String>,
) -> AnyView {
    let (edge, now, back) = (request.backend().edge(), request.backend().now(), request.back());
    let mode = source.map_or(FormMode::Create, |key| {
        let end = key.expires_at.filter(|end| *end > now);
        let keep = end.map(|end| same_as(&key.name, &end.day_and_time()));
        FormMode::Duplicate { of: key.name.clone(), keep }
    });
    view! {
        <Frame identity section=NavSection::Settings title=CREATE breadcrumb=breadcrumb()>
            <h1>{CREATE}</h1>
            <KeyForm mode draft errors whole edge hints=Expiry::hints(now) back/>
        </Frame>
    }
    .into_any()
}
