//! Text that changes while the page is open.

use leptos::prelude::*;

/// A text, or none. Each text stands in an element of its own, made anew when the text changes:
/// translators replace text nodes, and an update of the node of before would not be seen.
#[component]
pub fn Changing(
    /// The text of now.
    #[prop(into)]
    text: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <For each=move || text.get() key=Clone::clone let:text>
            <span>{text}</span>
        </For>
    }
    .into_any()
}
