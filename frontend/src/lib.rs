#![doc = include_str!("../README.md")]

// The islands export themselves. Naming the crate keeps them in the binary.
use ownchat_ui as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the islands. The page's script calls it once the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
