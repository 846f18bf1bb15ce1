//! The only confirm dialog. Without WASM its link leads to a page with the same form.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use crate::{
    components::{inert::inert, named::named},
    texts::{
        common::{CANCEL, NAME},
        delete as text,
    },
};
use leptos::{html::Dialog, prelude::*};

/// The link that deletes a key, through a dialog that names the consequence and posts a form.
#[island]
pub fn Confirm(
    /// Name of the key.
    name: String,
    /// Details that distinguish it from others with the same name.
    details: String,
    /// Label of the checkbox.
    intent: String,
    /// URL of the link, and of the form.
    action: String,
    /// Version of the key that the page shows.
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
    let title = format!("{} {details}", text::QUESTION.replace(NAME, &name));
    view! {
        <a class="link link-danger" href=action aria-label=title.clone() on:click=move |event| {
            event.prevent_default();
            open.set(true);
        }>{text::LINK}</a>
        {move || open.get().then(|| view! {
            <dialog class="dialog" node_ref=dialog aria-label=title.clone() on:close=move |_| open.set(false)>
                <h2>{named(text::QUESTION, name.clone())}</h2>
                <p class="hint"><bdi>{details.clone()}</bdi></p>
                <ConfirmForm
                    intent=intent.clone()
                    action=target.clone()
                    version
                    error=None
                >
                    <button class="button button-quiet" type="button" on:click=close>{CANCEL}</button>
                </ConfirmForm>
            </dialog>
        })}
    }
    .into_any()
}

/// The form of the dialog, and of the page that replaces it without WASM.
#[component]
pub fn ConfirmForm(
    /// Label of the checkbox.
    #[prop(into)]
    intent: String,
    /// URL that the form posts to.
    #[prop(into)]
    action: String,
    /// Version of the key that the page shows.
    version: u64,
    /// Error of the previous submission.
    #[prop(optional_no_strip)]
    error: Option<&'static str>,
    /// Control that cancels.
    children: Children,
) -> impl IntoView {
    view! {
        <form method="post" action=action class="form">
            {inert("<p>", text::CONSEQUENCE, "</p>")}
            <input type="hidden" name="version" value=version.to_string()/>
            <label class="check">
                <input type="checkbox" name="confirm" value="yes" required
                    aria-invalid=error.map(|_| "true") aria-describedby="confirm-error"/>
                <span>{intent}</span>
            </label>
            <p class="error" id="confirm-error">{error}</p>
            <p class="actions">
                <button class="button button-danger" type="submit">{text::BUTTON}</button>
                {children()}
            </p>
        </form>
    }
    .into_any()
}
