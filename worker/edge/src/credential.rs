//! The key that came with a call: in one header, once.

/// Names of the headers in which a key may come; none of them is ever passed on.
pub const HEADERS: [&str; 2] = ["authorization", "x-api-key"];

/// What the headers of a call hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// No key.
    None,
    /// One key, still unread.
    One(&'a str),
    /// More than one, or one that was sent twice.
    Ambiguous,
}

/// Reads the two headers. The platform joins a header that was sent twice with a comma, which no key holds.
///
/// `Authorization` counts only with the scheme `Bearer` (RFC 6750), in any case (RFC 9110, section 11.1).
pub fn read<'a>(authorization: Option<&'a str>, api_key: Option<&'a str>) -> Credential<'a> {
    match (authorization.and_then(bearer), api_key.map(str::trim)) {
        (None, None) => Credential::None,
        (Some(key), None) | (None, Some(key)) => {
            if key.contains(',') {
                Credential::Ambiguous
            } else if key.is_empty() {
                Credential::None
            } else {
                Credential::One(key)
            }
        }
        (Some(_), Some(_)) => Credential::Ambiguous,
    }
}

fn bearer(value: &str) -> Option<&str> {
    let value = value.trim();
    let (scheme, key) = value.split_once(' ').unwrap_or((value, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_carries_one_key_in_one_header() {
        for (authorization, api_key, expected) in [
            (None, None, Credential::None),
            (Some("Bearer k"), None, Credential::One("k")),
            (Some("bearer  k "), None, Credential::One("k")),
            (None, Some(" k "), Credential::One("k")),
            (Some("Basic dTpw"), None, Credential::None),
            (Some("Basic dTpw"), Some("k"), Credential::One("k")),
            (Some("Bearer"), None, Credential::None),
            (Some("Bearer "), None, Credential::None),
            (Some("k"), None, Credential::None),
            (None, Some(""), Credential::None),
            (Some("Bearer k"), Some("k"), Credential::Ambiguous),
            (Some("Bearer"), Some("k"), Credential::Ambiguous),
            (Some("Bearer k"), Some(""), Credential::Ambiguous),
            (Some("Bearer k, Bearer k"), None, Credential::Ambiguous),
            (None, Some("k, l"), Credential::Ambiguous),
        ] {
            assert_eq!(read(authorization, api_key), expected, "{authorization:?} {api_key:?}");
        }
    }
}
