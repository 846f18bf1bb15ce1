//! Copying to the clipboard.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// Copies a text, and says so in `copied` when it is done. Where the browser refuses, the text stays
/// selectable.
pub fn copy_text(text: String, copied: RwSignal<bool>) {
    spawn_local(async move {
        let promise = window().navigator().clipboard().write_text(&text);
        copied.set(JsFuture::from(promise.unchecked_into::<js_sys::Promise>()).await.is_ok());
    });
}
