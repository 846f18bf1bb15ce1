//! Converts a serde error into a sentence for people.
//!
//! A serde error may repeat a value of the request, and a value may be a credential. Its wording is
//! a parser's. So only field names and paths are kept.

use super::BodyError;
use crate::token::redact;

/// Prefixes of errors from serde itself. All other errors come from the types of this crate.
const OF_SERDE: [&str; 4] = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];

/// Describes an error of the value at `path`, such as `scopes[1]`. The whole request is `.`.
pub fn of_serde(message: &str, path: &str) -> BodyError {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let quoted = |rest: &str| rest.split('`').next().unwrap_or_default().to_owned();
    // The path does not include the name of a missing field.
    let placed = |name: &str| match path {
        "." => name.to_owned(),
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{path}.{name}"),
    };
    if let Some(rest) = message.strip_prefix("unknown field `") {
        // Only this name comes from the caller. It may contain a quote itself.
        let name = rest.strip_suffix("`, there are no fields").or_else(|| rest.split("`, expected ").next());
        BodyError::unknown_field(&placed(name.unwrap_or_default()))
    } else if let Some(rest) = message.strip_prefix("missing field `") {
        BodyError::missing_field(&placed(&quoted(rest)))
    } else if let Some(rest) = message.strip_prefix("duplicate field `") {
        BodyError::duplicate_field(&placed(&quoted(rest)))
    } else if path == "." {
        BodyError::no_object()
    } else if OF_SERDE.iter().any(|words| message.starts_with(words)) {
        // A repeated value precedes the last of these words.
        BodyError::other_kind(path, in_words(message.rsplit_once(", expected ").map_or("", |(_, wanted)| wanted)))
    } else {
        BodyError::field(path, redact(message))
    }
}

/// Names a type of value in plain words.
fn in_words(wanted: &str) -> &str {
    match wanted {
        "a sequence" => "a list",
        "a map" => "an object",
        "a boolean" => "true or false",
        wanted if ["a ", "an ", "one of ", "either "].iter().any(|words| wanted.starts_with(words)) => wanted,
        _ => "a value of another kind",
    }
}
