//! Copying to the clipboard.

use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// How far copying has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// Nothing was copied lately.
    Idle,
    /// The text is in the clipboard.
    Copied,
    /// The browser refused it.
    Refused,
}

/// How long a button says that it has copied.
const SAID_FOR: Duration = Duration::from_secs(4);

/// Copies a text and says in `state` how that went.
pub fn copy_text(text: String, state: RwSignal<Copying>) {
    // Said anew each time, so that it is announced each time.
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
    // Over plain HTTP there is none.
    if clipboard.is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.write_text(text).unchecked_into::<js_sys::Promise>()).await.is_ok()
}
