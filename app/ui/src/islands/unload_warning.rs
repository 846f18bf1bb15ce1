//! Warns before the visitor leaves a page whose content is shown only once.

use leptos::{ev, prelude::*};

/// Returns true once all islands are hydrated. On any other page no button can set `kept`.
pub fn is_hydrated() -> bool {
    document().document_element().is_some_and(|root| root.has_attribute("data-ready"))
}

/// Makes the browser ask for confirmation before the page closes, reloads or navigates away.
/// Setting `kept` disables it: the content is stored elsewhere.
pub fn warn_before_unload(kept: RwSignal<bool>) {
    Effect::new(move || {
        let listener = window_event_listener(ev::beforeunload, move |event| {
            if !kept.get_untracked() && is_hydrated() {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
}
