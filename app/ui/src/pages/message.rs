//! The message after an act, with the button that undoes it.

use crate::{
    flash::{Act, Flash},
    paths,
    visit::Visit,
};
use leptos::prelude::*;

/// The message that the visitor is to see on this page, if there is one. `back` is the page to come
/// back to when it is undone.
pub fn message(visit: &Visit, flash: Option<Flash>, back: &str) -> Option<AnyView> {
    let flash = flash?;
    let sentence = flash.sentence(visit.backend().now());
    let name = flash.names_key().then(|| view! { "“"<bdi>{flash.name.clone()}</bdi>"”" });
    let id = flash.id;
    let to = |path| paths::with_back(path, back);
    let follow = match flash.act {
        Act::Deactivated => Some(undo(to(paths::key_status(id)), "active", &flash)),
        Act::Activated => Some(undo(to(paths::key_status(id)), "inactive", &flash)),
        Act::Deleted => Some(undo(to(paths::restore_key(id)), "", &flash)),
        Act::ActivatedTooLate => {
            let href = format!("{}#expiry", to(paths::key(id)));
            Some(view! { <a href=href>"Extend it"</a> }.into_any())
        }
        Act::Pasted if !flash.name.is_empty() => {
            Some(view! { <a href=to(paths::rotate_key(id))>"Show a new secret"</a> }.into_any())
        }
        Act::Saved | Act::Unchanged | Act::Restored | Act::Pasted => None,
    };
    let class = if flash.act == Act::Pasted { "banner banner-warn flash" } else { "banner banner-good flash" };
    Some(
        view! {
            <div class=class>
                <p role="status">{name}{sentence}</p>
                {follow}
            </div>
        }
        .into_any(),
    )
}

fn undo(action: String, status: &'static str, flash: &Flash) -> AnyView {
    let label = format!("Undo: {}", flash.name);
    view! {
        <form method="post" action=action>
            <input type="hidden" name="status" value=status/>
            <input type="hidden" name="version" value=flash.version.to_string()/>
            <button class="button button-quiet" type="submit" aria-label=label>"Undo"</button>
        </form>
    }
    .into_any()
}
