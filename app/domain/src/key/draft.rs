//! What admins say of a key, and how it becomes something that can be stored.

use super::{DESCRIPTION_MAX, EXPIRY_MAX, NAME_MAX, Status};
use crate::{
    digest::SecretHash,
    failure::{Failure, Findings},
    scope::ScopeSet,
    text,
    time::Timestamp,
    token::Environment,
};
use serde::{Deserialize, Deserializer, Serialize};

/// A key to be made, as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What people will call it.
    #[serde(default)]
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// `live` or `test`.
    #[serde(default)]
    pub environment: String,
    /// Names of the scopes it shall have.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// RFC 3339 time from when on it shall be refused; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Hash of a secret that the caller made and keeps; none to have one made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<SecretHash>,
}

/// What can be stored of a key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// 1 to [`NAME_MAX`] characters.
    pub name: String,
    /// 0 to [`DESCRIPTION_MAX`] characters.
    pub description: String,
    /// Which world it opens.
    pub environment: Environment,
    /// At least one.
    pub scopes: ScopeSet,
    /// In the future, and at most [`EXPIRY_MAX`] away.
    pub expires_at: Option<Timestamp>,
}

/// Changes to a key, as they were asked for (RFC 7396): what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPatch {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new description; `null` or empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// `active` or `inactive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// All the scopes that it shall have from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// A new expiry; `null` for never.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub expires_at: Option<Option<String>>,
}

/// Changes to a key that can be stored. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsPatch {
    /// As in [`Details`].
    pub name: Option<String>,
    /// As in [`Details`].
    pub description: Option<String>,
    /// Whether it is to be active.
    pub active: Option<bool>,
    /// As in [`Details`].
    pub scopes: Option<ScopeSet>,
    /// As in [`Details`]; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Tells `null` from absent: both would be `None` otherwise.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl NewKey {
    /// The details, or everything that is wrong with them.
    pub fn check(&self, now: Timestamp) -> Result<Details, Failure> {
        let mut findings = Findings::default();
        let name = findings.take("name", text::line(&self.name, NAME_MAX));
        let description = findings.take("description", text::paragraph(&self.description, DESCRIPTION_MAX));
        let environment =
            findings.take("environment", self.environment.parse().map_err(|()| "Choose live or test.".to_owned()));
        let scopes = findings.take("scopes", scopes(&self.scopes));
        let expires_at =
            findings.take("expires_at", self.expires_at.as_deref().map(|text| expiry(text, now)).transpose());
        let details = match (name, description, environment, scopes, expires_at) {
            (Some(name), Some(description), Some(environment), Some(scopes), Some(expires_at)) => {
                Some(Details { name, description, environment, scopes, expires_at })
            }
            _ => None,
        };
        findings.finish(details)
    }
}

impl KeyPatch {
    /// The changes, or everything that is wrong with them.
    pub fn check(&self, now: Timestamp) -> Result<DetailsPatch, Failure> {
        let mut findings = Findings::default();
        let name = self.name.as_deref().map(|name| findings.take("name", text::line(name, NAME_MAX)));
        let description = self.description.as_ref().map(|description| {
            let text = description.as_deref().unwrap_or_default();
            findings.take("description", text::paragraph(text, DESCRIPTION_MAX))
        });
        let scopes = self.scopes.as_deref().map(|names| findings.take("scopes", scopes(names)));
        let expires_at = self
            .expires_at
            .as_ref()
            .map(|end| findings.take("expires_at", end.as_deref().map(|text| expiry(text, now)).transpose()));
        findings.finish(Some(DetailsPatch {
            name: name.flatten(),
            description: description.flatten(),
            active: self.status.map(|status| status == Status::Active),
            scopes: scopes.flatten(),
            expires_at: expires_at.flatten(),
        }))
    }
}

fn scopes(names: &[String]) -> Result<ScopeSet, String> {
    let scopes = ScopeSet::from_names(names.iter().map(String::as_str)).map_err(|error| error.to_string())?;
    if scopes.is_empty() {
        Err("Choose at least one scope: a key without any could do nothing.".into())
    } else {
        Ok(scopes)
    }
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let end = Timestamp::parse(text).ok_or("Write a date and time such as 2027-01-31T23:59:59Z.")?;
    if end <= now {
        return Err("This is in the past: the key would never work.".into());
    }
    if end.since(now) > EXPIRY_MAX {
        return Err("This is more than ten years away; choose no expiry if the key shall not end.".into());
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn good() -> NewKey {
        NewKey {
            name: " Shop ".into(),
            environment: "live".into(),
            scopes: vec!["contacts:read".into()],
            expires_at: Some("2026-12-31T00:00:00Z".into()),
            ..NewKey::default()
        }
    }

    fn fields(failure: &Failure) -> Vec<&str> {
        let Failure::Invalid { errors } = failure else { unreachable!("{failure:?}") };
        errors.iter().map(|error| error.field.as_str()).collect()
    }

    #[test]
    fn a_good_key_is_taken_as_it_was_meant() {
        let details = good().check(NOW).unwrap();
        assert_eq!(details.name, "Shop");
        assert_eq!(details.scopes, testing::scopes(&["contacts:read"]));
        assert_eq!(details.expires_at, Timestamp::parse("2026-12-31T00:00:00Z"));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let failure = NewKey {
            name: "x".repeat(10_000),
            description: "d".repeat(501),
            environment: "prod".into(),
            expires_at: Some("2026-11-01T00:00:00Z".into()),
            ..NewKey::default()
        }
        .check(NOW)
        .unwrap_err();
        assert_eq!(fields(&failure), ["name", "description", "environment", "scopes", "expires_at"]);
    }

    #[test]
    fn an_unknown_scope_is_named_in_the_message() {
        let failure = NewKey { scopes: vec!["contacts:fly".into()], ..good() }.check(NOW).unwrap_err();
        let Failure::Invalid { errors } = failure else { unreachable!() };
        assert!(
            errors.iter().any(|error| error.field == "scopes" && error.message.contains("contacts:fly")),
            "{errors:?}"
        );
    }

    #[test]
    fn an_expiry_is_near_enough_and_not_over() {
        for (end, good_end) in [
            ("2026-11-23T16:46:48Z", false),
            ("2026-11-23T16:46:49Z", true),
            ("2036-11-23T00:00:00Z", true),
            ("2036-11-25T00:00:00Z", false),
            ("soon", false),
        ] {
            let key = NewKey { expires_at: Some(end.into()), ..good() };
            assert_eq!(key.check(NOW).is_ok(), good_end, "{end}");
        }
    }

    #[test]
    fn a_patch_tells_null_from_absent() {
        let patch: KeyPatch = serde_json::from_str(r#"{"expires_at":null,"status":"inactive"}"#).unwrap();
        let patch = patch.check(NOW).unwrap();
        assert_eq!(patch, DetailsPatch { active: Some(false), expires_at: Some(None), ..DetailsPatch::default() });
        let patch: KeyPatch = serde_json::from_str("{}").unwrap();
        assert_eq!(patch.check(NOW).unwrap(), DetailsPatch::default());
    }

    #[test]
    fn a_patch_is_held_to_the_same_bounds() {
        let patch: KeyPatch =
            serde_json::from_str(r#"{"name":"","description":"ok","scopes":[],"expires_at":"soon"}"#).unwrap();
        assert_eq!(fields(&patch.check(NOW).unwrap_err()), ["name", "scopes", "expires_at"]);
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(serde_json::from_str::<NewKey>(r#"{"name":"a","admin":true}"#).is_err());
        assert!(serde_json::from_str::<KeyPatch>(r#"{"version":2}"#).is_err());
    }
}
