//! Three-way merge of an edited key with concurrent changes by others.
//!
//! The form contains its base: the values that it was rendered with. A field that equals its base
//! takes the key's current value. Only changed fields are sent. If both sides changed a field, the
//! admin chooses.

use crate::{
    draft::{Expiry, KeyFormDraft},
    request::PostedForm,
    texts::key_form as text,
};
use ownchat_domain::{
    failure::Failure,
    key::{Key, KeyPatch},
    time::Timestamp,
};

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyField {
    /// Display name.
    Name,
    /// Description.
    Description,
    /// Expiry.
    Expiry,
    /// Scopes.
    Scopes,
}

impl KeyField {
    /// All fields, in page order.
    pub const ALL: [Self; 4] = [Self::Name, Self::Description, Self::Expiry, Self::Scopes];

    /// Returns the field name in a form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Expiry => "expires_at",
            Self::Scopes => "scopes",
        }
    }

    /// Returns the display name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => text::SUMMARY_NAME,
            Self::Description => text::DESCRIPTION,
            Self::Expiry => text::EXPIRY,
            Self::Scopes => text::PERMISSIONS,
        }
    }
}

/// The values of a key, one text for each of [`KeyField::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values([String; 4]);

impl Values {
    /// Returns the values of a key.
    pub fn of(key: &Key) -> Self {
        let ends = key.expires_at.map(Timestamp::rfc3339).unwrap_or_default();
        Self([key.name.clone(), key.description.clone(), ends, in_order(key.scopes.names())])
    }

    /// Returns the base of a posted form; `None` unless it contains all fields.
    pub fn posted(form: &PostedForm) -> Option<Self> {
        let is_there = |field: KeyField| form.0.iter().any(|(name, _)| *name == base_name(field));
        let value = |field: KeyField| plain(&form.get(&base_name(field)));
        KeyField::ALL.into_iter().all(is_there).then(|| Self(KeyField::ALL.map(value)))
    }

    /// Returns the value of a field as typed in the form.
    pub fn typed(draft: &KeyFormDraft, field: KeyField) -> String {
        match field {
            KeyField::Name => plain(&draft.name),
            KeyField::Description => plain(&draft.description),
            KeyField::Expiry => format!("{} {}", draft.expiry, draft.expiry_date),
            KeyField::Scopes => in_order(draft.scopes.clone()),
        }
    }

    /// Returns the value of a field.
    pub fn get(&self, field: KeyField) -> &str {
        let [name, description, expiry, scopes] = &self.0;
        match field {
            KeyField::Name => name,
            KeyField::Description => description,
            KeyField::Expiry => expiry,
            KeyField::Scopes => scopes,
        }
    }
}

/// Returns the name of the hidden input with a field's base.
pub fn base_name(field: KeyField) -> String {
    format!("base_{}", field.as_str())
}

/// Returns the name of the radio buttons that resolve a conflict on a field.
pub fn choice_name(field: KeyField) -> String {
    format!("keep_{}", field.as_str())
}

/// Name of the hidden inputs that list the fields in conflict.
pub const ASKED: &str = "asked";
/// Choice of the key's current value.
pub const THEIRS: &str = "theirs";
/// Choice of the form's value.
pub const YOURS: &str = "yours";

/// A form merged with the current key.
#[derive(Debug)]
pub struct Merged {
    /// The form, with the current value of each field that the admin did not change.
    pub draft: KeyFormDraft,
    /// Fields to send.
    pub changed: Vec<KeyField>,
    /// Fields that both sides changed, without a valid choice.
    pub conflicts: Vec<KeyField>,
}

/// Merges a form with the current key. Without a `base`, every field that differs from the key
/// counts as changed by both sides.
pub fn merge(mut draft: KeyFormDraft, base: Option<&Values>, form: &PostedForm, key: &Key) -> Merged {
    let theirs = Values::of(key);
    let (mut changed, mut conflicts) = (Vec::new(), Vec::new());
    for field in KeyField::ALL {
        let mine = Values::typed(&draft, field);
        let keeps = field == KeyField::Expiry && draft.expiry == Expiry::KEEP;
        if keeps || mine == theirs.get(field) {
            continue;
        }
        if field != KeyField::Expiry && base.is_some_and(|base| base.get(field) == mine) {
            take(&mut draft, field, key);
            continue;
        }
        let was_asked = form.0.iter().any(|(name, value)| name == ASKED && value == field.as_str());
        let is_theirs_as_shown = base.is_some_and(|base| base.get(field) == theirs.get(field));
        match form.get(&choice_name(field)).as_str() {
            THEIRS if was_asked => take(&mut draft, field, key),
            YOURS if was_asked && is_theirs_as_shown => changed.push(field),
            _ if was_asked || !is_theirs_as_shown => conflicts.push(field),
            _ => changed.push(field),
        }
    }
    Merged { draft, changed, conflicts }
}

impl Merged {
    /// Returns the patch to send, with the changed fields only.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with the faults of the changed fields, if the expiry is
    /// invalid.
    pub fn patch(&self, now: Timestamp) -> Result<KeyPatch, Failure> {
        let is_sent = |field| self.changed.contains(&field);
        let all = self.draft.to_patch(now).map_err(|failure| match failure {
            Failure::Invalid { mut errors } => {
                errors.retain(|error| self.changed.iter().any(|field| field.as_str() == error.field));
                Failure::Invalid { errors }
            }
            other => other,
        })?;
        Ok(KeyPatch {
            name: all.name.filter(|_| is_sent(KeyField::Name)),
            description: all.description.filter(|_| is_sent(KeyField::Description)),
            expires_at: all.expires_at.filter(|_| is_sent(KeyField::Expiry)),
            scopes: all.scopes.filter(|_| is_sent(KeyField::Scopes)),
            reason: all.reason,
            ..KeyPatch::default()
        })
    }
}

/// Sets a field of the form to the key's current value.
fn take(draft: &mut KeyFormDraft, field: KeyField, key: &Key) {
    match field {
        KeyField::Name => draft.name.clone_from(&key.name),
        KeyField::Description => draft.description.clone_from(&key.description),
        KeyField::Expiry => Expiry::KEEP.clone_into(&mut draft.expiry),
        KeyField::Scopes => draft.scopes = key.scopes.names(),
    }
}

/// Normalises a text as the vault stores it. Forms post line breaks as CRLF.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn in_order(mut scopes: Vec<String>) -> String {
    scopes.sort_unstable();
    scopes.join(" ")
}

#[cfg(test)]
mod tests;
