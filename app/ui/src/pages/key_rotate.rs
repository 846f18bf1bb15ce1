//! Rotates a key, and shows it once with its new secret.

use super::render::page;
use crate::{
    islands::reveal::Reveal,
    layout::{Frame, NavSection, breadcrumb},
    paths,
    request::PageRequest,
    texts::ROTATE,
};
use leptos::prelude::*;
use ownchat_domain::{
    idempotency::{BodyHash, Idempotency},
    key::Key,
    time::Timestamp,
    vault::person::Identity,
};

/// Renders the confirmation, or rotates the key.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let id = request.key_id()?;
        let Some(posted) = request.posted() else {
            let key = request.backend().read_key(id).await?;
            return Ok(question(&request, identity, key));
        };
        let name = posted.get("form").parse().ok();
        let once = name.map(|key| Idempotency { key, body: BodyHash::of(&[]) });
        let rotated = request.backend().new_secret(id, once).await?;
        let Some(token) = rotated.token else {
            return Ok(already_submitted(&request, identity, rotated.key, ROTATED));
        };
        let (token, edge, back) = (token.to_string(), request.backend().edge(), request.back());
        Ok(view! {
            <Frame identity section=NavSection::Settings title="New secret" breadcrumb=breadcrumb()>
                <h1>"New secret"</h1>
                <Reveal key=rotated.key.into() token edge back/>
            </Frame>
        }
        .into_any())
    })
}

/// Renders the confirmation before the current secret ends.
fn question(request: &PageRequest, identity: Identity, key: Key) -> AnyView {
    let (back, ends) = (request.back(), ends(&key, request.backend().now()));
    let (action, form) = form(request, &key);
    view! {
        <Frame identity section=NavSection::Settings title=ROTATE breadcrumb=breadcrumb()>
            <h1>"Rotate “"<bdi>{key.name.clone()}</bdi>"”?"</h1>
            <section class="card">
                <p>{ends}</p>
                <form method="post" action=action class="actions">
                    {form}
                    <a class="button button-quiet" href=back>"Cancel"</a>
                </form>
            </section>
        </Frame>
    }
    .into_any()
}

/// Describes the effect of a rotation on the older secrets.
fn ends(key: &Key, now: Timestamp) -> String {
    let promised = key.secrets.iter().filter_map(|secret| secret.ends_at).filter(|end| *end > now).max();
    let old = promised.map_or(String::new(), |end| {
        format!(" So does the one before it, which was to work until {}.", end.day_and_time())
    });
    format!("The present secret stops working within 5 seconds.{old} You see the new key once.")
}

/// Texts for a form that was already submitted.
pub struct AlreadySubmitted {
    /// Page title.
    title: &'static str,
    /// Heading after the key's name.
    heading: &'static str,
    /// Start of the message, before the key's name.
    effect: &'static str,
}

/// Texts for the form of a new key.
pub const CREATED: AlreadySubmitted =
    AlreadySubmitted { title: "New API key", heading: "already exists", effect: "This form created " };
const ROTATED: AlreadySubmitted =
    AlreadySubmitted { title: "New secret", heading: "already has a new secret", effect: "This form rotated " };

/// Renders the page of a form that was already submitted. Its secret cannot be shown again. Causes
/// are a double click, a held Enter key and a reload.
pub fn already_submitted(request: &PageRequest, identity: Identity, key: Key, texts: AlreadySubmitted) -> AnyView {
    let AlreadySubmitted { title, heading, effect } = texts;
    let back = request.back();
    let open = paths::with_back(paths::key(key.id), &back);
    let all = paths::at_row(&back, key.id);
    let ends = ends(&key, request.backend().now());
    let (action, form) = form(request, &key);
    view! {
        <Frame identity section=NavSection::Settings title=title breadcrumb=breadcrumb()>
            <h1>"“"<bdi>{key.name.clone()}</bdi>"” "{heading}</h1>
            <section class="card reveal">
                <div class="banner banner-warn" role="status">
                    <p>{effect}"“"<bdi>{key.name.clone()}</bdi>"” already. Keys are shown once, so it can't be shown again."</p>
                </div>
                <p>"Didn't copy it? Rotate the key to get a new secret. "{ends}</p>
                <form method="post" action=action class="actions">
                    {form}
                    <a class="button button-quiet" href=open>"Open key"</a>
                    <a class="button button-quiet" href=all>"Show all keys"</a>
                </form>
            </section>
        </Frame>
    }
    .into_any()
}

/// Returns the action URL and the content of the form that rotates a key.
fn form(request: &PageRequest, key: &Key) -> (String, AnyView) {
    let name = request.backend().request_id();
    let content = view! {
        <input type="hidden" name="form" value=name/>
        <button class="button button-main" type="submit">{ROTATE}</button>
    };
    (paths::with_back(paths::rotate_key(key.id), &request.back()), content.into_any())
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, ends};
    use crate::testing::key;
    use serde_json::json;

    #[test]
    fn a_promise_that_is_broken_is_said_beforehand() {
        let now = Timestamp::parse("2026-11-25T00:00:00Z").unwrap();
        let one = ends(&key(json!({})), now);
        assert_eq!(one, "The present secret stops working within 5 seconds. You see the new key once.");
        let (old, new) = ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
        let secrets = json!([{"number": 1, "created_at": old, "ends_at": "2026-12-01T08:00:00Z"}, {"number": 2, "created_at": new}]);
        let key = key(json!({"secrets": secrets}));
        let two = ends(&key, now);
        assert!(two.contains("the one before it, which was to work until 1 Dec 2026, 08:00"), "{two}");
        let over = Timestamp::parse("2026-12-01T08:00:00Z").unwrap();
        assert_eq!(ends(&key, over), one, "a promise that was kept");
    }
}
