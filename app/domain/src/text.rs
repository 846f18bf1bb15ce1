//! Validation of short user-supplied texts: trimmed, measured in grapheme clusters, and free of
//! invisible characters and of API keys.

mod invisible;
mod search;

pub use crate::token::holds_key;
pub use search::{fold, search_words};

use invisible::{is_mark, stray};
use unicode_segmentation::UnicodeSegmentation;

/// Maximum bytes per grapheme cluster, averaged over a text. A family of four takes 25.
const BYTES_PER_CHARACTER: usize = 32;

/// Error message for a text that contains a whole API key.
pub const HOLDS_KEY: &str = "This looks like an API key. Never write one here.";

/// Validates a single line of 1 to `max` grapheme clusters and trims it.
///
/// # Errors
///
/// Returns a message for people.
pub fn line(text: &str, max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("This cannot be empty.".into());
    }
    if text.chars().any(|c| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')) {
        return Err("This holds a line break; write it in one line.".into());
    }
    if let Some(found) = stray(text) {
        return Err(found.to_string());
    }
    if text.chars().all(|c| c.is_whitespace() || is_mark(c)) {
        return Err("This would look empty: it holds marks alone, without a letter under them.".into());
    }
    within(text, max)
}

/// Validates text of any number of lines, 0 to `max` grapheme clusters, and trims it.
///
/// # Errors
///
/// Returns a message for people.
pub fn paragraph(text: &str, max: usize) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if let Some(found) = text.split(['\n', '\t']).find_map(stray) {
        return Err(found.to_string());
    }
    within(text, max)
}

/// Returns true for a text that an earlier version accepted under fewer rules. Later rules must not
/// block the import of a workspace whose file holds such a text.
pub fn is_kept(text: &str, max: usize) -> bool {
    let is_refused = |c: char| match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => true,
        _ => c.is_control(),
    };
    text.trim() == text && !text.chars().any(is_refused) && text.graphemes(true).count() <= max
}

/// Returns the ending of a regular noun after a count.
pub const fn plural_ending(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Returns the first `max` grapheme clusters of a text.
pub fn cut(text: &str, max: usize) -> &str {
    text.grapheme_indices(true).nth(max).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn within(text: &str, max: usize) -> Result<String, String> {
    if holds_key(text) {
        return Err(HOLDS_KEY.into());
    }
    let length = text.graphemes(true).count();
    if length > max {
        return Err(format!("This has {length} characters; at most {max} are possible."));
    }
    let most = max * BYTES_PER_CHARACTER;
    if text.len() > most {
        return Err(format!("This takes {} bytes; at most {most} are possible.", text.len()));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: &str = "👨‍👩‍👧‍👦";

    #[test]
    fn lines_are_trimmed_and_bounded() {
        assert_eq!(line("  Shop sync ", 100), Ok("Shop sync".into()));
        assert_eq!(line("日本語", 3), Ok("日本語".into()), "characters count, not bytes");
        assert_eq!(line("<script>alert(1)</script>", 100), Ok("<script>alert(1)</script>".into()), "text is text");
        for bad in ["", "   ", "a\nb", "a\u{2028}b", "a\0b", "a\u{202e}b", "abcd"] {
            assert!(line(bad, 3).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn characters_are_counted_as_people_see_them() {
        assert_eq!(line(&FAMILY.repeat(15), 15), Ok(FAMILY.repeat(15)));
        assert_eq!(line("e\u{301}", 1), Ok("e\u{301}".into()));
        let error = line(&FAMILY.repeat(16), 15).unwrap_err();
        assert_eq!(error, "This has 16 characters; at most 15 are possible.");
        // One letter may carry any number of combining marks.
        let error = line(&format!("e{}", "\u{301}".repeat(100)), 3).unwrap_err();
        assert_eq!(error, "This takes 201 bytes; at most 96 are possible.");
    }

    #[test]
    fn a_cut_is_between_characters_as_people_see_them() {
        assert_eq!(cut(&FAMILY.repeat(3), 2), FAMILY.repeat(2));
        assert_eq!(cut("e\u{301}e\u{301}", 1), "e\u{301}");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("", 3), "");
    }

    #[test]
    fn paragraphs_keep_their_lines() {
        assert_eq!(paragraph(" one\r\ntwo\tthree ", 100), Ok("one\ntwo\tthree".into()));
        assert_eq!(paragraph("", 100), Ok(String::new()));
        for bad in ["a\0b", "a\u{200b}b", "abcd"] {
            assert!(paragraph(bad, 3).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn invisible_characters_are_refused_by_name() {
        for (text, name) in [
            ("\u{200b}", "U+200B ZERO WIDTH SPACE"),
            ("zero\u{200b}width", "U+200B ZERO WIDTH SPACE"),
            ("soft\u{ad}hyphen", "U+00AD SOFT HYPHEN"),
            ("\u{3164}", "U+3164 HANGUL FILLER"),
            ("\u{2800}\u{2800}", "U+2800 BRAILLE PATTERN BLANK"),
            ("a\u{202e}b", "U+202E RIGHT-TO-LEFT OVERRIDE"),
            ("a\u{e0041}b", "U+E0041"),
            ("Lat\u{200d}in", "U+200D ZERO WIDTH JOINER"),
            ("東\u{200d}京", "U+200D ZERO WIDTH JOINER"),
            ("\u{200c}", "U+200C ZERO WIDTH NON-JOINER"),
            ("a\u{fe0f}", "U+FE0F VARIATION SELECTOR"),
            ("a\u{7}", "U+0007"),
            ("a\u{13430}b", "U+13430"),
            ("a\u{1bca0}", "U+1BCA0"),
        ] {
            for error in [line(text, 9), paragraph(text, 9)] {
                assert_eq!(error, Err(format!("This holds an invisible character: {name}.")), "{text:?}");
            }
        }
        for (text, kind) in [
            ("a\u{fdd0}", "U+FDD0, a noncharacter"),
            ("a\u{ffff}b", "U+FFFF, a noncharacter"),
            ("\u{1fffe}", "U+1FFFE, a noncharacter"),
            ("\u{e000}", "U+E000, a private use character"),
            ("a\u{f8ff}", "U+F8FF, a private use character"),
            ("\u{f0000}", "U+F0000, a private use character"),
            ("\u{10fffd}", "U+10FFFD, a private use character"),
        ] {
            let expected = format!("This holds a character that means nothing to others: {kind}.");
            for error in [line(text, 9), paragraph(text, 9)] {
                assert_eq!(error, Err(expected.clone()), "{text:?}");
            }
        }
        for marks in ["\u{301}", "\u{301} \u{5b0}", "\u{20dd}"] {
            assert!(line(marks, 9).unwrap_err().starts_with("This would look empty"), "{marks:?}");
        }
    }

    #[test]
    fn scripts_and_emoji_keep_the_joiners_that_they_need() {
        // Persian, Malayalam and Sinhala words, a heart, a keycap, and the flag of England.
        for good in [
            "می\u{200c}خواهم",
            "ന\u{d4d}\u{200d}",
            "ශ\u{dca}\u{200d}රී",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            FAMILY,
            "👩🏽‍❤️‍💋‍👨🏽",
            "葛\u{e0100}城",
            "שלום (עולם)",
            "𓉐\u{13430}𓊪",
            "�",
            "\u{378}",
        ] {
            assert_eq!(line(good, 20), Ok(good.into()), "{good:?}");
        }
    }

    #[test]
    fn no_text_takes_a_key() {
        let key = "oc_live_R68Bm6x2Wq9ZtY7R_HIwSabcdefghijklmnopqrstuvwxyz0123";
        assert!(key.len() >= 55);
        for text in [key.to_owned(), format!("Bearer {key}"), format!("my key is \"{key}\"."), format!("x{key}x")] {
            assert_eq!(line(&text, 100), Err(HOLDS_KEY.into()), "{text}");
            assert_eq!(paragraph(&format!("a\n{text}"), 500), Err(HOLDS_KEY.into()), "{text}");
        }
        for text in [key.to_uppercase(), key.to_lowercase()] {
            assert_eq!(line(&text, 100), Err(HOLDS_KEY.into()), "{text}");
        }
        for text in ["productionserver_synchronization", "customer_support_integration"] {
            assert_eq!(line(text, 100), Ok(text.into()));
        }
    }
}
