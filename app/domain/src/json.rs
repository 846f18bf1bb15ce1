//! Parses JSON bodies and queries of requests, with a precise error for each fault.

mod fault;
mod objects;
mod plain;

pub(crate) use fault::of_serde as fault;
pub(crate) use plain::Word;

use crate::{
    failure::FieldError,
    token::{BYTE_ORDER_MARK, redact},
};
use objects::Objects;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

/// Maximum bytes of a body that is read as a whole.
pub const BODY_MAX: usize = 64 * 1024;

/// Fault of a request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The body is not JSON, or not an object. The sentence names the position.
    Unreadable(String),
    /// A field is unknown, missing, duplicate or of the wrong type.
    Field(FieldError),
}

impl BodyError {
    /// Creates an error for text that is not JSON.
    ///
    /// Lines are counted from 1. The column counts the bytes of its line.
    pub fn not_json(line: usize, column: usize) -> Self {
        Self::Unreadable(format!("The body is not JSON: see line {line}, column {column}."))
    }

    /// Creates an error for JSON that is not an object.
    pub fn no_object() -> Self {
        Self::Unreadable("The body must be a JSON object: fields with names, in braces.".into())
    }

    /// Creates an error for an unknown field.
    pub fn unknown_field(name: &str) -> Self {
        Self::field(name, "There is no such field here.".into())
    }

    /// Creates an error for a missing field.
    pub fn missing_field(name: &str) -> Self {
        Self::field(name, "This is required.".into())
    }

    /// Creates an error for a duplicate field.
    pub fn duplicate_field(name: &str) -> Self {
        Self::field(name, "This is given twice.".into())
    }

    /// Creates an error for a value of the wrong type.
    ///
    /// `path` locates the value, such as `scopes[1]`. `wanted` names the type, such as "a string".
    pub fn other_kind(path: &str, wanted: &str) -> Self {
        Self::field(path, format!("This must be {wanted}."))
    }

    fn field(name: &str, message: String) -> Self {
        let name: String = name.chars().take(60).collect();
        Self::Field(FieldError::new(&redact(&name), message))
    }
}

/// Parses a body, which must be an object.
///
/// Unknown fields are errors if `T` denies them. A list is never accepted as an object, neither as
/// a whole nor in a field.
///
/// # Errors
///
/// Returns the first fault of the body.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
    let not_json = |error: &serde_json::Error| BodyError::not_json(error.line(), error.column());
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(Objects(&mut json)).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            Category::Data => fault(&error.to_string(), &path),
            _ => not_json(&error),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Distinguishes `null` from an absent field: both would otherwise be `None`.
///
/// A type without a `null` of its own refuses it.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{SetupRequest, SignInRequest},
        explain::ExplainRequest,
        key::RateLimitPatch,
        key::{KeyPatch, NewDuplicate, NewKey},
    };
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SampleBody {
        key: String,
        #[serde(default)]
        more: Vec<SamplePart>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SamplePart {
        key: u8,
    }

    fn ask(body: &str) -> Result<SampleBody, BodyError> {
        read(body.as_bytes())
    }

    #[test]
    fn a_body_is_read() {
        assert_eq!(ask(r#"{"key":"x"}"#), Ok(SampleBody { key: "x".into(), more: Vec::new() }));
    }

    #[test]
    fn each_mistake_is_named_at_its_place() {
        for (body, field, message) in [
            (r#"{"key":"x","kye":1}"#, "kye", "There is no such field here."),
            ("{\"`a`\":1}", "`a`", "There is no such field here."),
            ("{}", "key", "This is required."),
            (r#"{"key":"x","key":"y"}"#, "key", "This is given twice."),
            (r#"{"key":1}"#, "key", "This must be a string."),
            (r#"{"key":"x","more":[{}]}"#, "more[0].key", "This is required."),
            (r#"{"key":"x","more":[{"key":1},{"kye":1}]}"#, "more[1].kye", "There is no such field here."),
            (r#"{"key":"x","more":[{"key":1,"key":1}]}"#, "more[0].key", "This is given twice."),
            (r#"{"key":"x","more":[{"key":"1"}]}"#, "more[0].key", "This must be a whole number, 0 or more."),
        ] {
            assert_eq!(ask(body), Err(BodyError::Field(FieldError::new(field, message))), "{body}");
        }
        for (body, text) in [
            ("", "The body is not JSON: see line 1, column 0."),
            ("{\n,}", "The body is not JSON: see line 2, column 1."),
            (r#"{"key":"x"} {}"#, "The body is not JSON: see line 1, column 13."),
            ("7", "The body must be a JSON object: fields with names, in braces."),
            ("[]", "The body must be a JSON object: fields with names, in braces."),
        ] {
            assert_eq!(ask(body), Err(BodyError::Unreadable(text.into())), "{body}");
        }
    }

    #[test]
    fn no_sentence_is_in_a_parsers_words() {
        for (body, field, message) in [
            (
                r#"{"rate_limit":{"limit":-1,"window_seconds":60}}"#,
                "rate_limit.limit",
                "This must be a whole number, 0 or more.",
            ),
            (r#"{"rate_limit":{"limit":1.5}}"#, "rate_limit.limit", "This must be a whole number, 0 or more."),
            (
                r#"{"rate_limit":{"limit":"x, expected SECRET"}}"#,
                "rate_limit.limit",
                "This must be a whole number, 0 or more.",
            ),
            (r#"{"rate_limit":{"limit":4294967296}}"#, "rate_limit.limit", "This must be a smaller number."),
            (r#"{"rate_limit":{"limit":1e300}}"#, "rate_limit.limit", "This must be a smaller number."),
            (r#"{"quota":{"period":"x, expected y"}}"#, "quota.period", "This must be either day or month."),
            (r#"{"quota":{"period":7}}"#, "quota.period", "This must be either day or month."),
            (r#"{"status":{"active":null}}"#, "status", "This must be either active or inactive."),
            (r#"{"scopes":7}"#, "scopes", "This must be a list."),
            (r#"{"scopes":["contacts:read",7]}"#, "scopes[1]", "This must be a string."),
            (r#"{"metadata":{"team":7}}"#, "metadata.team", "This must be a string."),
        ] {
            let error = read::<KeyPatch>(body.as_bytes()).map(|_| ()).unwrap_err();
            assert_eq!(error, BodyError::Field(FieldError::new(field, message)), "{body}");
        }
        let error = read::<NewKey>(br#"{"secret_sha256":"x"}"#).map(|_| ()).unwrap_err();
        let message = "Send a SHA-256 hash in base64url without padding: 43 characters.";
        assert_eq!(error, BodyError::Field(FieldError::new("secret_sha256", message)));
    }

    #[test]
    fn whole_numbers_and_texts_come_as_other_languages_write_them() {
        for number in ["100", "100.0", "1e2"] {
            let body = format!("\u{feff}{{\"rate_limit\":{{\"limit\":{number}}}}}");
            let patch: KeyPatch = read(body.as_bytes()).unwrap();
            assert_eq!(patch.rate_limit.unwrap().unwrap().limit, Some(100), "{number}");
        }
    }

    #[test]
    fn a_list_is_no_object_wherever_it_stands() {
        fn asked<T: serde::de::DeserializeOwned>(body: &str) -> Result<(), BodyError> {
            read::<T>(body.as_bytes()).map(|_| ())
        }
        type ReadBody = fn(&str) -> Result<(), BodyError>;
        let [new, patch] = [asked::<NewKey> as ReadBody, asked::<KeyPatch>];
        for (ask, body, field) in [
            (new, r#"{"rate_limit":[5,60]}"#, "rate_limit"),
            (new, r#"{"quota":[9,"day"]}"#, "quota"),
            (new, r#"{"restrictions":[["10.0.0.0/8"],[],["ch_1"]]}"#, "restrictions"),
            (new, r#"{"restrictions":[]}"#, "restrictions"),
            (new, r#"{"metadata":["a","b"]}"#, "metadata"),
            (patch, r#"{"rate_limit":[5]}"#, "rate_limit"),
            (patch, r#"{"rate_limit":[]}"#, "rate_limit"),
            (patch, r#"{"quota":[9,"day"]}"#, "quota"),
            (patch, r#"{"restrictions":[["10.0.0.0/8"],[],["ch_1"]]}"#, "restrictions"),
            (patch, r#"{"metadata":[]}"#, "metadata"),
            (asked::<SampleBody>, r#"{"key":"x","more":[{"key":1},[2]]}"#, "more[1]"),
            (asked::<SampleBody>, r#"{"key":"x","more":[[]]}"#, "more[0]"),
        ] {
            assert_eq!(ask(body), Err(BodyError::other_kind(field, "an object")), "{body}");
        }
        let bodies = [new, patch, asked::<NewDuplicate>, asked::<ExplainRequest>, asked::<SetupRequest>];
        for ask in bodies.into_iter().chain([asked::<SignInRequest> as ReadBody]) {
            assert_eq!(ask(r#" ["a@b.c","12345678"]"#), Err(BodyError::no_object()));
        }
    }

    #[test]
    fn lists_objects_and_nulls_are_read_where_they_are_wanted() {
        let body = r#"{"scopes":["contacts:read"],"rate_limit":{"limit":5},"quota":null,"metadata":{"a":"b","c":null},
                       "restrictions":{"allow":["10.0.0.0/8"],"deny":[],"channels":null}}"#;
        let patch: KeyPatch = read(body.as_bytes()).unwrap();
        assert_eq!(patch.scopes, Some(vec!["contacts:read".into()]));
        assert_eq!(patch.rate_limit, Some(Some(RateLimitPatch { limit: Some(5), window_seconds: None })));
        assert_eq!((patch.quota, patch.metadata.unwrap().unwrap().len()), (Some(None), 2));
        let restrictions = patch.restrictions.unwrap().unwrap();
        assert_eq!(restrictions.allow, Some(Some(vec!["10.0.0.0/8".into()])));
        assert_eq!((restrictions.deny, restrictions.channels), (Some(Some(Vec::new())), Some(None)));
    }

    #[test]
    fn no_value_is_repeated() {
        let planted = "oc_live_JCgnh3DhfKRFKbvX_0123456789ABCDEFGHIJKLMN4YHXyj";
        for body in [
            format!(r#""{planted}""#),
            format!(r#"["{planted}"]"#),
            format!(r#"{{"{planted}":1}}"#),
            format!(r#"{{"key":["{planted}"]}}"#),
            format!(r#"{{"key":"{planted}"x"#),
        ] {
            let error = format!("{:?}", ask(&body).unwrap_err());
            assert!(!error.contains("0123456789ABCDEF"), "{error}");
        }
    }
}
