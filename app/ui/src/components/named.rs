//! A text with a name in it.

use crate::texts::common::NAME;
use leptos::prelude::*;

/// Renders a text with a name in the place of [`NAME`], in an element that isolates its direction.
pub fn named(text: &str, name: String) -> AnyView {
    let (before, after) = text.split_once(NAME).unwrap_or((text, ""));
    view! { {before.to_owned()}<bdi>{name}</bdi>{after.to_owned()} }.into_any()
}
