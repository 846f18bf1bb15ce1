//! Conflict resolution: the admin chooses between two values of a field that both sides changed.

use crate::{
    components::named::named,
    draft::{Expiry, KeyFormDraft},
    islands::key_form::FORM,
    merge::{ASKED, KeyField, THEIRS, Values, YOURS, base_name, choice_name},
    texts::{common, conflict as text},
};
use leptos::prelude::*;
use ownchat_domain::{key::Key, time::Timestamp};

/// Returns the hidden inputs with the base of the form, for the three-way merge.
pub fn base(values: &Values) -> AnyView {
    let fields = KeyField::ALL.map(|field| {
        let value = values.get(field).to_owned();
        view! { <input type="hidden" form=FORM name=base_name(field) value=value/> }
    });
    fields.into_iter().collect_view().into_any()
}

/// Returns the choices for the fields in conflict, and the name of the other editor. Preselects
/// none.
pub fn choices(
    conflicts: &[KeyField],
    draft: &KeyFormDraft,
    key: &Key,
    editor: Option<String>,
    now: Timestamp,
) -> AnyView {
    let fields: Vec<_> = conflicts
        .iter()
        .map(|field| {
            let (name, theirs) = (choice_name(*field), shown(&Values::of(key), *field));
            let options = [(THEIRS, text::THEIRS, theirs), (YOURS, text::YOURS, typed(draft, *field))];
            let radios = options.map(|(value, title, shown)| {
                view! {
                    <label class="choice">
                        <input type="radio" form=FORM name=name.clone() value=value/>
                        <span>{title}" "<span class="hint"><bdi>{shown}</bdi></span></span>
                    </label>
                }
            });
            view! {
                <fieldset class="field">
                    <legend>{field.label()}</legend>
                    <div class="choices">{radios.into_iter().collect_view()}</div>
                    <input type="hidden" form=FORM name=ASKED value=field.as_str()/>
                </fieldset>
            }
        })
        .collect();
    let who = editor.unwrap_or_else(|| text::SOMEBODY.to_owned());
    let when = common::ago(key.updated_at, now);
    view! {
        <section class="card" role="group" aria-labelledby="conflict">
            <div class="banner banner-warn" role="alert" id="conflict" tabindex="-1" autofocus>
                <p>{named(&text::changed(&when), who)}</p>
            </div>
            {fields}
            <p class="actions"><button class="button button-main" type="submit" form=FORM>{common::SAVE}</button></p>
        </section>
    }
    .into_any()
}

/// Formats a value of the key for display.
fn shown(values: &Values, field: KeyField) -> String {
    let value = values.get(field);
    let end = || Timestamp::parse(value).map(Timestamp::day_and_time);
    match field {
        KeyField::Expiry => end().unwrap_or_else(|| text::NEVER.to_owned()),
        KeyField::Scopes => value.replace(' ', ", "),
        KeyField::Name | KeyField::Description => {
            Some(value.to_owned()).filter(|value| !value.is_empty()).unwrap_or(text::EMPTY.into())
        }
    }
}

/// Formats a value of the form for display.
fn typed(draft: &KeyFormDraft, field: KeyField) -> String {
    let value = match field {
        KeyField::Name => draft.name.clone(),
        KeyField::Description => draft.description.clone(),
        // Sorted like the other value, so that the two are easy to compare.
        KeyField::Scopes => Values::typed(draft, field).replace(' ', ", "),
        KeyField::Expiry if draft.expiry == "date" => draft.expiry_date.clone(),
        KeyField::Expiry => {
            let chosen = Expiry::CHOICES.iter().find(|(_, value, _)| *value == draft.expiry);
            chosen.map(|(_, _, title)| (*title).to_owned()).unwrap_or_default()
        }
    };
    if value.is_empty() { text::EMPTY.to_owned() } else { value }
}
