//! The one-time display of a key, with copy buttons and a test request.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use super::{
    copy::{Copying, copy_text},
    try_it::TryIt,
    unload_warning::{is_hydrated, warn_before_unload},
};
use crate::{
    actions::KeySummary,
    components::{changing::Changing, inert::inert, named::named},
    paths,
    texts::{common::OPEN_KEY, reveal as text},
};
use leptos::{
    html::{H2, Input, Section},
    prelude::*,
};
use ownchat_domain::route;

/// The one-time display of a key whose secret the server generated.
#[island]
pub fn Reveal(
    /// The key, without its secret.
    key: KeySummary,
    /// Plain text of the key.
    token: String,
    /// Origin of the edge.
    edge: String,
    /// URL to return to.
    back: String,
) -> impl IntoView {
    view! { <RevealKey key token edge back/> }
}

/// The whole key and the next steps.
#[component]
pub fn RevealKey(
    /// The key, without its secret.
    key: KeySummary,
    /// Plain text of the key.
    token: String,
    /// Origin of the edge.
    edge: String,
    /// URL to return to.
    back: String,
    /// Set to true once the key is in the page.
    #[prop(optional)]
    shown: RwSignal<bool>,
) -> impl IntoView {
    let url = format!("{edge}{}", route::sample(key.scopes));
    let kept = RwSignal::new(false);
    let (section, heading) = (NodeRef::<Section>::new(), NodeRef::<H2>::new());
    Effect::new(move || {
        let (Some(section), Some(heading)) = (section.get(), heading.get()) else { return };
        // Hydration failed, and the script has restored the key as the server sent it.
        if !is_hydrated() {
            return;
        }
        if !section.is_connected() {
            // An extension removed the placeholder. The key is shown once, so it must be visible.
            let _ = document().body().map(|body| body.append_child(&section));
        }
        shown.set(section.is_connected());
        // Moves the focus to the new content, for visitors who cannot see the change.
        let _ = heading.focus();
    });
    warn_before_unload(kept);
    let curl = format!("curl {url} -H 'Authorization: Bearer {token}'");
    view! {
        <section class="card reveal" aria-labelledby="reveal-title" node_ref=section>
            <h2 id="reveal-title" tabindex="-1" node_ref=heading>{named(text::HEADING, key.name)}</h2>
            {inert("<div class=\"banner banner-warn\" role=\"status\"><p>", text::ONCE, "</p></div>")}
            <CopyLine id="new-key" label=text::KEY value=token.clone() kept/>
            {inert("<h3>", text::FIRST_CALL, "</h3>")}
            <CopyLine id="new-curl" label=text::TERMINAL value=curl kept/>
            <TryIt url token/>
            <p class="actions">
                <a class="button" href=paths::at_row(&back, key.id) on:click=move |_| kept.set(true)>{text::DONE}</a>
                <a class="button button-quiet" href=paths::with_back(paths::key(key.id), &back)>{OPEN_KEY}</a>
            </p>
        </section>
    }
    .into_any()
}

/// A read-only text with a copy button.
#[component]
fn CopyLine(
    /// HTML id of the field.
    id: &'static str,
    /// Visible label.
    label: &'static str,
    /// Text to copy.
    value: String,
    /// Set to true once the text is copied.
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
        let value = value.clone();
        move |_| copy_text(value.clone(), state)
    };
    let said = move || match state.get() {
        Copying::Idle => None,
        Copying::Copied => Some(text::COPIED_STATUS.to_owned()),
        Copying::Refused => Some(text::COPY_REFUSED.to_owned()),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="copy-line">
                <input id=id class="mono" type="text" readonly autocomplete="off" spellcheck="false" value=value
                    node_ref=field on:copy=move |_| kept.set(true)/>
                <button class="button needs-wasm" type="button" on:click=on_click>
                    <Changing text=move || Some(if state.get() == Copying::Copied { text::COPIED } else { text::COPY }.to_owned())/>
                </button>
            </div>
            <p class="hint" role="status"><Changing text=said/></p>
        </div>
    }
    .into_any()
}
