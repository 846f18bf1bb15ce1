//! The browser's entry point: it brings the islands of a page to life.

// The islands export themselves; naming the crate keeps them in the binary.
use ownchat_ui as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page's script when the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
