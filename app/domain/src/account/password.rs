//! Passwords: strength rules, and normalisation before hashing.

use core::fmt;
use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use zeroize::Zeroizing;

/// Minimum characters of a password (NIST SP 800-63B; ASVS 6.2.1).
///
/// More characters are advised, not required.
pub const PASSWORD_MIN: usize = 8;
/// Maximum bytes of a password. Longer input would only keep the hash function busy.
pub const PASSWORD_MAX_BYTES: usize = 1024;

/// The 3,000 most frequent passwords in published breaches (ASVS 6.2.4).
///
/// Each has at least [`PASSWORD_MIN`] characters. The list is in lower case, sorted by bytes.
static COMMON: &str = include_str!("common_passwords.txt");

/// A plain-text password before hashing. It cannot be printed or serialised.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Returns the plain text as typed.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the plain text in the form to hash: NFC with ASCII spaces (RFC 8265, section 4.2).
    ///
    /// Keyboards differ in how they encode an umlaut.
    pub fn normalised(&self) -> Zeroizing<String> {
        let space = |character: char| if is_other_space(character) { ' ' } else { character };
        Zeroizing::new(self.0.chars().map(space).nfc().collect())
    }

    /// Returns true if the text is already in normalised form.
    pub fn is_normalised(&self) -> bool {
        is_nfc(&self.0) && !self.0.contains(is_other_space)
    }

    /// Returns true for 1 to [`PASSWORD_MAX_BYTES`] bytes. Callers check this before hashing.
    pub fn is_plausible(&self) -> bool {
        !self.0.is_empty() && self.0.len() <= PASSWORD_MAX_BYTES
    }

    /// Checks a new password. `known` holds texts about the person that others know.
    ///
    /// # Errors
    ///
    /// Returns the fault and its fix, as a sentence for people.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), String> {
        let text = self.normalised();
        if text.chars().count() < PASSWORD_MIN {
            return Err(format!("Choose at least {PASSWORD_MIN} characters. A few random words work best."));
        }
        if self.0.len() > PASSWORD_MAX_BYTES {
            return Err(format!("At most {PASSWORD_MAX_BYTES} bytes are possible."));
        }
        let lower = Zeroizing::new(text.to_lowercase());
        let is_one_character = lower.chars().all(|character| lower.starts_with(character));
        if is_one_character || is_common(&lower) {
            return Err("Attackers try this password first. Choose another: a few random words work best.".into());
        }
        // Compares whole texts: "ada" in a long sentence does no harm.
        if known.iter().any(|known| known.trim().to_lowercase() == *lower) {
            return Err(
                "This is also your name, email or business. Choose something that others don't know about you.".into(),
            );
        }
        Ok(())
    }
}

/// Returns true for a space (Unicode category Zs) other than the ASCII one.
const fn is_other_space(character: char) -> bool {
    character.is_whitespace() && !matches!(character, '\0'..='\x7f' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns true for a frequent password, also with digits or punctuation appended.
fn is_common(lower: &str) -> bool {
    let list: Vec<&str> = COMMON.lines().collect();
    let bare = lower.trim_end_matches(|character: char| !character.is_alphabetic());
    [lower, bare].iter().any(|text| list.binary_search(text).is_ok())
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_a_length_and_are_not_the_first_that_are_tried() {
        let known = ["Ada Lovelace", "ada@example.com", "Analytical Engines"];
        for (password, good) in [
            ("1234567", false),
            ("12345678", false),
            ("password", false),
            ("Password", false),
            ("password1", false),
            ("Password2026!", false),
            ("aaaaaaaaaaaa", false),
            ("trustno1", false),
            ("ada@example.com", false),
            ("ADA LOVELACE", false),
            ("analytical engines", false),
            ("Ada Lovelace wrote a note", true),
            ("my password is long", true),
            ("ünïcödé!", true),
            ("with spaces and \0 too", true),
            (&"xy".repeat(512), true),
            (&format!("{}z", "xy".repeat(512)), false),
        ] {
            assert_eq!(Password::from(password.to_owned()).check(&known).is_ok(), good, "{password}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_has_no_password_below_the_minimum() {
        let list: Vec<&str> = COMMON.lines().collect();
        assert_eq!(list.len(), 3_000);
        assert!(list.is_sorted());
        assert!(list.iter().all(|password| password.len() >= PASSWORD_MIN && password.to_lowercase() == **password));
    }

    #[test]
    fn one_password_has_one_form_however_it_was_typed() {
        let composed = Password::from("b\u{fc}cher und mehr".to_owned());
        let decomposed = Password::from("bu\u{308}cher\u{a0}und\u{3000}mehr".to_owned());
        assert_eq!(composed.normalised(), decomposed.normalised());
        assert!(composed.is_normalised() && !decomposed.is_normalised());
        // Normalisation changes nothing else.
        for text in [" two  spaces ", "tab\tand line\n", "\u{fb01}ligature"] {
            assert_eq!(*Password::from(text.to_owned()).normalised(), text);
        }
    }
}
