//! A key made like another one.

use super::{Details, KeyPatch, NAME_MAX};
use crate::{
    digest::SecretHash,
    failure::{Failure, FieldError},
    time::Timestamp,
    token::Environment,
};
use serde::{Deserialize, Serialize};

/// What a copy is called after its source.
const SUFFIX: &str = " (copy)";

/// A key to be made like another one, as it was asked for. What is absent is as in the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewCopy {
    /// Its name; absent for that of the other with "(copy)" behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// RFC 3339 time from when on it shall be refused; `null` for never.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::given")]
    #[allow(clippy::option_option, reason = "absent, null or a value, as in RFC 7396")]
    pub expires_at: Option<Option<String>>,
    /// Why; goes into the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of a secret that the caller made and keeps; none to have one made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<SecretHash>,
}

impl NewCopy {
    /// In what the copy shall differ.
    pub fn differences(self) -> KeyPatch {
        KeyPatch { name: self.name, expires_at: self.expires_at, reason: self.reason, ..KeyPatch::default() }
    }
}

/// The name of a copy, cut so that it is no longer than a name may be.
pub fn copy_name(name: &str) -> String {
    let kept: String = name.chars().take(NAME_MAX - SUFFIX.len()).collect();
    format!("{}{SUFFIX}", kept.trim_end())
}

impl Details {
    /// The details of a copy that differs in `patch`, and why it is made; or what is wrong with it.
    pub fn copy(
        &self,
        patch: &KeyPatch,
        environment: Option<Environment>,
        now: Timestamp,
    ) -> Result<(Self, Option<String>), Failure> {
        let source = Self {
            name: copy_name(&self.name),
            environment: environment.unwrap_or(self.environment),
            // A beginning that has passed says nothing.
            not_before: self.not_before.filter(|begin| *begin > now),
            ..self.clone()
        };
        let changes = patch.check(now)?;
        let reason = changes.reason.clone();
        let copy = changes.apply(&source)?;
        if copy.expires_at.is_some_and(|end| end <= now) {
            let message = "The key that is copied has expired: say when the copy shall end.";
            return Err(Failure::Invalid { errors: vec![FieldError::new("expires_at", message)] });
        }
        Ok((copy, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limit::{Limits, RateLimit},
        testing::details,
    };

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn fields(outcome: Result<(Details, Option<String>), Failure>) -> Vec<String> {
        match outcome {
            Err(Failure::Invalid { errors }) => errors.into_iter().map(|error| error.field).collect(),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_copy_is_like_its_source_but_for_its_name() {
        let source = Details {
            channels: vec!["ch_1".into()],
            limits: Limits { rate: Some(RateLimit { limit: 5, window_seconds: 1 }), quota: None },
            metadata: [("team".to_owned(), "till".to_owned())].into(),
            expires_at: Some(NOW.plus(1)),
            not_before: Some(NOW.plus(-1)),
            ..details()
        };
        let (copy, reason) = source.copy(&KeyPatch::default(), None, NOW).unwrap();
        assert_eq!(copy, Details { name: "Shop (copy)".into(), not_before: None, ..source.clone() });
        assert_eq!(reason, None);
        let patch = KeyPatch { reason: Some("a second till".into()), ..KeyPatch::default() };
        let (copy, reason) = source.copy(&patch, Some(Environment::Test), NOW).unwrap();
        assert_eq!((copy.environment, reason.as_deref()), (Environment::Test, Some("a second till")));
    }

    #[test]
    fn a_copy_of_what_has_expired_needs_an_end_of_its_own() {
        let source = Details { expires_at: Some(NOW), ..details() };
        assert_eq!(fields(source.copy(&KeyPatch::default(), None, NOW)), ["expires_at"]);
        let never = KeyPatch { expires_at: Some(None), ..KeyPatch::default() };
        assert_eq!(source.copy(&never, None, NOW).unwrap().0.expires_at, None);
        let scheduled = Details { not_before: Some(NOW.plus(5)), ..details() };
        assert_eq!(scheduled.copy(&never, None, NOW).unwrap().0.not_before, Some(NOW.plus(5)));
        let past = KeyPatch { expires_at: Some(Some("2020-01-01T00:00:00Z".into())), ..KeyPatch::default() };
        assert_eq!(fields(source.copy(&past, None, NOW)), ["expires_at"]);
    }

    #[test]
    fn names_of_copies_stay_within_the_bound() {
        assert_eq!(copy_name("Shop"), "Shop (copy)");
        let long = copy_name(&"ä".repeat(NAME_MAX));
        assert_eq!(long.chars().count(), NAME_MAX);
        assert!(long.ends_with("ä (copy)"));
        assert_eq!(copy_name(&format!("{} {}", "x".repeat(92), "y".repeat(7))), format!("{} (copy)", "x".repeat(92)));
    }
}
