//! Making a key.

use super::problem;
use crate::{
    components::{field::Errors, scopes::PRESET},
    draft::KeyDraft,
    islands::{
        key_form::{KeyForm, Purpose},
        reveal::Reveal,
    },
    layout::{Frame, Place, Step},
    paths,
    visit::{Visit, page},
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{failure::Failure, scope::PRESETS, vault::person::Identity};

/// The page.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let identity = visit.backend().identity().await?;
        let Some(posted) = visit.posted() else {
            return Ok(form(&visit, identity, KeyDraft::default(), Vec::new(), None));
        };
        let mut draft = KeyDraft::from_fields(&posted.0);
        if let Some(scopes) = preset(&posted.get(PRESET)) {
            draft.scopes = scopes;
            return Ok(form(&visit, identity, draft, Vec::new(), None));
        }
        let made = match draft.to_new_key(visit.backend().now()) {
            Ok(key) => visit.backend().create_key(key).await,
            Err(failure) => Err(failure),
        };
        match made {
            Ok(created) => {
                let token = created.token.map(|token| token.to_string()).unwrap_or_default();
                let edge = visit.backend().edge();
                Ok(view! {
                    <Frame identity place=Place::Settings title="New API key" way=way()>
                        <h1>"New API key"</h1>
                        <Reveal key=created.key.into() token edge/>
                    </Frame>
                }
                .into_any())
            }
            Err(Failure::Invalid { errors }) => {
                visit.status(StatusCode::UNPROCESSABLE_ENTITY);
                Ok(form(&visit, identity, draft, errors, None))
            }
            Err(Failure::NotSignedIn) => Err(Failure::NotSignedIn.into()),
            Err(other) => {
                visit.status(problem::status(&other));
                Ok(form(&visit, identity, draft, Vec::new(), Some(problem::after_sending(&other))))
            }
        }
    })
}

/// The scopes of a preset whose button was pressed.
pub fn preset(name: &str) -> Option<Vec<String>> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    Some(preset.scopes.iter().map(|scope| (*scope).to_owned()).collect())
}

/// The way to the pages of one key.
pub fn way() -> Vec<Step> {
    vec![("Settings", paths::SETTINGS.to_owned()), ("API Keys", paths::KEYS.to_owned())]
}

fn form(visit: &Visit, identity: Identity, draft: KeyDraft, errors: Errors, whole: Option<String>) -> AnyView {
    let (edge, now) = (visit.backend().edge(), visit.backend().now());
    view! {
        <Frame identity place=Place::Settings title="Create API Key" way=way()>
            <h1>"Create API Key"</h1>
            <KeyForm purpose=Purpose::Create draft errors whole edge now/>
        </Frame>
    }
    .into_any()
}
