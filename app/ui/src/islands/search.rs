//! The search field of the list. A whole key that somebody pastes is cut to its id before it is
//! sent.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use leptos::{html::Input, prelude::*};
use ownchat_domain::token;
use web_sys::Storage;

/// The message to somebody who pasted a whole key.
pub const PASTED: &str = "You pasted a whole key. We looked for its id only. If others could see it, rotate it.";

/// Name under which the browser remembers that a key was cut, until the page with the result is
/// there.
const NOTE: &str = "ownchat-pasted";

/// The field.
#[island]
pub fn SearchField(
    /// The search that is shown.
    value: String,
) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let was_cut = RwSignal::new(false);
    let cut = move || {
        let Some(input) = field.get_untracked() else { return };
        let text = input.value();
        let Some(id) = token::id_in(&text) else { return };
        input.set_value(id);
        was_cut.set(true);
        if let Some(storage) = storage() {
            // Without it the message is gone with this page.
            let _ = storage.set_item(NOTE, "1");
        }
    };
    Effect::new(move || {
        let noted = storage().filter(|storage| matches!(storage.get_item(NOTE), Ok(Some(_))));
        if let Some(storage) = noted {
            let _ = storage.remove_item(NOTE);
            was_cut.set(true);
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
            {move || was_cut.get().then(|| view! { <p class="banner banner-warn">{PASTED}</p> })}
        </div>
    }
    .into_any()
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
