//! Renders flash messages, with the button that undoes the action.

use crate::{
    flash::{Flash, KeyAction},
    paths,
    request::PageRequest,
    texts::{
        common::{NAME, ROTATE},
        flash as text,
    },
};
use leptos::prelude::*;

/// Renders the flash message, if any. After an undo, the visitor returns to `back`. Adds the id to
/// the name if another key with that name `is_near`.
pub fn message(request: &PageRequest, flash: Option<Flash>, back: &str, is_near: bool) -> Option<AnyView> {
    let flash = flash?;
    let sentence = flash.sentence(request.backend().now());
    let id = flash.id;
    let beside = is_near.then(|| format!(" ({id})"));
    let called = format!("{}{}", flash.name, beside.as_deref().unwrap_or_default());
    let (before, after) = sentence.split_once(NAME).map_or((sentence.as_str(), None), |(before, after)| {
        let name = view! { "“"<bdi>{flash.name.clone()}</bdi>"”"{beside} };
        (before, Some((name, after.to_owned())))
    });
    let to = |path| paths::with_back(path, back);
    let follow = match flash.action {
        KeyAction::Deactivated => Some(undo(to(paths::key_status(id)), "active", &flash, &called)),
        KeyAction::Activated => Some(undo(to(paths::key_status(id)), "inactive", &flash, &called)),
        KeyAction::Deleted => Some(undo(to(paths::restore_key(id)), "", &flash, &called)),
        KeyAction::ActivatedTooLate => {
            let href = format!("{}#expiry", to(paths::key(id)));
            Some(view! { <a href=href>{text::EXTEND}</a> }.into_any())
        }
        KeyAction::Pasted if !flash.name.is_empty() => {
            Some(view! { <a href=to(paths::rotate_key(id))>{ROTATE}</a> }.into_any())
        }
        KeyAction::Saved | KeyAction::Unchanged | KeyAction::Restored | KeyAction::Pasted => None,
    };
    let class = if flash.action == KeyAction::Pasted { "banner banner-warn flash" } else { "banner banner-good flash" };
    Some(
        view! {
            <div class=class>
                <p role="status">{before.to_owned()}{after}</p>
                {follow}
            </div>
        }
        .into_any(),
    )
}

fn undo(action: String, status: &'static str, flash: &Flash, called: &str) -> AnyView {
    let label = text::undo_label(called);
    view! {
        <form method="post" action=action>
            <input type="hidden" name="status" value=status/>
            <input type="hidden" name="version" value=flash.version.to_string()/>
            <button class="button button-quiet" type="submit" aria-label=label>{text::UNDO}</button>
        </form>
    }
    .into_any()
}
