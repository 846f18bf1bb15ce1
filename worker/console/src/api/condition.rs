//! Which version of a thing somebody has seen who changes it (RFC 9110, section 13.1.1).

use axum::http::{HeaderMap, header::IF_MATCH};
use ownchat_domain::{
    key::version_of_etag,
    problem::{Kind, PRECONDITION_REQUIRED, STALE},
};

/// The version that `If-Match` names: one, as it was shown.
///
/// # Errors
///
/// 428 if it names none, any (`*`) or several, since then nobody knows what was seen; 412 if it is none of our
/// entity tags.
pub fn seen(headers: &HeaderMap) -> Result<u64, &'static Kind> {
    let mut tags = headers.get_all(IF_MATCH).iter();
    match (tags.next().map(|tag| tag.to_str().unwrap_or_default().trim()), tags.next()) {
        (None | Some("*"), _) | (_, Some(_)) => Err(&PRECONDITION_REQUIRED),
        (Some(tag), None) => match version_of_etag(tag) {
            Some(version) => Ok(version),
            None if tag.contains(',') => Err(&PRECONDITION_REQUIRED),
            None => Err(&STALE),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn seen_in(tags: &[&'static str]) -> Result<u64, u16> {
        let tags = tags.iter().map(|tag| (IF_MATCH, HeaderValue::from_static(tag)));
        seen(&tags.collect()).map_err(|kind| kind.status)
    }

    #[test]
    fn one_version_is_named() {
        assert_eq!(seen_in(&["\"7\""]), Ok(7));
        for unclear in [&[][..], &["*"], &["\"7\", \"8\""], &["\"7\"", "\"8\""], &["*", "\"8\""]] {
            assert_eq!(seen_in(unclear), Err(428), "{unclear:?}");
        }
        for other in ["W/\"7\"", "7", "\"x\"", ""] {
            assert_eq!(seen_in(&[other]), Err(412), "{other:?}");
        }
    }
}
