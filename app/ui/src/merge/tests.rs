use super::*;
use crate::testing;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn key(name: &str, scopes: &[&str], ends: Option<&str>) -> Key {
    testing::key(json!({"name": name, "description": "One\nTwo", "scopes": scopes, "expires_at": ends}))
}

/// Builds a form with the base of this key. `filled` replaces or adds fields.
fn form(shown: &Key, filled: &[(&str, &str)], scopes: &[&str]) -> PostedForm {
    let mut fields: Vec<(String, String)> =
        KeyField::ALL.iter().map(|field| (base_name(*field), Values::of(shown).get(*field).to_owned())).collect();
    let own = [("name", shown.name.as_str()), ("description", "One\r\nTwo"), ("expiry", "keep")];
    let kept = own.iter().filter(|(name, _)| filled.iter().all(|(other, _)| other != name));
    fields.extend(kept.chain(filled).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields.extend(scopes.iter().map(|scope| ("scopes".to_owned(), (*scope).to_owned())));
    PostedForm(fields)
}

fn merged(form: &PostedForm, key: &Key) -> Merged {
    merge(KeyFormDraft::read(|name| form.all(name)), Values::posted(form).as_ref(), form, key)
}

#[test]
fn only_changed_fields_are_sent() {
    let read = &["contacts:read"][..];
    let shown = key("CRM", read, None);
    let other = key("CRM 2", &["contacts:read", "contacts:export"], Some("2030-01-01T00:00:00Z"));
    let one = merged(&form(&shown, &[("description", "New")], read), &other);
    assert_eq!((&one.changed[..], one.conflicts.is_empty()), (&[KeyField::Description][..], true));
    assert_eq!((one.draft.name.as_str(), one.draft.scopes.len()), ("CRM 2", 2), "the others' changes are lost");
    let patch = one.patch(NOW).unwrap();
    assert_eq!(patch.description, Some(Some("New".into())));
    assert!(patch.name.is_none() && patch.scopes.is_none() && patch.expires_at.is_none(), "{patch:?}");
    let scopes = merged(&form(&shown, &[], &["messages:send"]), &shown);
    assert_eq!(scopes.changed, [KeyField::Scopes]);
    let expiry = merged(&form(&shown, &[("expiry", "never")], read), &shown);
    assert_eq!(expiry.changed, [KeyField::Expiry]);
    // Nothing changes: extra spaces, another order of the scopes, an edit that others made too.
    let two = &["messages:send", "contacts:read"][..];
    for (shown, now) in
        [(key("CRM", two, None), key("CRM", two, None)), (key("CRM", two, None), key("Till", two, None))]
    {
        for name in ["CRM", " CRM "] {
            let same = merged(&form(&shown, &[("name", name)], &["contacts:read", "messages:send"]), &now);
            assert_eq!((same.changed.len(), same.conflicts.len()), (0, 0), "{name}");
        }
    }
    let both = merged(&form(&shown, &[("name", "Till")], read), &key("Till", read, None));
    assert_eq!((both.changed.len(), both.conflicts.len()), (0, 0));
}

#[test]
fn a_conflict_is_asked_about_until_a_side_is_chosen() {
    let read = &["contacts:read"][..];
    let (shown, other) = (key("CRM", read, None), key("Theirs", read, Some("2030-01-01T00:00:00Z")));
    let typed = form(&shown, &[("name", "Mine"), ("expiry", "30")], read);
    let asked = merged(&typed, &other);
    assert_eq!((asked.conflicts, asked.changed.len()), (vec![KeyField::Name, KeyField::Expiry], 0));
    // The conflict page is rendered from the key as it is by then.
    let answer = |choice: &[(&str, &str)]| {
        let filled: Vec<_> =
            [("name", "Mine"), ("expiry", "keep"), (ASKED, "name")].iter().chain(choice).copied().collect();
        form(&other, &filled, read)
    };
    assert_eq!(merged(&answer(&[]), &other).conflicts, [KeyField::Name], "a choice is missing");
    let theirs = merged(&answer(&[("keep_name", THEIRS)]), &other);
    assert_eq!((theirs.changed.len(), theirs.draft.name.as_str()), (0, "Theirs"));
    let yours = merged(&answer(&[("keep_name", YOURS)]), &other);
    assert_eq!((&yours.changed[..], yours.draft.name.as_str()), (&[KeyField::Name][..], "Mine"));
    // The choice was between other values.
    let third = key("Third", read, None);
    assert_eq!(merged(&answer(&[("keep_name", YOURS)]), &third).conflicts, [KeyField::Name]);
}

#[test]
fn a_form_without_its_base_values_changes_nothing_unasked() {
    let other = key("Theirs", &["contacts:read"], None);
    let bare = PostedForm(
        [("name", "Mine"), ("description", "One\nTwo"), ("expiry", "keep"), ("scopes", "contacts:read")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    );
    assert_eq!(Values::posted(&bare), None);
    assert_eq!(merged(&bare, &other).conflicts, [KeyField::Name]);
}
