//! Reactive text and views that survive translators, which replace text nodes.

use leptos::prelude::*;

/// An optional text that changes while the page is open. Each text gets a new element. Translators
/// replace text nodes, and an update of a replaced node would stay invisible.
#[component]
pub fn Changing(
    /// Current text.
    #[prop(into)]
    text: Signal<Option<String>>,
) -> impl IntoView {
    let text = Memo::new(move |_| text.get());
    remount_on_change(move || text.get(), |text| view! { <span>{text}</span> }.into_any())
}

/// Returns the view of an optional value. Rebuilds the view on each change instead of updating it.
pub fn remount_on_change<T: Clone + Send + Sync + 'static>(
    value: impl Fn() -> Option<T> + Send + Sync + 'static,
    view: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView {
    let shown = move || {
        let (value, view) = (value(), view.clone());
        // Leptos replaces the view of a nested closure, and never updates it.
        move || value.clone().map(&view)
    };
    view! { {shown} }.into_any()
}
