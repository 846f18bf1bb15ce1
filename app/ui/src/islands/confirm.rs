//! The only confirm dialog. Without WASM its link leads to a page with the same form.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use leptos::{html::Dialog, prelude::*};

/// A link that opens a confirm dialog. The dialog names the consequence and posts a form.
#[island]
pub fn Confirm(
    /// Text of the link and the button.
    label: String,
    /// Name of the object.
    name: String,
    /// Details that distinguish it from others with the same name.
    which: String,
    /// Consequence of the action.
    consequence: String,
    /// Label of the checkbox.
    intent: String,
    /// URL of the link, and of the form.
    action: String,
    /// Version of the object that the page shows.
    version: u64,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            // `show_modal` fails only for a dialog that is already open.
            let _ = dialog.show_modal();
        }
    });
    // Closed by the dialog itself, which returns the focus to the link.
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let target = action.clone();
    let word = label.clone();
    let title = format!("{label} “{name}”? {which}");
    view! {
        <a class="link link-danger" href=action aria-label=title.clone() on:click=move |event| {
            event.prevent_default();
            open.set(true);
        }>{label}</a>
        {move || open.get().then(|| view! {
            <dialog class="dialog" node_ref=dialog aria-label=title.clone() on:close=move |_| open.set(false)>
                <h2>{word.clone()}" “"<bdi>{name.clone()}</bdi>"”?"</h2>
                <p class="hint"><bdi>{which.clone()}</bdi></p>
                <ConfirmForm
                    word=word.clone()
                    consequence=consequence.clone()
                    intent=intent.clone()
                    action=target.clone()
                    version
                    error=None
                >
                    <button class="button button-quiet" type="button" on:click=close>"Cancel"</button>
                </ConfirmForm>
            </dialog>
        })}
    }
    .into_any()
}

/// The form of the dialog, and of the page that replaces it without WASM.
#[component]
pub fn ConfirmForm(
    /// Text of the button.
    #[prop(into)]
    word: String,
    /// Consequence of the action.
    #[prop(into)]
    consequence: String,
    /// Label of the checkbox.
    #[prop(into)]
    intent: String,
    /// URL that the form posts to.
    #[prop(into)]
    action: String,
    /// Version of the object that the page shows.
    version: u64,
    /// Error of the previous submission.
    #[prop(optional_no_strip)]
    error: Option<&'static str>,
    /// Control that cancels.
    children: Children,
) -> impl IntoView {
    view! {
        <form method="post" action=action class="form">
            <p>{consequence}</p>
            <input type="hidden" name="version" value=version.to_string()/>
            <label class="check">
                <input type="checkbox" name="confirm" value="yes" required
                    aria-invalid=error.map(|_| "true") aria-describedby="confirm-error"/>
                <span>{intent}</span>
            </label>
            <p class="error" id="confirm-error">{error}</p>
            <p class="actions">
                <button class="button button-danger" type="submit">{word}</button>
                {children()}
            </p>
        </form>
    }
    .into_any()
}
