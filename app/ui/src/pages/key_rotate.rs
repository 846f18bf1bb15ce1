//! Rotates a key, and shows it once with its new secret.

use super::render::page;
use crate::{
    components::named::named,
    islands::reveal::Reveal,
    layout::{Frame, NavSection, breadcrumb},
    paths,
    request::PageRequest,
    texts::{common, reveal, rotate as text},
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
            <Frame identity section=NavSection::Settings title=reveal::TITLE_ROTATED breadcrumb=breadcrumb()>
                <h1>{reveal::TITLE_ROTATED}</h1>
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
        <Frame identity section=NavSection::Settings title=common::ROTATE breadcrumb=breadcrumb()>
            <h1>{named(text::QUESTION, key.name.clone())}</h1>
            <section class="card">
                <p>{ends}</p>
                <form method="post" action=action class="actions">
                    {form}
                    <a class="button button-quiet" href=back>{common::CANCEL}</a>
                </form>
            </section>
        </Frame>
    }
    .into_any()
}

/// Describes the effect of a rotation on the older secrets.
fn ends(key: &Key, now: Timestamp) -> String {
    let promised = key.secrets.iter().filter_map(|secret| secret.ends_at).filter(|end| *end > now).max();
    let earlier = promised.map(|end| text::earlier_secret(&end.day_and_time())).unwrap_or_default();
    text::effect(&earlier)
}

/// Texts for a form that was already submitted.
pub struct AlreadySubmitted {
    /// Page title.
    title: &'static str,
    /// Heading, with the place of the key's name.
    heading: &'static str,
}

/// Texts for the form of a new key.
pub const CREATED: AlreadySubmitted =
    AlreadySubmitted { title: reveal::TITLE_CREATED, heading: reveal::ALREADY_CREATED };
const ROTATED: AlreadySubmitted = AlreadySubmitted { title: reveal::TITLE_ROTATED, heading: reveal::ALREADY_ROTATED };

/// Renders the page of a form that was already submitted. Its secret cannot be shown again. Causes
/// are a double click, a held Enter key and a reload.
pub fn already_submitted(request: &PageRequest, identity: Identity, key: Key, texts: AlreadySubmitted) -> AnyView {
    let AlreadySubmitted { title, heading } = texts;
    let back = request.back();
    let open = paths::with_back(paths::key(key.id), &back);
    let all = paths::at_row(&back, key.id);
    let ends = ends(&key, request.backend().now());
    let (action, form) = form(request, &key);
    view! {
        <Frame identity section=NavSection::Settings title=title breadcrumb=breadcrumb()>
            <h1>{named(heading, key.name.clone())}</h1>
            <section class="card reveal">
                <div class="banner banner-warn" role="status">
                    <p>{reveal::SUBMITTED}</p>
                </div>
                <p>{reveal::NOT_COPIED}{ends}</p>
                <form method="post" action=action class="actions">
                    {form}
                    <a class="button button-quiet" href=open>{common::OPEN_KEY}</a>
                    <a class="button button-quiet" href=all>{common::SHOW_ALL_KEYS}</a>
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
        <button class="button button-main" type="submit">{common::ROTATE}</button>
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
