//! Reading the JSON body of a request, with an answer for every way in which it can be wrong.
//!
//! What serde says may repeat values of the body, and a value may be a credential. So its words are
//! taken apart, and only names of fields and places are passed on.

use crate::{failure::FieldError, token::redact};
use serde::Deserialize;
use serde_json::error::Category;

/// Most bytes of a body that is read as a whole.
pub const BODY_MAX: usize = 64 * 1024;

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is not JSON, or no object. The sentence says where.
    Unreadable(String),
    /// A field is unknown, missing, given twice, or holds a value of the wrong kind.
    Field(FieldError),
}

/// Reads a body, which must be an object. Fields that `T` does not know are errors if `T` says so.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyError> {
    if is_list(body) {
        return Err(BodyError::Unreadable("The body is a list; an object with named fields is expected.".into()));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            Category::Data => data_error(&error.to_string(), &path, &place(&error)),
            _ => not_json(&error),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Reads a body as [`read`] does, in half the time if nothing is wrong with it: [`read`] notes at every value where it is. The
/// code for `T` is there twice, so this is for the one body that comes with most calls.
pub fn read_fast<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyError> {
    let value = if is_list(body) { None } else { serde_json::from_slice(body).ok() };
    value.map_or_else(|| read(body), Ok)
}

/// serde would take the fields of a structure as a list, too.
fn is_list(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'[')
}

fn not_json(error: &serde_json::Error) -> BodyError {
    BodyError::Unreadable(format!("The body is not JSON: see {}.", place(error)))
}

fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// What serde said about the value at `path`, such as `scopes[1]`; the whole body is `.`.
fn data_error(message: &str, path: &str, place: &str) -> BodyError {
    let quoted = |rest: &str| rest.split('`').next().unwrap_or_default().to_owned();
    let field = |name: &str, message: String| {
        let name: String = name.chars().take(60).collect();
        BodyError::Field(FieldError::new(&redact(&name), message))
    };
    if let Some(rest) = message.strip_prefix("unknown field `") {
        field(&quoted(rest), "There is no such field here.".into())
    } else if let Some(rest) = message.strip_prefix("missing field `") {
        field(&quoted(rest), "This is required.".into())
    } else if let Some(rest) = message.strip_prefix("duplicate field `") {
        field(&quoted(rest), "This stands in the body twice.".into())
    } else {
        let wanted = message.split_once(", expected ").map_or("another value", |(_, wanted)| wanted);
        let wanted = wanted.split(" at line ").next().unwrap_or(wanted);
        if path == "." {
            BodyError::Unreadable(format!("The value at {place} cannot be read: expected {wanted}."))
        } else {
            field(path, format!("The value cannot be read: expected {wanted}."))
        }
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
        let read = read(body.as_bytes());
        assert_eq!(read, read_fast(body.as_bytes()), "{body}");
        read
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
            (r#"{"key":1}"#, "key", "The value cannot be read: expected a string."),
        ] {
            assert_eq!(ask(body), Err(BodyError::Field(FieldError::new(field, message))), "{body}");
        }
        for (body, text) in [
            ("", "The body is not JSON: see line 1, column 0."),
            ("{\n,}", "The body is not JSON: see line 2, column 1."),
            (r#"{"key":"x"} {}"#, "The body is not JSON: see line 1, column 13."),
            ("7", "The value at line 1, column 1 cannot be read: expected struct Body."),
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
