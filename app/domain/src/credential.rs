//! Credentials of a request: reads the API key headers and writes `WWW-Authenticate` challenges.

use crate::{
    scope::ScopeSet,
    verdict::{Code, Denial},
};

/// Headers that can carry a key. None of them is ever forwarded.
pub const HEADERS: [&str; 2] = ["authorization", "x-api-key"];

/// The credential in a request's headers.
#[derive(Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// No key.
    None,
    /// `Authorization` is not `Bearer KEY`, for this reason, and `X-Api-Key` is absent.
    Refused(Denial),
    /// One key, not parsed yet.
    One(&'a str),
    /// More than one key, or a repeated header.
    Ambiguous,
}

/// Reads the two headers.
///
/// The platform joins a repeated header with a comma, which no key contains. `Authorization` counts
/// only with the scheme `Bearer` (RFC 6750), in any case (RFC 9110, section 11.1).
pub fn read<'a>(authorization: Option<&'a str>, api_key: Option<&'a str>) -> Credential<'a> {
    let authorization = authorization.map(str::trim).filter(|value| !value.is_empty()).map(bearer);
    match (authorization, api_key.map(str::trim)) {
        (None, None) => Credential::None,
        (Some(Err(denial)), None) => Credential::Refused(denial),
        (Some(Ok(key)), None) | (None | Some(Err(_)), Some(key)) => {
            if key.contains(',') {
                Credential::Ambiguous
            } else if key.is_empty() {
                Credential::None
            } else {
                Credential::One(key)
            }
        }
        (Some(Ok(_)), Some(_)) => Credential::Ambiguous,
    }
}

/// Returns the `WWW-Authenticate` challenge of a refusal (RFC 6750, section 3).
///
/// The challenge has no error code if the request carried no key. It names the required scopes if
/// the key lacks some.
pub fn challenge(code: Code, required: ScopeSet) -> Option<String> {
    match code {
        Code::MissingKey => Some(REALM.to_owned()),
        Code::ScopeMissing => {
            Some(format!("{REALM}, error=\"insufficient_scope\", scope=\"{}\"", required.joined(" ")))
        }
        // The key is valid, and no scope would help.
        Code::AddressForbidden | Code::ChannelForbidden | Code::WorkspaceSuspended => {
            Some(format!("{REALM}, error=\"insufficient_scope\""))
        }
        Code::MalformedKey | Code::UnknownKey | Code::Inactive | Code::NotYetValid | Code::Expired => {
            Some(format!("{REALM}, error=\"invalid_token\""))
        }
        Code::Valid | Code::NotForwarded | Code::RateLimited | Code::QuotaExceeded | Code::Unavailable => None,
    }
}

/// Returns the challenge for a request with more than one key (RFC 6750, section 3.1).
pub fn ambiguous_challenge() -> String {
    format!("{REALM}, error=\"invalid_request\"")
}

/// Scheme and realm of every challenge.
const REALM: &str = "Bearer realm=\"Ownchat\"";

/// Returns the key after the scheme and a space (RFC 9110, section 11.4).
fn bearer(value: &str) -> Result<&str, Denial> {
    const SCHEME: &str = "bearer";
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(SCHEME) => {
            if key.is_empty() || key.starts_with(' ') {
                Ok(key.trim())
            } else {
                Err(Denial::NoSpace)
            }
        }
        _ => Err(Denial::OtherScheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scopes;

    #[test]
    fn challenges_follow_rfc_6750() {
        let none = ScopeSet::EMPTY;
        for (code, required, expected) in [
            (Code::MissingKey, none, Some("Bearer realm=\"Ownchat\"")),
            (Code::Expired, none, Some("Bearer realm=\"Ownchat\", error=\"invalid_token\"")),
            (
                Code::ScopeMissing,
                scopes(&["messages:send", "contacts:read"]),
                Some("Bearer realm=\"Ownchat\", error=\"insufficient_scope\", scope=\"contacts:read messages:send\""),
            ),
            (Code::ChannelForbidden, none, Some("Bearer realm=\"Ownchat\", error=\"insufficient_scope\"")),
            (Code::RateLimited, none, None),
            (Code::Unavailable, none, None),
        ] {
            assert_eq!(challenge(code, required).as_deref(), expected);
        }
    }

    #[test]
    fn a_call_carries_one_key_in_one_header() {
        for (authorization, api_key, expected) in [
            (None, None, Credential::None),
            (Some("Bearer k"), None, Credential::One("k")),
            (Some("bearer  k "), None, Credential::One("k")),
            (None, Some(" k "), Credential::One("k")),
            (Some("Basic dTpw"), None, Credential::Refused(Denial::OtherScheme)),
            (Some("Token k"), Some(""), Credential::None),
            (Some("Basic dTpw"), Some("k"), Credential::One("k")),
            (Some("Bearer"), None, Credential::None),
            (Some("Bearer "), None, Credential::None),
            (Some("k"), None, Credential::Refused(Denial::OtherScheme)),
            (Some("Bearer\tk"), None, Credential::Refused(Denial::NoSpace)),
            (Some("bearerk"), None, Credential::Refused(Denial::NoSpace)),
            (Some("Bearer: k"), None, Credential::Refused(Denial::NoSpace)),
            (Some("Beäre k"), None, Credential::Refused(Denial::OtherScheme)),
            (Some("Bearer\t"), None, Credential::None),
            (Some("Bearer \tk"), None, Credential::One("k")),
            (Some("Bearerk"), Some("k"), Credential::One("k")),
            (Some(" "), None, Credential::None),
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
