//! The one-time display of a key, with its copy buttons and a first request.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use super::{
    copy::{Copying, copy_text},
    leaving::ask_before_leaving,
    try_it::TryIt,
};
use crate::{actions::Made, components::changing::Changing, paths};
use leptos::{
    html::{H2, Input, Section},
    prelude::*,
};
use ownchat_domain::route;

/// The one-time display of a key that the server made.
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

/// The whole key, with what to do next.
#[component]
pub fn RevealKey(
    /// The key.
    key: Made,
    /// Its plain text.
    token: String,
    /// Origin of the edge.
    edge: String,
    /// The page to go back to.
    back: String,
    /// Becomes true when the key stands in the page.
    #[prop(optional)]
    shown: RwSignal<bool>,
) -> impl IntoView {
    let url = format!("{edge}{}", route::sample(key.scopes));
    let kept = RwSignal::new(false);
    let (section, heading) = (NodeRef::<Section>::new(), NodeRef::<H2>::new());
    Effect::new(move || {
        let (Some(section), Some(heading)) = (section.get(), heading.get()) else { return };
        if !section.is_connected() {
            // An extension has taken away the place that was kept for it; the key must be seen.
            let _ = document().body().map(|body| body.append_child(&section));
        }
        shown.set(section.is_connected());
        // Leads those who cannot see that the page has changed to the new content.
        let _ = heading.focus();
    });
    ask_before_leaving(kept);
    let curl = format!("curl {url} -H 'Authorization: Bearer {token}'");
    view! {
        <section class="card reveal" aria-labelledby="reveal-title" node_ref=section>
            <h2 id="reveal-title" tabindex="-1" node_ref=heading>"Copy the key of " <q><bdi>{key.name}</bdi></q></h2>
            <div class="banner banner-warn" role="status">
                <p>"This is the only time the key is shown. Store it in a secret manager, never in a repository."</p>
            </div>
            <CopyLine id="new-key" label="API key" text=token.clone() kept/>
            <h3>"Make a first call"</h3>
            <CopyLine id="new-curl" label="In a shell" text=curl kept/>
            <TryIt url token/>
            <p class="actions">
                <a class="button" href=paths::at_row(&back, key.id) on:click=move |_| kept.set(true)>"I have stored it"</a>
                <a class="button button-quiet" href=paths::with_back(paths::key(key.id), &back)>"Edit the key"</a>
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
    let state = RwSignal::new(Copying::Idle);
    let field = NodeRef::<Input>::new();
    Effect::new(move || match state.get() {
        Copying::Idle => {}
        Copying::Copied => kept.set(true),
        Copying::Refused => {
            if let Some(field) = field.get_untracked() {
                let _ = field.focus();
                field.select();
            }
        }
    });
    let on_click = {
        let text = text.clone();
        move |_| copy_text(text.clone(), state)
    };
    let said = move || match state.get() {
        Copying::Idle => None,
        Copying::Copied => Some("Copied to the clipboard.".to_owned()),
        Copying::Refused => Some("Press Ctrl+C: your browser did not let us copy.".to_owned()),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="copy-line">
                <input id=id class="mono" type="text" readonly autocomplete="off" spellcheck="false" value=text
                    node_ref=field on:copy=move |_| kept.set(true)/>
                <button class="button needs-wasm" type="button" on:click=on_click>
                    <Changing text=move || Some(if state.get() == Copying::Copied { "Copied" } else { "Copy" }.to_owned())/>
                </button>
            </div>
            <p class="hint" role="status"><Changing text=said/></p>
        </div>
    }
    .into_any()
}
