//! The one-time display of a key that the server made, with its buttons brought to life.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use crate::{actions::Made, components::reveal::RevealKey};
use leptos::prelude::*;

/// The whole key, with what to do next.
#[island]
pub fn Reveal(
    /// The key.
    key: Made,
    /// Its plain text.
    token: String,
    /// Origin of the edge.
    edge: String,
    /// The page to go back to.
    back: String,
) -> impl IntoView {
    view! { <RevealKey key token edge back/> }
}
