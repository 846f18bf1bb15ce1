//! Copies text to the clipboard.

use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// State of a copy button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// Idle: no recent copy.
    Idle,
    /// The text is in the clipboard.
    Copied,
    /// The browser refused access to the clipboard.
    Refused,
}

/// Time that a button shows success.
const SAID_FOR: Duration = Duration::from_secs(4);

/// Copies a text to the clipboard and reports the result in `state`.
pub fn copy_text(text: String, state: RwSignal<Copying>) {
    // Reset first, so that screen readers announce each result.
    state.set(Copying::Idle);
    spawn_local(async move {
        let is_copied = write(&text).await;
        state.set(if is_copied { Copying::Copied } else { Copying::Refused });
        if is_copied {
            set_timeout(move || state.set(Copying::Idle), SAID_FOR);
        }
    });
}

async fn write(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Browsers offer no clipboard over plain HTTP.
    if clipboard.is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text).unchecked_into::<js_sys::Promise>()).await.is_ok()
}
