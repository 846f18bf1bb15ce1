//! Every address of the console: the one place where they are written.

use ownchat_domain::{locator::Locator, time::Timestamp};

/// The overview.
pub const HOME: &str = "/";
/// Makes the first owner.
pub const SETUP: &str = "/setup";
/// Signs in.
pub const SIGN_IN: &str = "/sign-in";
/// Signs out, by `POST`.
pub const SIGN_OUT: &str = "/sign-out";
/// The settings.
pub const SETTINGS: &str = "/settings";
/// The list of keys.
pub const KEYS: &str = "/settings/developer/api-keys";
/// Makes a key.
pub const NEW_KEY: &str = "/settings/developer/api-keys/new";
/// Explains the error codes.
pub const ERRORS: &str = ownchat_domain::problem::PAGE;

/// One key, to look at and edit.
pub fn key(id: Locator) -> String {
    format!("{KEYS}/{id}")
}

/// Makes a key like another one.
pub fn duplicate_key(id: Locator) -> String {
    format!("{NEW_KEY}?from={id}")
}

/// Switches a key off or on, by `POST`.
pub fn key_status(id: Locator) -> String {
    format!("{KEYS}/{id}/status")
}

/// Asks before a key is deleted.
pub fn delete_key(id: Locator) -> String {
    format!("{KEYS}/{id}/delete")
}

/// The list, with a word about what was just done, and from when on it holds everywhere.
pub fn keys_after(done: Done, effective_at: Option<Timestamp>) -> String {
    let since = effective_at.map(|at| format!("&since={}", at.millis())).unwrap_or_default();
    format!("{KEYS}?done={}{since}", done.as_str())
}

/// The sign-in page, which leads back to `next`.
pub fn sign_in_then(next: &str) -> String {
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    if next == HOME { SIGN_IN.to_owned() } else { format!("{SIGN_IN}?{query}") }
}

/// Whether an address that came with a request leads to a page of ours and nowhere else.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 500
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// What was just done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was switched off.
    Deactivated,
    /// It was switched on.
    Activated,
    /// It was switched on, and its time is over.
    ActivatedTooLate,
    /// It was edited.
    Saved,
    /// It was deleted.
    Deleted,
}

impl Done {
    const ALL: [Self; 5] = [Self::Deactivated, Self::Activated, Self::ActivatedTooLate, Self::Saved, Self::Deleted];

    /// The word that stands in the address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Activated => "activated",
            Self::ActivatedTooLate => "activated-too-late",
            Self::Saved => "saved",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.as_str() == word)
    }

    /// What people are told.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Deactivated => "The key is deactivated.",
            Self::Activated => "The key is active again.",
            Self::ActivatedTooLate => {
                "The key is switched on, but its expiry has passed. Edit its expiry to make it work again."
            }
            Self::Saved => "The changes are saved.",
            Self::Deleted => "The key is deleted. It can be restored for 30 days.",
        }
    }
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
    fn words_are_read_as_they_were_written() {
        for done in Done::ALL {
            assert_eq!(Done::parse(done.as_str()), Some(done));
        }
        assert_eq!(Done::parse("x"), None);
    }
}
