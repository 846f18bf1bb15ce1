//! Conflict resolution: the admin chooses between two values of a field that both sides changed.

use crate::{
    draft::{Expiry, KeyFormDraft},
    islands::key_form::FORM,
    merge::{ASKED, KeyField, THEIRS, Values, YOURS, base_name, choice_name},
};
use leptos::prelude::*;
use ownchat_domain::{
    key::Key,
    text::plural_ending,
    time::{DAY, HOUR, MINUTE, Timestamp},
};

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
            let options = [(THEIRS, "Theirs", theirs), (YOURS, "Yours", typed(draft, *field))];
            let radios = options.map(|(value, title, text)| {
                view! {
                    <label class="choice">
                        <input type="radio" form=FORM name=name.clone() value=value/>
                        <span>{title}" "<span class="hint"><bdi>{text}</bdi></span></span>
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
    let who = editor.unwrap_or_else(|| "Somebody".to_owned());
    let when = ago(key.updated_at, now);
    view! {
        <section class="card" role="group" aria-labelledby="conflict">
            <div class="banner banner-warn" role="alert" id="conflict" tabindex="-1" autofocus>
                <p>
                    <bdi>{who}</bdi>
                    {format!(" changed this key {when}. Your changes aren't saved yet. Choose what to keep.")}
                </p>
            </div>
            {fields}
            <p class="actions"><button class="button button-main" type="submit" form=FORM>"Save"</button></p>
        </section>
    }
    .into_any()
}

/// Formats a value of the key for display.
fn shown(values: &Values, field: KeyField) -> String {
    let value = values.get(field);
    let end = || Timestamp::parse(value).map(Timestamp::day_and_time);
    match field {
        KeyField::Expiry => end().unwrap_or_else(|| "Never".to_owned()),
        KeyField::Scopes => value.replace(' ', ", "),
        KeyField::Name | KeyField::Description => {
            Some(value.to_owned()).filter(|text| !text.is_empty()).unwrap_or("Empty".into())
        }
    }
}

/// Formats a value of the form for display.
fn typed(draft: &KeyFormDraft, field: KeyField) -> String {
    let text = match field {
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
    if text.is_empty() { "Empty".to_owned() } else { text }
}

/// Formats the time since `at`, in one unit.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let past = now.since(at);
    let (count, unit) = match past {
        ..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (past / MINUTE, "minute"),
        HOUR..DAY => (past / HOUR, "hour"),
        _ => (past / DAY, "day"),
    };
    format!("{count} {unit}{} ago", plural_ending(usize::try_from(count).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_one_unit() {
        let at = Timestamp::from_millis(1_795_452_408_000);
        for (past, words) in [
            (-1, "just now"),
            (MINUTE - 1, "just now"),
            (MINUTE, "1 minute ago"),
            (HOUR - 1, "59 minutes ago"),
            (2 * HOUR, "2 hours ago"),
            (DAY, "1 day ago"),
            (3 * DAY, "3 days ago"),
        ] {
            assert_eq!(ago(at, at.plus(past)), words);
        }
    }
}
