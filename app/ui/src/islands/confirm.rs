//! The one confirm dialog. Without WASM its link leads to a page that asks the same.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use leptos::{html::Dialog, prelude::*};

/// A link that opens a dialog, which names the consequence and posts a form.
#[island]
pub fn Confirm(
    /// What the link and the button say.
    label: String,
    /// Name of the thing.
    name: String,
    /// Tells it from others of its name.
    which: String,
    /// What will happen.
    consequence: String,
    /// What the box to tick says.
    intent: String,
    /// Where the link leads and the form is posted.
    action: String,
    /// The version that the visitor sees.
    version: u64,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            // It fails only for a dialog that is open already.
            let _ = dialog.show_modal();
        }
    });
    // Closed by the dialog itself, which gives the focus back to the link.
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

/// The form of the dialog and of the page that stands in for it.
#[component]
pub fn ConfirmForm(
    /// What the button says.
    #[prop(into)]
    word: String,
    /// What will happen.
    #[prop(into)]
    consequence: String,
    /// What the box to tick says.
    #[prop(into)]
    intent: String,
    /// Where it is posted.
    #[prop(into)]
    action: String,
    /// The version that the visitor sees.
    version: u64,
    /// What was wrong when it was posted before.
    #[prop(optional_no_strip)]
    error: Option<&'static str>,
    /// How to get away.
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
