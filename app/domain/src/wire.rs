//! Binary layouts: one byte with the version of the layout, then the value in postcard.
//!
//! All bytes that Workers store or send in a binary form are made here. Only a sealed record also
//! has a master id and a MAC.

use core::fmt;
use serde::{Serialize, de::DeserializeOwned};

/// A reason for which bytes are not read, or a value is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// There is no byte.
    Empty,
    /// The layout is unknown: of a later version, or no layout at all.
    Layout(u8),
    /// The body is not a value of its layout, or exceeds a limit.
    Body,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no bytes"),
            Self::Layout(layout) => write!(f, "unknown layout {layout}"),
            Self::Body => f.write_str("malformed body"),
        }
    }
}

impl core::error::Error for WireError {}

/// Serialises a value after these bytes, which begin with its layout.
///
/// # Errors
///
/// Fails if the value cannot be serialised, which no value of ours does.
pub fn append(head: Vec<u8>, value: &impl Serialize) -> Result<Vec<u8>, WireError> {
    postcard::to_extend(value, head).map_err(|_| WireError::Body)
}

/// Serialises a value in its layout.
///
/// # Errors
///
/// As [`append`].
pub fn encode(layout: u8, value: &impl Serialize) -> Result<Vec<u8>, WireError> {
    append(vec![layout], value)
}

/// Splits bytes into layout and body, for a type with several layouts.
///
/// # Errors
///
/// Fails if there is no byte.
pub fn split(bytes: &[u8]) -> Result<(u8, &[u8]), WireError> {
    bytes.split_first().map(|(layout, body)| (*layout, body)).ok_or(WireError::Empty)
}

/// Parses a body.
///
/// # Errors
///
/// Fails if it is not such a value.
pub fn body<T: DeserializeOwned>(body: &[u8]) -> Result<T, WireError> {
    postcard::from_bytes(body).map_err(|_| WireError::Body)
}

/// Parses bytes of [`encode`].
///
/// # Errors
///
/// Fails if they have another layout or are not such a value.
pub fn decode<T: DeserializeOwned>(layout: u8, bytes: &[u8]) -> Result<T, WireError> {
    match split(bytes)? {
        (found, rest) if found == layout => body(rest),
        (found, _) => Err(WireError::Layout(found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bytes_name_their_error() {
        let bytes = encode(7, &(300u32, "a")).unwrap();
        assert_eq!(bytes, [7, 0xac, 2, 1, b'a']);
        let decode = |bytes: &[u8]| decode::<(u32, String)>(7, bytes);
        assert_eq!(decode(&bytes), Ok((300, "a".to_owned())));
        assert_eq!(decode(&[]), Err(WireError::Empty));
        assert_eq!(decode(&[8, 0xac, 2, 1, b'a']), Err(WireError::Layout(8)));
        assert_eq!(decode(&bytes[..4]), Err(WireError::Body));
    }
}
