//! Asking before a page is left whose content cannot be seen again.

use leptos::{ev, prelude::*};

/// Tells if the page has come to life whole; one that has not has no button that could set `kept`.
fn is_alive() -> bool {
    document().document_element().is_some_and(|root| root.has_attribute("data-ready"))
}

/// Lets the browser ask whoever closes, reloads or leaves the page, until `kept` says that its content is
/// safe elsewhere.
pub fn ask_before_leaving(kept: RwSignal<bool>) {
    Effect::new(move || {
        let listener = window_event_listener(ev::beforeunload, move |event| {
            if !kept.get_untracked() && is_alive() {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
}
