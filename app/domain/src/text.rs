//! Short texts that people type: trimmed, counted in characters, free of control characters.

/// A single line of 1 to `max` characters, without spaces around it.
pub fn line(text: &str, max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("This cannot be empty.".into());
    }
    if text.chars().any(is_unprintable) {
        return Err("This holds a line break or another invisible character.".into());
    }
    within(text, max)
}

/// A text of any number of lines, 0 to `max` characters, without spaces around it.
pub fn paragraph(text: &str, max: usize) -> Result<String, String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.chars().any(|c| c != '\n' && c != '\t' && is_unprintable(c)) {
        return Err("This holds an invisible character.".into());
    }
    within(text, max)
}

fn within(text: &str, max: usize) -> Result<String, String> {
    let length = text.chars().count();
    if length > max {
        return Err(format!("This has {length} characters; at most {max} are possible."));
    }
    Ok(text.to_owned())
}

/// Control characters, and those that turn the direction of the text around them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_bounded() {
        assert_eq!(line("  Shop sync ", 100), Ok("Shop sync".into()));
        assert_eq!(line("日本語", 3), Ok("日本語".into()), "characters count, not bytes");
        assert_eq!(line("<script>alert(1)</script>", 100), Ok("<script>alert(1)</script>".into()), "text is text");
        for bad in ["", "   ", "a\nb", "a\0b", "a\u{202e}b", "abcd"] {
            assert!(line(bad, 3).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn paragraphs_keep_their_lines() {
        assert_eq!(paragraph(" one\r\ntwo ", 100), Ok("one\ntwo".into()));
        assert_eq!(paragraph("", 100), Ok(String::new()));
        for bad in ["a\0b", "abcd"] {
            assert!(paragraph(bad, 3).is_err(), "{bad:?}");
        }
    }
}
