//! Turns an error of serde into a sentence for people.
//!
//! An error of serde may repeat a value of the request, and a value may be a credential. Its words
//! are those of a parser. So it is taken apart, and only names of fields and places are passed on.

use super::BodyError;
use crate::token::redact;

/// Errors that serde writes itself. All others come from the types of this crate.
const OF_SERDE: [&str; 4] = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];

/// Describes an error about the value at `path`, such as `scopes[1]`; the whole request is `.`.
pub fn of_serde(message: &str, path: &str) -> BodyError {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let quoted = |rest: &str| rest.split('`').next().unwrap_or_default().to_owned();
    // The path ends before the name of a field that is not there.
    let placed = |name: &str| match path {
        "." => name.to_owned(),
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{path}.{name}"),
    };
    if let Some(rest) = message.strip_prefix("unknown field `") {
        // This name alone is the caller's, and may hold a quote itself.
        BodyError::unknown_field(&placed(rest.split("`, expected ").next().unwrap_or_default()))
    } else if let Some(rest) = message.strip_prefix("missing field `") {
        BodyError::missing_field(&placed(&quoted(rest)))
    } else if let Some(rest) = message.strip_prefix("duplicate field `") {
        BodyError::duplicate_field(&placed(&quoted(rest)))
    } else if path == "." {
        BodyError::no_object()
    } else if OF_SERDE.iter().any(|words| message.starts_with(words)) {
        // A value that is repeated stands before the last of these words.
        BodyError::other_kind(path, in_words(message.rsplit_once(", expected ").map_or("", |(_, wanted)| wanted)))
    } else {
        BodyError::field(path, redact(message))
    }
}

/// Names a kind of value as people do.
fn in_words(wanted: &str) -> &str {
    match wanted {
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        wanted if ["a ", "an ", "one of ", "either "].iter().any(|words| wanted.starts_with(words)) => wanted,
        _ => "a value of another kind",
    }
}
