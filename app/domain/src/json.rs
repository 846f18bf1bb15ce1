//! Reading the JSON body of a request, with an answer for every way in which it can be wrong.
//!
//! What serde says may repeat values of the body, and a value may be a credential. So its words are
//! taken apart, and only names of fields and places are passed on.

use crate::{failure::FieldError, token::redact};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Most bytes of a body that is read as a whole.
pub const BODY_MAX: usize = 64 * 1024;

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is not JSON, or a value has the wrong type. The sentence says where.
    Unreadable(String),
    /// A field is unknown, missing, or given twice.
    Field(FieldError),
}

/// Reads a body, which must be an object. Fields that `T` does not know are errors if `T` says so.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    // serde would take the fields of a structure as a list, too.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(BodyError::Unreadable("The body is a list; an object with named fields is expected.".into()));
    }
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            Category::Data => data_error(&error.to_string(), &place),
            _ => BodyError::Unreadable(format!("The body is not JSON: see {place}.")),
        }
    })
}

fn data_error(message: &str, place: &str) -> BodyError {
    let field = |rest: &str, message: &str| {
        let name: String = rest.split('`').next().unwrap_or_default().chars().take(60).collect();
        BodyError::Field(FieldError::new(&redact(&name), message))
    };
    if let Some(rest) = message.strip_prefix("unknown field `") {
        field(rest, "There is no such field here.")
    } else if let Some(rest) = message.strip_prefix("missing field `") {
        field(rest, "This is required.")
    } else if let Some(rest) = message.strip_prefix("duplicate field `") {
        field(rest, "This stands in the body twice.")
    } else {
        let wanted = message.split_once(", expected ").map_or("another value", |(_, wanted)| wanted);
        let wanted = wanted.split(" at line ").next().unwrap_or(wanted);
        BodyError::Unreadable(format!("The value at {place} cannot be read: expected {wanted}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        key: String,
    }

    fn ask(body: &str) -> Result<Body, BodyError> {
        read(body.as_bytes())
    }

    #[test]
    fn a_body_is_read() {
        assert_eq!(ask(r#"{"key":"x"}"#), Ok(Body { key: "x".into() }));
    }

    #[test]
    fn each_mistake_is_named_at_its_place() {
        for (body, field, message) in [
            (r#"{"key":"x","kye":1}"#, "kye", "There is no such field here."),
            ("{}", "key", "This is required."),
            (r#"{"key":"x","key":"y"}"#, "key", "This stands in the body twice."),
        ] {
            assert_eq!(ask(body), Err(BodyError::Field(FieldError::new(field, message))), "{body}");
        }
        for (body, text) in [
            ("", "The body is not JSON: see line 1, column 0."),
            ("{\n,}", "The body is not JSON: see line 2, column 1."),
            (r#"{"key":1}"#, "The value at line 1, column 8 cannot be read: expected a string."),
        ] {
            assert_eq!(ask(body), Err(BodyError::Unreadable(text.into())), "{body}");
        }
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
