//! Request path parser. It accepts only paths that every upstream server reads in the same way.
//!
//! An id in a path may contain any percent-encoded character (RFC 3986, section 2.1). Exceptions
//! are the characters that a server could take for path structure.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Maximum length of a path, in bytes.
pub const PATH_MAX: usize = 1024;

/// Characters with a meaning in or after a path, even when percent-encoded.
const STRUCTURE: &[char] = &['/', '\\', '%', '?', '#', ';'];

/// The reason that a path matches no route; the message is for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// No pattern matches.
    #[error("There is no such address in the Ownchat API.")]
    Unknown,
    /// The path ends with a slash or has two in a row.
    #[error("The path ends with a slash or has two in a row. Remove the slash that is too many.")]
    EmptySegment,
    /// A segment consists of dots alone.
    #[error("The path holds a segment of dots alone. Send the path without it.")]
    Dots,
    /// An escaped character could be read as path structure.
    #[error("An id in the path may hold any character but / \\ % ? # ; and control characters.")]
    Structure,
    /// An escaped letter, digit, dot, hyphen or underscore: servers disagree on its equivalence to
    /// the plain character.
    #[error("The path escapes a letter, digit, dot, hyphen or underscore. Send it as it is.")]
    NeedlessEscape,
    /// An escape lacks two hexadecimal digits, or the bytes are not UTF-8.
    #[error("The path holds a % that does not begin a character in UTF-8. Write % followed by two hexadecimal digits.")]
    Escape,
    /// A character must be percent-encoded.
    #[error("The path holds a character that must be percent-encoded.")]
    Unescaped,
    /// The path is longer than [`PATH_MAX`].
    #[error("The path is longer than {PATH_MAX} bytes.")]
    TooLong,
}

/// Splits a path without its query into decoded segments.
pub fn segments(path: &str) -> Result<Vec<Cow<'_, str>>, NoRoute> {
    if path.len() > PATH_MAX {
        return Err(NoRoute::TooLong);
    }
    path.strip_prefix('/').ok_or(NoRoute::Unknown)?.split('/').map(decode).collect()
}

/// Percent-decodes one segment.
pub fn decode(segment: &str) -> Result<Cow<'_, str>, NoRoute> {
    if segment.is_empty() {
        return Err(NoRoute::EmptySegment);
    }
    if segment.bytes().all(|byte| byte == b'.') {
        return Err(NoRoute::Dots);
    }
    let mut rest = segment;
    while let Some(at) = rest.find(|character: char| !is_plain(character)) {
        // RFC 3986 requires an escape here. Servers that decode before they route do not agree
        // about it.
        let (_, tail) = rest.split_at(at);
        let escape = tail.strip_prefix('%').ok_or(NoRoute::Unescaped)?;
        let digits = escape.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(NoRoute::Escape)?;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            return Err(NoRoute::NeedlessEscape);
        }
        rest = escape.get(2..).unwrap_or_default();
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| NoRoute::Escape)?;
    if decoded.contains(|character: char| character.is_control() || STRUCTURE.contains(&character)) {
        return Err(NoRoute::Structure);
    }
    Ok(decoded)
}

/// Returns true for a character that needs no escape in a segment (RFC 3986, `pchar`), without `;`.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_an_email_a_phone_number_or_base64() {
        for (segment, id) in [
            ("c_1", "c_1"),
            ("jane%40example.com", "jane@example.com"),
            ("jane@example.com", "jane@example.com"),
            ("%2B4915123401742", "+4915123401742"),
            ("+4915123401742", "+4915123401742"),
            ("dGVzdA%3D%3D", "dGVzdA=="),
            ("dGVzdA%3d%3d", "dGVzdA=="),
            ("a%20b", "a b"),
            ("%C3%A4", "ä"),
            ("%7Eada", "~ada"),
            ("urn:x:1", "urn:x:1"),
        ] {
            assert_eq!(decode(segment).as_deref(), Ok(id), "{segment}");
        }
    }

    #[test]
    fn an_escape_that_could_change_the_path_is_refused() {
        for (segment, error) in [
            ("", NoRoute::EmptySegment),
            ("..", NoRoute::Dots),
            ("%2e%2e", NoRoute::NeedlessEscape),
            (".%2E", NoRoute::NeedlessEscape),
            ("ex%70ort", NoRoute::NeedlessEscape),
            ("a%2fb", NoRoute::Structure),
            ("a%5Cb", NoRoute::Structure),
            ("a%252fb", NoRoute::Structure),
            ("a%3Fb", NoRoute::Structure),
            ("a%23b", NoRoute::Structure),
            ("a%3Bb", NoRoute::Structure),
            ("a%00", NoRoute::Structure),
            ("a%0A", NoRoute::Structure),
            ("a%7F", NoRoute::Structure),
            ("%C2%85", NoRoute::Structure),
            ("a%", NoRoute::Escape),
            ("a%4", NoRoute::Escape),
            ("a%zz", NoRoute::Escape),
            ("a%+1", NoRoute::Escape),
            ("%ff", NoRoute::Escape),
            ("%C3", NoRoute::Escape),
            ("a b", NoRoute::Unescaped),
            ("ä", NoRoute::Unescaped),
            ("a;b", NoRoute::Unescaped),
            ("a\\b", NoRoute::Unescaped),
            ("{id}", NoRoute::Unescaped),
        ] {
            assert_eq!(decode(segment), Err(error), "{segment}");
        }
    }

    #[test]
    fn a_slash_too_many_is_named() {
        for path in ["/v1/contacts/", "/v1//contacts", "//v1"] {
            assert_eq!(segments(path), Err(NoRoute::EmptySegment), "{path}");
        }
        assert_eq!(segments("v1"), Err(NoRoute::Unknown));
        assert_eq!(segments(&format!("/{}", "a".repeat(PATH_MAX))), Err(NoRoute::TooLong));
    }
}
