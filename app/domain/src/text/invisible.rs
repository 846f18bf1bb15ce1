//! Detection of characters that readers cannot see or cannot tell apart: those without a glyph,
//! bidirectional controls (UAX #44, `Default_Ignorable_Code_Point`; UAX #9), noncharacters and
//! private use (The Unicode Standard, chapter 23).
//!
//! Code points that are not yet assigned pass: a later version of Unicode may make letters of them.

use core::fmt;
pub use unicode_normalization::char::is_combining_mark as is_mark;

/// An invisible character in a place where no script or emoji needs it, or a character without a
/// meaning that all readers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray(char);

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = without_meaning(self.0) {
            return write!(
                f,
                "This holds a character that means nothing to others: U+{:04X}, {kind}.",
                u32::from(self.0)
            );
        }
        write!(f, "This holds an invisible character: U+{:04X}", u32::from(self.0))?;
        match name(self.0) {
            Some(name) => write!(f, " {name}."),
            None => f.write_str("."),
        }
    }
}

/// Returns the first character of a line that is invisible and that no script or emoji needs there,
/// or that has no meaning.
pub fn stray(line: &str) -> Option<Stray> {
    let mut before = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        if without_meaning(c).is_some() || is_invisible(c) && !is_needed(before, c, rest.peek().copied()) {
            return Some(Stray(c));
        }
        before = Some(c);
    }
    None
}

/// Returns true if an invisible character changes the shape of its neighbours.
fn is_needed(before: Option<char>, c: char, after: Option<char>) -> bool {
    let Some(before) = before.filter(|before| !before.is_whitespace()) else { return false };
    match c {
        // Joiners have an effect in scripts from Hebrew on and in emoji.
        '\u{200c}' | '\u{200d}' => {
            let stands_alone = |c: char| matches!(c, '\u{2000}'..='\u{206f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
            let joins = |c: char| c >= '\u{590}' && !stands_alone(c);
            joins(before) && after.is_some_and(joins) || is_virama(before)
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => is_selectable(before),
        // Hieroglyphs stand above and beside each other.
        '\u{13430}'..='\u{1343f}' => matches!(before, '\u{13000}'..='\u{143ff}'),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, '\u{1800}'..='\u{18af}'),
        // Regional flags: a black flag, tag characters, and a closing tag.
        '\u{e0020}'..='\u{e007f}' => matches!(before, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}'),
        _ => false,
    }
}

/// Returns true for a virama: a joiner after it selects another form of the preceding letter.
const fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
    )
}

/// Returns true if a variation selector can follow: keycaps, symbols, ideographs.
const fn is_selectable(c: char) -> bool {
    matches!(c, '#' | '*' | '0'..='9' | '©' | '®' | '\u{1000}'..='\u{109f}' | '\u{2010}'..='\u{2bff}' | '\u{3000}'..='\u{9fff}'
        | '\u{a840}'..='\u{a87f}' | '\u{f900}'..='\u{faff}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{323af}')
}

const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns the kind of a character whose meaning is not defined: each reader shows another glyph or
/// none.
fn without_meaning(c: char) -> Option<&'static str> {
    let code = u32::from(c);
    if matches!(c, '\u{fdd0}'..='\u{fdef}') || code & 0xfffe == 0xfffe {
        return Some("a noncharacter");
    }
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}').then_some("a private use character")
}

/// Unicode names of the characters that users are likely to meet.
const fn name(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{ad}' => "SOFT HYPHEN",
        '\u{34f}' => "COMBINING GRAPHEME JOINER",
        '\u{61c}' => "ARABIC LETTER MARK",
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => "HANGUL FILLER",
        '\u{200b}' => "ZERO WIDTH SPACE",
        '\u{200c}' => "ZERO WIDTH NON-JOINER",
        '\u{200d}' => "ZERO WIDTH JOINER",
        '\u{200e}' => "LEFT-TO-RIGHT MARK",
        '\u{200f}' => "RIGHT-TO-LEFT MARK",
        '\u{202a}' => "LEFT-TO-RIGHT EMBEDDING",
        '\u{202b}' => "RIGHT-TO-LEFT EMBEDDING",
        '\u{202c}' => "POP DIRECTIONAL FORMATTING",
        '\u{202d}' => "LEFT-TO-RIGHT OVERRIDE",
        '\u{202e}' => "RIGHT-TO-LEFT OVERRIDE",
        '\u{2060}' => "WORD JOINER",
        '\u{2066}' => "LEFT-TO-RIGHT ISOLATE",
        '\u{2067}' => "RIGHT-TO-LEFT ISOLATE",
        '\u{2068}' => "FIRST STRONG ISOLATE",
        '\u{2069}' => "POP DIRECTIONAL ISOLATE",
        '\u{2800}' => "BRAILLE PATTERN BLANK",
        '\u{fe00}'..='\u{fe0f}' => "VARIATION SELECTOR",
        '\u{feff}' => "ZERO WIDTH NO-BREAK SPACE",
        _ => return None,
    })
}
