//! The search field of the list. A whole key that somebody pastes is cut to its id before it is
//! sent.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use crate::{
    paths,
    texts::{ADVICE, PASTED, ROTATE},
};
use leptos::{html::Input, prelude::*};
use ownchat_domain::{locator::Locator, token};
use web_sys::Storage;

/// Name under which the browser remembers the id of a key that was cut, until the page with the
/// result is there.
const NOTE: &str = "ownchat-pasted";

/// The field.
#[island]
pub fn SearchField(
    /// The search that is shown.
    value: String,
    /// True if it found a key.
    found: bool,
) -> impl IntoView {
    // A page that rotates it is offered unless it is known that there is no such key.
    let missing = (!found).then(|| value.clone());
    let field = NodeRef::<Input>::new();
    let pasted = RwSignal::new(None::<Locator>);
    let cut = move || {
        let Some(input) = field.get_untracked() else { return };
        let text = input.value();
        let Some(id) = token::id_in(&text) else { return };
        input.set_value(id);
        pasted.set(id.parse().ok());
        if let Some(storage) = storage() {
            // Without it the message is gone with this page.
            let _ = storage.set_item(NOTE, id);
        }
    };
    Effect::new(move || {
        if let Some(storage) = storage()
            && let Ok(Some(id)) = storage.get_item(NOTE)
        {
            let _ = storage.remove_item(NOTE);
            pasted.set(id.parse().ok());
        }
        // Pasted before the page came to life.
        cut();
    });
    view! {
        <label class="grow">
            <span class="visually-hidden">"Search by name, id or description"</span>
            <input type="search" name="q" placeholder="Search by name, id or description" value=value
                autocomplete="off" node_ref=field on:input=move |_| cut()/>
        </label>
        <div class="whole-line" role="status">
            {move || pasted.get().map(|id| {
                let may_exist = missing.as_ref().is_none_or(|missing| *missing != id.to_string());
                let advice = may_exist.then(|| view! { " "{ADVICE}" "<a href=paths::rotate_key(id)>{ROTATE}</a> });
                view! { <p class="banner banner-warn">{PASTED}{advice}</p> }
            })}
        </div>
    }
    .into_any()
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
