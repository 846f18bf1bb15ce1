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
    let text = Memo::new(move |_| text.get());
    anew(move || text.get(), |text| view! { <span>{text}</span> }.into_any())
}

/// The view of a value, if there is one. It is built anew when the value changes, in place of being
/// updated.
pub fn anew<T: Clone + Send + Sync + 'static>(
    value: impl Fn() -> Option<T> + Send + Sync + 'static,
    view: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView {
    let shown = move || {
        let (value, view) = (value(), view.clone());
        // The view of a closure in a closure is replaced, never updated.
        move || value.clone().map(&view)
    };
    view! { {shown} }.into_any()
}
