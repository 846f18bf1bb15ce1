//! Duplicates of a key: the request, the default name and the resulting details.

use super::{Details, KeyPatch, NAME_MAX};
use crate::{
    digest::SecretHash,
    environment::Environment,
    failure::{Failure, FieldError},
    text::cut,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Suffix of a duplicate's name, before the number and the closing bracket.
const SUFFIX: &str = " (copy";

/// Request to duplicate a key. Absent fields keep the value of the source.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewDuplicate {
    /// Display name; absent for the source's name with "(copy)" appended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// RFC 3339 time from which the duplicate is refused; `null` for never.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::given")]
    #[allow(clippy::option_option, reason = "absent, null or a value, as in RFC 7396")]
    pub expires_at: Option<Option<String>>,
    /// Reason, for the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of a secret that the caller generated and keeps; absent to have one generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<SecretHash>,
}

impl NewDuplicate {
    /// Returns the differences between the duplicate and its source.
    pub fn differences(self) -> KeyPatch {
        KeyPatch { name: self.name, expires_at: self.expires_at, reason: self.reason, ..KeyPatch::default() }
    }
}

/// Returns the first free name of a duplicate: "CRM (copy)", "CRM (copy 2)" and so on.
///
/// The name never exceeds [`NAME_MAX`] characters.
pub fn duplicate_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let original = original_name(name);
    let mut number = 1;
    loop {
        let suffix = if number == 1 { format!("{SUFFIX})") } else { format!("{SUFFIX} {number})") };
        let name = format!("{}{suffix}", cut(original, NAME_MAX - suffix.len()).trim_end());
        if !is_taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// Returns the original's name if `name` names a duplicate, or else `name` itself.
fn original_name(name: &str) -> &str {
    let number = |rest: &str| rest.strip_prefix(' ').is_some_and(|rest| rest.parse::<u32>().is_ok());
    match name.strip_suffix(')').and_then(|rest| rest.rsplit_once(SUFFIX)) {
        Some((original, rest)) if !original.is_empty() && (rest.is_empty() || number(rest)) => original,
        _ => name,
    }
}

impl Details {
    /// Returns the details of a duplicate and the reason for it.
    ///
    /// `patch` holds the differences. `name` applies if `patch` gives no other name.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] for an invalid `patch`, or for an expiry that has passed.
    pub fn duplicate(
        &self,
        name: String,
        patch: &KeyPatch,
        environment: Option<Environment>,
        now: Timestamp,
    ) -> Result<(Self, Option<String>), Failure> {
        let source = Self {
            name,
            environment: environment.unwrap_or(self.environment),
            // A start in the past has no effect.
            not_before: self.not_before.filter(|begin| *begin > now),
            ..self.clone()
        };
        let changes = patch.check(now)?;
        let reason = changes.reason.clone();
        let duplicate = changes.apply(&source)?;
        if duplicate.expires_at.is_some_and(|end| end <= now) {
            let message = "The key that is copied has expired: say when the copy shall end.";
            return Err(Failure::Invalid { errors: vec![FieldError::new("expires_at", message)] });
        }
        Ok((duplicate, reason))
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
    fn a_duplicate_is_like_its_source_but_for_its_name() {
        let source = Details {
            channels: vec!["ch_1".into()],
            limits: Limits { rate: Some(RateLimit { limit: 5, window_seconds: 1 }), quota: None },
            metadata: [("team".to_owned(), "till".to_owned())].into(),
            expires_at: Some(NOW.plus(1)),
            not_before: Some(NOW.plus(-1)),
            ..details()
        };
        let (duplicate, reason) = source.duplicate("Shop (copy)".into(), &KeyPatch::default(), None, NOW).unwrap();
        assert_eq!(duplicate, Details { name: "Shop (copy)".into(), not_before: None, ..source.clone() });
        assert_eq!(reason, None);
        let patch = KeyPatch { reason: Some("a second till".into()), ..KeyPatch::default() };
        let (duplicate, reason) = source.duplicate("Shop (copy)".into(), &patch, Some(Environment::Test), NOW).unwrap();
        assert_eq!((duplicate.environment, reason.as_deref()), (Environment::Test, Some("a second till")));
    }

    #[test]
    fn a_duplicate_of_an_expired_key_needs_its_own_end() {
        let source = Details { expires_at: Some(NOW), ..details() };
        assert_eq!(fields(source.duplicate("Shop (copy)".into(), &KeyPatch::default(), None, NOW)), ["expires_at"]);
        let never = KeyPatch { expires_at: Some(None), ..KeyPatch::default() };
        assert_eq!(source.duplicate("Shop (copy)".into(), &never, None, NOW).unwrap().0.expires_at, None);
        let scheduled = Details { not_before: Some(NOW.plus(5)), ..details() };
        assert_eq!(
            scheduled.duplicate("Shop (copy)".into(), &never, None, NOW).unwrap().0.not_before,
            Some(NOW.plus(5))
        );
        let past = KeyPatch { expires_at: Some(Some("2020-01-01T00:00:00Z".into())), ..KeyPatch::default() };
        assert_eq!(fields(source.duplicate("Shop (copy)".into(), &past, None, NOW)), ["expires_at"]);
    }

    #[test]
    fn names_of_duplicates_stay_within_the_bound_and_apart() {
        let name_of = |name: &str, taken: &[&str]| duplicate_name(name, |name| taken.contains(&name));
        assert_eq!(name_of("Shop", &["Shop"]), "Shop (copy)");
        assert_eq!(name_of("Shop", &["Shop (copy)"]), "Shop (copy 2)");
        assert_eq!(name_of("Shop (copy)", &["Shop (copy)", "Shop (copy 2)"]), "Shop (copy 3)");
        assert_eq!(name_of("Shop (copy 7)", &[]), "Shop (copy)");
        for own in ["Shop (copyright)", "Shop (copy two)", " (copy)", "Shop (copy) B"] {
            assert_eq!(name_of(own, &[]), format!("{own} (copy)"), "{own}");
        }
        // Names are cut between grapheme clusters, and trailing spaces are removed.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(name_of(&family.repeat(NAME_MAX), &[]), format!("{} (copy)", family.repeat(NAME_MAX - 7)));
        assert_eq!(name_of(&"ä".repeat(NAME_MAX), &[]), format!("{} (copy)", "ä".repeat(NAME_MAX - 7)));
        assert_eq!(
            name_of(&format!("{} {}", "x".repeat(92), "y".repeat(7)), &[]),
            format!("{} (copy)", "x".repeat(92))
        );
        assert!(crate::text::line(&name_of(&family.repeat(NAME_MAX), &[]), NAME_MAX).is_ok());
    }
}
