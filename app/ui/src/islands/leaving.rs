//! Asking before a page is left whose content cannot be seen again.

use leptos::{ev, prelude::*};

/// Lets the browser ask whoever closes, reloads or leaves the page, until `kept` says that its content is
/// safe elsewhere.
pub fn ask_before_leaving(kept: RwSignal<bool>) {
    Effect::new(move || {
        let listener = window_event_listener(ev::beforeunload, move |event| {
            if !kept.get_untracked() {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
}
