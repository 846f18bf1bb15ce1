//! The search field of the key list. Cuts a pasted key to its id before the browser sends it.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use crate::{
    components::inert::inert,
    paths,
    texts::{
        common::{ADVICE, PASTED, ROTATE},
        keys::SEARCH_HINT,
    },
};
use leptos::{html::Input, prelude::*};
use ownchat_domain::{locator::Locator, token};
use web_sys::Storage;

/// Entry in session storage with the id of a key that was cut. The result page removes it.
const NOTE: &str = "ownchat-pasted";

/// The search field.
#[island]
pub fn SearchField(
    /// Current search.
    value: String,
    /// True if the search found a key.
    found: bool,
) -> impl IntoView {
    // Offer to rotate the key unless the search has shown that it does not exist.
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
            // Without session storage, the message disappears with this page.
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
        // Covers a paste before hydration.
        cut();
    });
    view! {
        <label class="grow">
            {inert("<span class=\"visually-hidden\">", SEARCH_HINT, "</span>")}
            <input type="search" name="q" placeholder=SEARCH_HINT value=value
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
