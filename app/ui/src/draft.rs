//! The key form as typed: unparsed texts, so that invalid input is not lost.

use crate::texts::key_form as text;
use ownchat_domain::{
    digest::SecretHash,
    failure::{Failure, FieldError},
    idempotency::{BodyHash, Idempotency},
    key::{Key, KeyPatch, NewKey, duplicate_name},
    time::{DAY, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The key form. Field names are those of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFormDraft {
    /// Display name.
    pub name: String,
    /// Purpose of the key.
    pub description: String,
    /// `live` or `test`.
    pub environment: String,
    /// Value of one of [`Expiry::CHOICES`], or [`Expiry::KEEP`].
    pub expiry: String,
    /// `YYYY-MM-DD`, for [`Expiry::On`].
    pub expiry_date: String,
    /// Names of the chosen scopes.
    pub scopes: Vec<String>,
    /// Reason for the audit trail.
    #[serde(default)]
    pub reason: String,
    /// Idempotency key of the form: two submissions with the same one take effect once. Empty when
    /// editing.
    #[serde(default)]
    pub form: String,
    /// Id of the source key of a duplicate; empty for a new key.
    #[serde(default)]
    pub from: String,
}

/// Expiry of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Leaves the expiry unchanged. For editing and duplicating.
    Keep,
    /// Days from now.
    Days(i64),
    /// At the end of a date, in UTC.
    On,
    /// No expiry.
    Never,
}

impl Expiry {
    /// Choices for a new key, each with its form value and its text.
    pub const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Days(30), "30", text::DAYS_30),
        (Self::Days(90), "90", text::DAYS_90),
        (Self::Days(365), "365", text::DAYS_365),
        (Self::On, "date", text::CUSTOM_DATE),
        (Self::Never, "never", text::NEVER),
    ];
    /// Form value of [`Expiry::Keep`].
    pub const KEEP: &'static str = "keep";

    /// Returns the hint of each choice, with the last day of those that have one. The server makes
    /// them, so the browser loads no calendar.
    pub fn hints(now: Timestamp) -> Vec<String> {
        let hint = |expiry: &Self| match expiry {
            Self::Days(days) => text::until(&now.plus(days * DAY).day_in_utc()),
            Self::Never => text::NEVER_HINT.to_owned(),
            Self::On | Self::Keep => String::new(),
        };
        Self::CHOICES.iter().map(|(expiry, ..)| hint(expiry)).collect()
    }

    fn parse(value: &str) -> Option<Self> {
        if value == Self::KEEP {
            return Some(Self::Keep);
        }
        Self::CHOICES.iter().find(|(_, text, _)| *text == value).map(|(expiry, _, _)| *expiry)
    }
}

impl Default for KeyFormDraft {
    /// Returns the form of a new key: live, 90 days, no scopes.
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            environment: "live".to_owned(),
            expiry: "90".to_owned(),
            expiry_date: String::new(),
            scopes: Vec::new(),
            reason: String::new(),
            form: String::new(),
            from: String::new(),
        }
    }
}

impl KeyFormDraft {
    /// Returns the form to edit a key.
    pub fn of(key: &Key) -> Self {
        Self {
            name: key.name.clone(),
            description: key.description.clone(),
            environment: key.environment.to_string(),
            expiry: Expiry::KEEP.to_owned(),
            expiry_date: String::new(),
            scopes: key.scopes.names(),
            reason: String::new(),
            form: String::new(),
            from: String::new(),
        }
    }

    /// Returns the form to duplicate a key, with a name that is not in `names`. Keeps the expiry of
    /// the source unless it has passed.
    pub fn duplicate_of(key: &Key, names: &[String], now: Timestamp) -> Self {
        let new = Self::default();
        let ends = key.expires_at.is_some_and(|end| end > now);
        let expiry = if ends { Expiry::KEEP.to_owned() } else { new.expiry };
        Self {
            name: duplicate_name(&key.name, |name| names.iter().any(|taken| taken == name)),
            expiry,
            from: key.id.to_string(),
            ..Self::of(key)
        }
    }

    /// Reads a form from the values of each of its fields. Missing fields are empty.
    pub fn read(values: impl Fn(&str) -> Vec<String>) -> Self {
        let one = |name: &str| values(name).into_iter().next().unwrap_or_default();
        Self {
            name: one("name"),
            description: one("description"),
            environment: one("environment"),
            expiry: one("expiry"),
            expiry_date: one("expiry_date"),
            scopes: values("scopes"),
            reason: one("reason"),
            form: one("form"),
            from: one("from"),
        }
    }

    /// Returns the idempotency key of the form and a hash over the form and the secret's hash.
    /// `None` if the form has no valid idempotency key.
    pub fn once(&self, secret: Option<&SecretHash>) -> Option<Idempotency> {
        let key = self.form.parse().ok()?;
        // Strings and lists of strings always serialise.
        let body = serde_json::to_vec(&(self, secret)).unwrap_or_default();
        Some(Idempotency { key, body: BodyHash::of(&body) })
    }

    /// Converts the form into a new key.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with the faults of all fields if the expiry is invalid.
    /// Otherwise the vault checks the fields.
    pub fn to_new_key(&self, now: Timestamp) -> Result<NewKey, Failure> {
        let key = NewKey {
            name: self.name.clone(),
            description: self.description.clone(),
            environment: self.environment.clone(),
            scopes: self.scopes.clone(),
            reason: Some(self.reason.clone()),
            ..NewKey::default()
        };
        match self.expires_at(now) {
            Ok(expires_at) => Ok(NewKey { expires_at: expires_at.flatten(), ..key }),
            Err(fault) => Err(all_faults(key.check(now).err(), fault)),
        }
    }

    /// Converts the form into a patch of an existing key.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with the faults of all fields if the expiry is invalid.
    /// Otherwise the vault checks the fields.
    pub fn to_patch(&self, now: Timestamp) -> Result<KeyPatch, Failure> {
        let patch = KeyPatch {
            name: Some(self.name.clone()),
            description: Some(Some(self.description.clone())),
            scopes: Some(self.scopes.clone()),
            reason: Some(self.reason.clone()),
            ..KeyPatch::default()
        };
        match self.expires_at(now) {
            Ok(expires_at) => Ok(KeyPatch { expires_at, ..patch }),
            Err(fault) => Err(all_faults(patch.check(now).err(), fault)),
        }
    }

    /// `None` keeps the expiry; `Some(None)` removes it.
    #[allow(clippy::option_option, reason = "absent, null or a value, as in RFC 7396")]
    fn expires_at(&self, now: Timestamp) -> Result<Option<Option<String>>, FieldError> {
        match Expiry::parse(&self.expiry) {
            Some(Expiry::Keep) => Ok(None),
            Some(Expiry::Never) => Ok(Some(None)),
            Some(Expiry::Days(days)) => Ok(Some(Some(now.plus(days * DAY).rfc3339()))),
            Some(Expiry::On) => match Timestamp::parse_end_of_day(&self.expiry_date) {
                Some(end) => Ok(Some(Some(end.rfc3339()))),
                None => Err(FieldError::new("expires_at", text::NO_DATE)),
            },
            None => Err(FieldError::new("expires_at", text::NO_EXPIRY)),
        }
    }
}

/// Adds the fault of one field to those of the others, so that the form reports all faults at once.
fn all_faults(others: Option<Failure>, one: FieldError) -> Failure {
    let mut errors = match others {
        Some(Failure::Invalid { errors }) => errors,
        _ => Vec::new(),
    };
    errors.push(one);
    Failure::Invalid { errors }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    #[allow(clippy::option_option, reason = "as in the code")]
    fn expires(expiry: &str, date: &str) -> Result<Option<Option<String>>, FieldError> {
        let draft = KeyFormDraft { expiry: expiry.into(), expiry_date: date.into(), ..KeyFormDraft::default() };
        draft.expires_at(NOW)
    }

    #[test]
    fn an_end_is_counted_from_now_or_named() {
        assert_eq!(expires("keep", ""), Ok(None));
        assert_eq!(expires("never", ""), Ok(Some(None)));
        assert_eq!(expires("30", ""), Ok(Some(Some("2026-12-23T16:46:48.000Z".into()))));
        assert_eq!(expires("date", "2027-01-31"), Ok(Some(Some("2027-01-31T23:59:59.999Z".into()))));
        for (expiry, date) in [("date", ""), ("date", "31.1.2027"), ("", ""), ("31", "")] {
            assert!(expires(expiry, date).is_err(), "{expiry} {date}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let draft = KeyFormDraft { expiry: "date".into(), ..KeyFormDraft::default() };
        let fields = |failure: Failure| match failure {
            Failure::Invalid { errors } => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(fields(draft.to_new_key(NOW).unwrap_err()), ["name", "scopes", "expires_at"]);
        assert_eq!(fields(draft.to_patch(NOW).unwrap_err()), ["name", "scopes", "expires_at"]);
    }

    #[test]
    fn a_posted_form_keeps_its_input_as_typed() {
        let fields = [("name", " <b> "), ("scopes", "contacts:read"), ("scopes", "nonsense"), ("expiry", "30")];
        let values = |name: &str| {
            fields.iter().filter(|(field, _)| *field == name).map(|(_, value)| (*value).to_owned()).collect()
        };
        let draft = KeyFormDraft::read(values);
        assert_eq!((draft.name.as_str(), draft.expiry.as_str()), (" <b> ", "30"));
        assert_eq!(draft.scopes, ["contacts:read", "nonsense"]);
    }

    #[test]
    fn a_form_is_the_same_if_all_of_it_is() {
        let draft = KeyFormDraft { form: "f1".into(), name: "Shop".into(), ..KeyFormDraft::default() };
        let other = KeyFormDraft { name: "Store".into(), ..draft.clone() };
        let secret = SecretHash::from_bytes([3; 32]);
        assert_eq!(draft.once(None), draft.clone().once(None));
        assert_ne!(draft.once(None), other.once(None));
        assert_ne!(draft.once(None), draft.once(Some(&secret)));
        assert_eq!(KeyFormDraft::default().once(None), None, "a form without a name");
    }
}
