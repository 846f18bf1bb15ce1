//! The form that creates, duplicates or edits a key.
//!
//! With WASM, the browser generates a new key's secret and sends only its hash. Otherwise the
//! browser posts the form, and the server generates the secret.
#![allow(missing_docs, reason = "the macro of the islands makes public items without docs")]

use super::{reveal::RevealKey, secret};
use crate::{
    actions::{KeySummary, create_key},
    components::{
        changing::Changing,
        field::{ErrorSummary, Errors, Help, SUMMARY, TextArea, TextField, error_of},
        inert::inert,
        named::named,
        scopes::{PRESET, Presets, ScopePicker},
    },
    draft::{Expiry, KeyFormDraft},
    texts::{common, failure::not_created, key_form as text},
};
use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use ownchat_domain::{digest::SecretHash, failure::Failure, scope::PRESETS, token::Secret};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement};

/// Mode of the key form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FormMode {
    /// Creates a key.
    Create,
    /// Duplicates a key.
    Duplicate {
        /// Name of the source key.
        of: String,
        /// Choice of the source key's expiry, if that is in the future.
        keep: Option<String>,
    },
    /// Edits a key.
    Edit {
        /// Version of the key that the page shows.
        version: u64,
        /// Choice of the current expiry.
        keep: String,
    },
}

/// HTML id of the form. Fields outside the form refer to it.
pub const FORM: &str = "key-form";

/// The key form.
#[island]
pub fn KeyForm(
    /// Mode of the form.
    mode: FormMode,
    /// Initial values.
    draft: KeyFormDraft,
    /// Initial field errors.
    errors: Errors,
    /// Initial error of the form as a whole.
    whole: Option<String>,
    /// Origin of the edge.
    edge: String,
    /// The hint of each of [`Expiry::CHOICES`], from [`Expiry::hints`].
    hints: Vec<String>,
    /// URL to return to.
    back: String,
) -> impl IntoView {
    let errors = RwSignal::new(errors);
    let whole = RwSignal::new(whole);
    let created = RwSignal::new(None::<(KeySummary, String)>);
    let shown = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let is_new = !matches!(mode, FormMode::Edit { .. });
    let name = RwSignal::new(draft.form);
    // Retries send the same secret. A retry after a lost response returns the key that this secret
    // opens.
    let held = StoredValue::new_local(None::<(Secret, SecretHash)>);

    let on_submit = move |event: SubmitEvent| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else { return };
        if let Some(preset) = preset_of(&event) {
            event.prevent_default();
            choose(&form, &preset);
            clear_error(errors, "scopes");
            return;
        }
        let Some((secret, hash)) = is_new.then(|| held.get_value().or_else(secret::generate)).flatten() else { return };
        held.set_value(Some((secret.clone(), hash)));
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let draft = read(&form);
        spawn_local(async move {
            match create_key(draft, hash).await {
                Ok(key) => {
                    let token = secret::assemble(&key, secret).to_string();
                    created.set(Some((key, token)));
                }
                Err(error) => {
                    if error.0 == Failure::Reused {
                        held.set_value(None);
                        name.update(|name| *name = secret::name().unwrap_or_default());
                    }
                    show(error.0, errors, whole);
                }
            }
            busy.set(false);
        });
    };

    let is_sound = errors.with_untracked(Vec::is_empty) && whole.with_untracked(Option::is_none);
    let on_input = move |event: Event| {
        let control = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(name) = control.and_then(|control| control.get_attribute("name")) {
            clear_error(errors, if name.starts_with("expiry") { "expires_at" } else { &name });
        }
    };
    let error = move |field: &'static str| Signal::derive(move || errors.with(|errors| error_of(errors, field)));
    let save = if is_new { common::CREATE } else { common::SAVE };
    let form = view! {
        <form id=FORM method="post" class="form" novalidate on:submit=on_submit on:input=on_input>
            // Enter activates the first submit button.
            <button class="enter" type="submit" tabindex="-1" aria-hidden="true"></button>
            <ErrorSummary errors whole autofocus=true/>
            {inherited(&mode)}
            <section class="card">
                {inert("<h2>", text::DETAILS, "</h2>")}
                <TextField name="name" label=text::NAME value=draft.name error=error("name") autofocus=is_new && is_sound
                    hint=text::NAME_HINT/>
                <TextArea name="description" label=text::DESCRIPTION value=draft.description error=error("description")
                    hint=text::DESCRIPTION_HINT/>
                {is_new.then(|| view! { <Environments chosen=draft.environment error=error("environment")/> })}
                <Expiries mode=mode.clone() chosen=draft.expiry date=draft.expiry_date hints error=error("expires_at")/>
            </section>
            <section class="card">
                {inert("<h2>", text::PERMISSIONS, "</h2>")}
                {inert("<p class=\"hint\">", text::PERMISSIONS_HINT, "</p>")}
                <Presets/>
                <p class="error" id="scopes-error"><Changing text=error("scopes")/></p>
                <ScopePicker chosen=draft.scopes/>
            </section>
            <section class="card">
                {inert("<h2>", text::AUDIT_TRAIL, "</h2>")}
                <TextArea name="reason" label=text::REASON value=draft.reason error=error("reason")
                    hint=text::REASON_HINT/>
            </section>
            {match mode {
                FormMode::Create | FormMode::Duplicate { .. } => view! {
                    <input type="hidden" name="form" value=move || name.get()/>
                    <input type="hidden" name="from" value=draft.from/>
                }
                .into_any(),
                FormMode::Edit { version, .. } => {
                    view! { <input type="hidden" name="version" value=version.to_string()/> }.into_any()
                }
            }}
            <p class="actions">
                <button class="button button-main" type="submit" disabled=move || busy.get()>{save}</button>
                <a class="button button-quiet" href=back.clone()>{common::CANCEL}</a>
            </p>
        </form>
    }
    .into_any();
    view! {
        // Hide the form only once the key is in the page.
        <div hidden=move || shown.get()>{form}</div>
        {move || created.get().map(|(key, token)| view! { <RevealKey key token edge=edge.clone() back=back.clone() shown/> })}
    }
    .into_any()
}

/// States the fields that a duplicate inherits and the form does not show.
fn inherited(mode: &FormMode) -> Option<AnyView> {
    let FormMode::Duplicate { of, .. } = mode else { return None };
    let of = of.clone();
    Some(
        view! {
            <div class="card">
                <p>{named(text::COPIED_FROM, of.clone())}{named(text::NEW_SECRET, of)}</p>
            </div>
        }
        .into_any(),
    )
}

/// The choice of environment: real or sample data.
#[component]
fn Environments(chosen: String, error: Signal<Option<String>>) -> impl IntoView {
    let choices = [("live", text::LIVE, text::LIVE_HINT), ("test", text::TEST, text::TEST_HINT)];
    // The error summary links to the selected option.
    let place = if chosen == "test" { "test" } else { "live" };
    let rows = choices.map(|(value, title, hint)| {
        view! {
            <label class="choice">
                <input type="radio" name="environment" value=value checked=chosen == value
                    id=(value == place).then_some("environment")/>
                <span>{title}" "<span class="hint">{hint}</span></span>
            </label>
        }
    });
    view! {
        <fieldset class="field" aria-describedby="environment-error">
            {inert("<legend>", text::ENVIRONMENT, "</legend>")}
            <div class="choices">{rows.into_iter().collect_view()}</div>
            <Help name="environment" hint="" error/>
        </fieldset>
    }
    .into_any()
}

/// The choice of expiry, with the date of each option.
#[component]
fn Expiries(
    mode: FormMode,
    chosen: String,
    date: String,
    hints: Vec<String>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    let keep = match mode {
        FormMode::Create => None,
        FormMode::Duplicate { keep, .. } => keep,
        FormMode::Edit { keep, .. } => Some(keep),
    };
    let keep = keep.map(|title| (Expiry::KEEP, title, String::new()));
    let offered =
        Expiry::CHOICES.iter().zip(hints).map(|((_, value, title), hint)| (*value, (*title).to_owned(), hint));
    let offered: Vec<_> = keep.into_iter().chain(offered).collect();
    // The error summary links to the selected option, or to the first.
    let selected = offered.iter().find(|(value, ..)| *value == chosen).or(offered.first());
    let place = selected.map_or("", |(value, ..)| *value);
    let rows = offered.into_iter().map(|(value, title, hint)| {
        view! {
            <label class="choice">
                <input type="radio" name="expiry" value=value checked=chosen == value
                    id=(value == place).then_some("expiry")/>
                <span>{title}" "<span class="hint">{hint}</span></span>
            </label>
        }
    });
    view! {
        <fieldset class="field expiry" aria-describedby="expires_at-error">
            {inert("<legend>", text::EXPIRY, "</legend>")}
            <div class="choices">{rows.collect_view()}</div>
            <div class="expiry-date">
                {inert("<label for=\"expiry_date\">", text::LAST_DAY, "</label>")}
                <input id="expiry_date" name="expiry_date" type="date" value=date/>
            </div>
            <Help name="expires_at" hint="" error/>
        </fieldset>
    }
    .into_any()
}

/// Returns the name of the preset if a preset button submitted the form.
fn preset_of(event: &SubmitEvent) -> Option<String> {
    let button = event.submitter()?;
    (button.get_attribute("name").as_deref() == Some(PRESET)).then(|| button.get_attribute("value"))?
}

/// Selects exactly the scopes of a preset.
fn choose(form: &HtmlFormElement, preset: &str) {
    let Some(preset) = PRESETS.iter().find(|known| known.name == preset) else { return };
    let Ok(boxes) = form.query_selector_all("input[name=scopes]") else { return };
    for place in 0..boxes.length() {
        if let Some(tick) = boxes.get(place).and_then(|node| node.dyn_into::<HtmlInputElement>().ok()) {
            tick.set_checked(preset.scopes.contains(&tick.value().as_str()));
        }
    }
}

/// Reads the current values of the form.
fn read(form: &HtmlFormElement) -> KeyFormDraft {
    let Ok(data) = FormData::new_with_form(form) else { return KeyFormDraft::default() };
    KeyFormDraft::read(|name| data.get_all(name).iter().filter_map(|value| value.as_string()).collect())
}

/// Clears the error of a field that has changed.
fn clear_error(errors: RwSignal<Errors>, field: &str) {
    if errors.with_untracked(|errors| errors.iter().any(|error| error.field == field)) {
        errors.update(|errors| errors.retain(|error| error.field != field));
    }
}

/// Shows a failure in the error summary, and moves the focus there.
fn show(failure: Failure, errors: RwSignal<Errors>, whole: RwSignal<Option<String>>) {
    let (found, text) = match failure {
        Failure::Invalid { errors } => (errors, None),
        other => (Vec::new(), Some(not_created(&other))),
    };
    whole.set(text);
    errors.set(found);
    window().scroll_to_with_x_and_y(0.0, 0.0);
    request_animation_frame(|| {
        let summary = document().get_element_by_id(SUMMARY).and_then(|summary| summary.dyn_into::<HtmlElement>().ok());
        if let Some(summary) = summary {
            let _ = summary.focus();
        }
    });
}
