//! Builds the URLs of the pages, and validates URLs that come with a request.

use ownchat_domain::locator::Locator;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// The overview.
pub const HOME: &str = "/";
/// Creates the first owner.
pub const SETUP: &str = "/setup";
/// Signs in.
pub const SIGN_IN: &str = "/sign-in";
/// Signs out, by `POST`.
pub const SIGN_OUT: &str = "/sign-out";
/// The settings.
pub const SETTINGS: &str = "/settings";
/// The list of keys.
pub const KEYS: &str = "/settings/developer/api-keys";
/// Creates a key.
pub const NEW_KEY: &str = "/settings/developer/api-keys/new";
/// The user documentation: static pages, built from `app/docs`.
pub const DOCS: &str = "/docs";

/// Shows and edits a key.
pub fn key(id: Locator) -> String {
    format!("{KEYS}/{id}")
}

/// Duplicates a key.
pub fn duplicate_key(id: Locator) -> String {
    format!("{NEW_KEY}?from={id}")
}

/// Activates or deactivates a key, by `POST`.
pub fn key_status(id: Locator) -> String {
    format!("{KEYS}/{id}/status")
}

/// Asks for confirmation, and deletes a key.
pub fn delete_key(id: Locator) -> String {
    format!("{KEYS}/{id}/delete")
}

/// Asks for confirmation, rotates a key and shows it once.
pub fn rotate_key(id: Locator) -> String {
    format!("{KEYS}/{id}/rotate")
}

/// Restores a deleted key, by `POST`.
pub fn restore_key(id: Locator) -> String {
    format!("{KEYS}/{id}/restore")
}

/// Adds the URL to return to as a query parameter, unless it is the plain list of keys.
pub fn with_back(path: String, back: &str) -> String {
    if back == KEYS {
        return path;
    }
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}back={}", encoded(back))
}

/// Validates the URL to return to. Accepts the list with any query, or the page of one key. Any
/// other URL becomes the list.
pub fn back(named: &str) -> &str {
    let path = named.split('?').next().unwrap_or_default();
    let is_key = || path.strip_prefix(KEYS).and_then(|rest| rest.strip_prefix('/')).is_some_and(is_locator);
    if is_local(named) && !named.contains('#') && (path == KEYS || is_key()) { named } else { KEYS }
}

fn is_locator(text: &str) -> bool {
    text.parse::<Locator>().is_ok()
}

/// Returns true if a URL from [`back`] is the list.
fn is_list(back: &str) -> bool {
    back.split('?').next() == Some(KEYS)
}

/// Adds the fragment of a key's row if `back` is the list.
pub fn at_row(back: &str, id: Locator) -> String {
    if is_list(back) { format!("{back}#{}", row(id)) } else { back.to_owned() }
}

/// Returns the HTML id of a key's row in the list.
pub fn row(id: Locator) -> String {
    format!("key-{id}")
}

/// Returns the URL of the sign-in page, which redirects to `next`.
pub fn sign_in_then(next: &str) -> String {
    if next == HOME { SIGN_IN.to_owned() } else { format!("{SIGN_IN}?next={}", encoded(next)) }
}

/// Maximum bytes of a URL that comes with a request. Leaves room for a search, percent-encoded.
const LENGTH_MAX: usize = 4_000;

/// Returns true if a URL from a request leads to a page of this host. Prevents open redirects.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= LENGTH_MAX
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Characters that are encoded in a value of a query (WHATWG URL,
/// `application/x-www-form-urlencoded`).
const IN_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// Encodes a value of a query. The browser links this instead of the whole form encoder.
fn encoded(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, IN_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_led_to() {
        for good in ["/", "/settings", "/settings/developer/api-keys?q=a"] {
            assert!(is_local(good), "{good}");
        }
        for bad in ["", "settings", "//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "/ä"] {
            assert!(!is_local(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_visitor_is_led_back() {
        assert_eq!(sign_in_then("/"), "/sign-in");
        assert_eq!(sign_in_then("/settings?a=b&c"), "/sign-in?next=%2Fsettings%3Fa%3Db%26c");
    }

    #[test]
    fn the_way_back_is_a_page_about_keys() {
        let key = format!("{KEYS}/0123456789abcdef");
        for good in [KEYS.to_owned(), format!("{KEYS}?q=a&cursor=00000z"), key.clone(), format!("{key}?back=%2Fx")] {
            assert_eq!(back(&good), good);
        }
        for bad in [
            String::new(),
            "/".to_owned(),
            "/sign-out".to_owned(),
            "//evil.example".to_owned(),
            format!("https://evil.example{KEYS}"),
            format!("//evil.example{KEYS}"),
            format!("{KEYS}/0123456789abcdef/delete"),
            format!("{KEYS}/../../sign-out"),
            format!("{KEYS}x"),
            format!("{KEYS}?q=a#b"),
            format!("{KEYS}?q={}", "a".repeat(LENGTH_MAX)),
        ] {
            assert_eq!(back(&bad), KEYS, "{bad}");
        }
    }

    #[test]
    fn a_page_names_the_way_back_unless_it_is_the_plain_list() {
        assert_eq!(with_back("/x".into(), KEYS), "/x");
        assert_eq!(with_back("/x".into(), "/l?q=a&b"), "/x?back=%2Fl%3Fq%3Da%26b");
        assert_eq!(with_back("/x?a=b".into(), "/l"), "/x?a=b&back=%2Fl");
    }
}
