//! Saving the form of a key that others may have changed since it was shown: a three-way merge.
//!
//! The form carries the values that it was made from. A field that this person left as it was takes
//! the key's present value, and only fields that they changed are sent. Where both changed a field,
//! the person chooses.

use crate::{
    draft::{Expiry, KeyDraft},
    request::Posted,
};
use ownchat_domain::{
    failure::Failure,
    key::{Key, KeyPatch},
    time::Timestamp,
};

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The name.
    Name,
    /// The description.
    Description,
    /// When the key ends.
    Expiry,
    /// The scopes.
    Scopes,
}

impl Field {
    /// All, in their order on the page.
    pub const ALL: [Self; 4] = [Self::Name, Self::Description, Self::Expiry, Self::Scopes];

    /// Its name in a form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Expiry => "expires_at",
            Self::Scopes => "scopes",
        }
    }

    /// Its name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Description => "Description",
            Self::Expiry => "Expiry",
            Self::Scopes => "Access permissions",
        }
    }
}

/// The values of a key, one text for each of [`Field::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values([String; 4]);

impl Values {
    /// Those of a key.
    pub fn of(key: &Key) -> Self {
        let ends = key.expires_at.map(Timestamp::rfc3339).unwrap_or_default();
        Self([key.name.clone(), key.description.clone(), ends, in_order(key.scopes.names())])
    }

    /// Those that a form was made from; none if it does not say.
    pub fn posted(form: &Posted) -> Option<Self> {
        let is_there = |field: Field| form.0.iter().any(|(name, _)| *name == base_name(field));
        let value = |field: Field| plain(&form.get(&base_name(field)));
        Field::ALL.into_iter().all(is_there).then(|| Self(Field::ALL.map(value)))
    }

    /// The value of a field that is typed in a form.
    pub fn typed(draft: &KeyDraft, field: Field) -> String {
        match field {
            Field::Name => plain(&draft.name),
            Field::Description => plain(&draft.description),
            Field::Expiry => format!("{} {}", draft.expiry, draft.expiry_date),
            Field::Scopes => in_order(draft.scopes.clone()),
        }
    }

    /// The value of a field.
    pub fn get(&self, field: Field) -> &str {
        let [name, description, expiry, scopes] = &self.0;
        match field {
            Field::Name => name,
            Field::Description => description,
            Field::Expiry => expiry,
            Field::Scopes => scopes,
        }
    }
}

/// Name of the hidden field that carries the value that a field was shown with.
pub fn base_name(field: Field) -> String {
    format!("base_{}", field.as_str())
}

/// Name of the radio buttons that choose between two values of a field.
pub fn choice_name(field: Field) -> String {
    format!("keep_{}", field.as_str())
}

/// Name of the hidden fields that say for which fields there is a choice.
pub const ASKED: &str = "asked";
/// The value of the choice that keeps the key's value.
pub const THEIRS: &str = "theirs";
/// The value of the choice that keeps the form's value.
pub const YOURS: &str = "yours";

/// A form, merged with the key as it is now.
#[derive(Debug)]
pub struct Merged {
    /// The form with the present value of each field that the person did not change.
    pub draft: KeyDraft,
    /// The fields to send.
    pub changed: Vec<Field>,
    /// The fields that both have changed, and for which nothing is chosen.
    pub conflicts: Vec<Field>,
}

/// Merges a form. `base` holds the values that it was made from; without them every field that
/// differs from the key counts as changed by both.
pub fn merge(mut draft: KeyDraft, base: Option<&Values>, form: &Posted, key: &Key) -> Merged {
    let theirs = Values::of(key);
    let (mut changed, mut conflicts) = (Vec::new(), Vec::new());
    for field in Field::ALL {
        let mine = Values::typed(&draft, field);
        let keeps = field == Field::Expiry && draft.expiry == Expiry::KEEP;
        if keeps || mine == theirs.get(field) {
            continue;
        }
        if field != Field::Expiry && base.is_some_and(|base| base.get(field) == mine) {
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
    /// The change to send: of the fields that the person changed, and no others.
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
            name: all.name.filter(|_| is_sent(Field::Name)),
            description: all.description.filter(|_| is_sent(Field::Description)),
            expires_at: all.expires_at.filter(|_| is_sent(Field::Expiry)),
            scopes: all.scopes.filter(|_| is_sent(Field::Scopes)),
            reason: all.reason,
            ..KeyPatch::default()
        })
    }
}

/// Gives a field of the form the value that the key has.
fn take(draft: &mut KeyDraft, field: Field, key: &Key) {
    match field {
        Field::Name => draft.name.clone_from(&key.name),
        Field::Description => draft.description.clone_from(&key.description),
        Field::Expiry => Expiry::KEEP.clone_into(&mut draft.expiry),
        Field::Scopes => draft.scopes = key.scopes.names(),
    }
}

/// A text as it is stored: forms post line breaks as CRLF.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn in_order(mut scopes: Vec<String>) -> String {
    scopes.sort_unstable();
    scopes.join(" ")
}

#[cfg(test)]
mod tests;
