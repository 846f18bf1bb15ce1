//! An element that never changes.

use leptos::{prelude::IntoView, tachys::html::InertElement};

/// Renders an element with a text that never changes. Hydration skips it, as it skips an element of
/// literals: the WASM needs no code for its parts. `open` and `close` are HTML.
pub fn inert(open: &str, text: &str, close: &str) -> impl IntoView + use<> {
    InertElement::new([open, &html_escape::encode_text(text), close].concat())
}
