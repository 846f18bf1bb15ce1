//! The one time that a key is seen.

use crate::{
    actions::Made,
    islands::{copy::copy_text, leaving::ask_before_leaving, try_it::TryIt},
    paths,
};
use leptos::{html::H2, prelude::*};
use ownchat_domain::route;

/// The whole key, with what to do next.
#[component]
pub fn RevealKey(
    /// The key.
    key: Made,
    /// Its plain text.
    token: String,
    /// Origin of the edge.
    edge: String,
) -> impl IntoView {
    let url = format!("{edge}{}", route::sample(key.scopes));
    let kept = RwSignal::new(false);
    let heading = NodeRef::<H2>::new();
    // Whoever cannot see that the page has changed is led to what is new.
    Effect::new(move || {
        if let Some(heading) = heading.get() {
            let _ = heading.focus();
        }
    });
    ask_before_leaving(kept);
    let curl = format!("curl {url} -H 'Authorization: Bearer {token}'");
    view! {
        <section class="card reveal" aria-labelledby="reveal-title">
            <h2 id="reveal-title" tabindex="-1" node_ref=heading>"Copy the key of " <q>{key.name}</q></h2>
            <div class="banner banner-warn" role="status">
                <p>"This is the only time the key is shown. Store it in a secret manager, never in a repository."</p>
            </div>
            <CopyLine id="new-key" label="API key" text=token.clone() kept/>
            <h3>"Make a first call"</h3>
            <CopyLine id="new-curl" label="In a shell" text=curl kept/>
            <TryIt url token/>
            <p class="actions">
                <a class="button" href=paths::KEYS on:click=move |_| kept.set(true)>"I have stored it"</a>
                <a class="button button-quiet" href=paths::key(key.id)>"Edit the key"</a>
            </p>
        </section>
    }
    .into_any()
}

/// A text to copy, whole and in one piece.
#[component]
fn CopyLine(
    /// Id of the field.
    id: &'static str,
    /// What it is.
    label: &'static str,
    /// The text.
    text: String,
    /// Becomes true when it was copied.
    kept: RwSignal<bool>,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    Effect::new(move || {
        if copied.get() {
            kept.set(true);
        }
    });
    let on_click = {
        let text = text.clone();
        move |_| copy_text(text.clone(), copied)
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="copy-line">
                <input id=id class="mono" type="text" readonly autocomplete="off" spellcheck="false" value=text/>
                <button class="button needs-wasm" type="button" on:click=on_click>
                    {move || if copied.get() { "Copied" } else { "Copy" }}
                </button>
            </div>
        </div>
    }
    .into_any()
}
