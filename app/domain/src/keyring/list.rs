//! Parses the text of `MASTER_KEYS`, and retires an older secret in it.

use super::{KeyringError, LABELS, MIN_SECRET_BYTES, derived};
use base64::{Engine, engine::general_purpose::STANDARD};
use core::fmt::Write;

/// Remaining use of an older secret, once no record is sealed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Recognises locators that were tagged with it: every key created under it.
    Locator,
    /// Recognises secrets of keys whose digests were peppered with it.
    Pepper,
}

impl Use {
    /// Returns the suffix in the list.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locator => "locator",
            Self::Pepper => "pepper",
        }
    }

    /// Parses a suffix.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Locator, Self::Pepper].into_iter().find(|left| left.as_str() == word)
    }
}

/// One entry of `MASTER_KEYS`.
pub(super) struct MasterKeysEntry {
    pub id: u16,
    /// Remaining use of the secret; `None` if it is whole.
    pub left: Option<Use>,
    /// Master secret, or the one derived key that is left of it.
    pub secret: Vec<u8>,
}

pub(super) fn parse(list: &str) -> Result<Vec<MasterKeysEntry>, KeyringError> {
    let mut entries: Vec<MasterKeysEntry> = Vec::new();
    for (index, text) in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
        let wrong = || KeyringError::Entry(index + 1);
        let (name, secret) = text.split_once(':').ok_or_else(wrong)?;
        let (id, left) = match name.split_once('/') {
            Some((id, word)) => (id, Some(Use::parse(word).ok_or_else(wrong)?)),
            None => (name, None),
        };
        let id: u16 = id.parse().map_err(|_| wrong())?;
        let secret = STANDARD.decode(secret).ok().filter(|secret| secret.len() >= MIN_SECRET_BYTES);
        let secret = secret.ok_or(KeyringError::Secret(index + 1))?;
        let again =
            |other: &MasterKeysEntry| other.id == id && (other.left == left || other.left.is_none() || left.is_none());
        if entries.iter().any(again) {
            return Err(KeyringError::Duplicate(id));
        }
        entries.push(MasterKeysEntry { id, left, secret });
    }
    Ok(entries)
}

/// Reason that a secret cannot be retired.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetireError {
    /// The list is invalid.
    #[error(transparent)]
    List(#[from] KeyringError),
    /// No entry has this id.
    #[error("MASTER_KEYS has no entry with the id {0}")]
    Absent(u16),
    /// The secret is the newest, which writes.
    #[error("the secret {0} is the newest: everything is written with it; add one with a greater id first")]
    Newest(u16),
    /// A derived key to keep is already gone.
    #[error("of the secret {0} no {1} key is left")]
    Gone(u16, &'static str),
}

/// Returns the list without the secret `id`, except for the derived keys to `keep`.
///
/// # Errors
///
/// Returns the reason that the secret cannot be retired.
pub fn retire(list: &str, id: u16, keep: &[Use]) -> Result<String, RetireError> {
    let entries = parse(list)?;
    if !entries.iter().any(|entry| entry.id == id) {
        return Err(RetireError::Absent(id));
    }
    if entries.iter().all(|entry| entry.id <= id) {
        return Err(RetireError::Newest(id));
    }
    let mut kept = String::new();
    let mut write = |name: &str, secret: &[u8]| {
        let divider = if kept.is_empty() { "" } else { "," };
        let _ = write!(kept, "{divider}{name}:{}", STANDARD.encode(secret));
    };
    for entry in entries.iter().filter(|entry| entry.id != id) {
        let left = entry.left.map(|left| format!("/{}", left.as_str())).unwrap_or_default();
        write(&format!("{}{left}", entry.id), &entry.secret);
    }
    for left in [Use::Locator, Use::Pepper].into_iter().filter(|left| keep.contains(left)) {
        let entry = entries.iter().find(|entry| entry.id == id && entry.left.is_none_or(|other| other == left));
        let entry = entry.ok_or(RetireError::Gone(id, left.as_str()))?;
        let [locator, pepper, _] = LABELS;
        let label = match left {
            Use::Locator => locator,
            Use::Pepper => pepper,
        };
        let name = format!("{id}/{}", left.as_str());
        match entry.left {
            None => write(&name, &derived(&entry.secret, label)),
            Some(_) => write(&name, &entry.secret),
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    #[test]
    fn the_secret_itself_does_not_stay() {
        let list = format!("1:{A},2:{B}");
        let kept = retire(&list, 1, &[Use::Pepper, Use::Locator]).unwrap();
        assert!(kept.starts_with(&format!("2:{B},1/locator:")) && kept.contains(",1/pepper:"), "{kept}");
        assert!(!kept.contains(A));
        assert_eq!(retire(&kept, 1, &[Use::Locator, Use::Pepper]), Ok(kept.clone()), "again changes nothing");
        assert_eq!(retire(&list, 1, &[]), Ok(format!("2:{B}")));
    }

    #[test]
    fn a_refused_retirement_says_why() {
        let list = format!("1:{A},2:{B}");
        assert_eq!(retire(&list, 3, &[]), Err(RetireError::Absent(3)));
        assert_eq!(retire(&list, 2, &[]), Err(RetireError::Newest(2)));
        assert_eq!(retire("x", 2, &[]), Err(RetireError::List(KeyringError::Entry(1))));
        let locators = retire(&list, 1, &[Use::Locator]).unwrap();
        assert_eq!(retire(&locators, 1, &[Use::Pepper]), Err(RetireError::Gone(1, "pepper")));
    }
}
