//! Rules for comments: width, first word, and how often a clause stands in the place of a term.

/// Most columns of a line of comment.
const WIDTH: usize = 100;

/// Words that no comment begins with: the field has a term for each of these clauses.
const BEGINNINGS: &[&str] = &["What", "Whatever", "Whether", "Who", "Whoever", "Of which", "From where"];

/// Most uses of "what" in 10,000 words of comment. Model code bases have 1 to 5.
const WHAT_MAX: usize = 15;

/// The comment syntax of a kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `//`, `///` and `//!`.
    Rust,
    /// `//` and `/* */`.
    Script,
    /// `/* */`.
    Style,
    /// `#`.
    Toml,
}

/// Words counted in the comments of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    words: usize,
    what: usize,
}

impl Syntax {
    /// The syntax of a file, by its name; none for a file without comments of ours.
    pub fn of(path: &str) -> Option<Self> {
        match path.rsplit_once('.')?.1 {
            "rs" => Some(Self::Rust),
            "js" | "mjs" => Some(Self::Script),
            "css" => Some(Self::Style),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }

    /// The text of a comment that fills a line of its own, and true if the comment begins there.
    fn comment(self, line: &str) -> Option<(&str, bool)> {
        let line = line.trim_start();
        let after = |mark: &str| line.strip_prefix(mark);
        let found = match self {
            Self::Rust => (after("///").or_else(|| after("//!")).or_else(|| after("//"))?, false),
            Self::Script if line.starts_with("//") => (after("//")?, false),
            Self::Script | Self::Style => match after("/**").or_else(|| after("/*")) {
                Some(text) => (text, true),
                None => (after("*")?, false),
            },
            Self::Toml => (after("#")?, false),
        };
        Some((found.0.trim_start(), found.1))
    }
}

impl Count {
    /// The fault of a tree whose comments say "what" too often.
    pub fn fault(self) -> Option<String> {
        let Self { words, what } = self;
        let is_over = what * 10_000 > WHAT_MAX * words;
        is_over.then(|| format!("comments say \"what\" {what} times in {words} words: at most {WHAT_MAX} in 10,000"))
    }
}

/// The faults of the comments in one file. Adds its words to `count`.
pub fn faults(path: &str, text: &str, syntax: Syntax, count: &mut Count) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let Some((comment, is_begin)) = syntax.comment(line) else {
            is_inside = false;
            continue;
        };
        let mut fault = |why: String| faults.push(format!("{path}:{number}: {why}"));
        let width = line.chars().count();
        if width > WIDTH {
            fault(format!("the comment has {width} columns: at most {WIDTH}"));
        }
        let begins = |beginning: &&&str| {
            comment.strip_prefix(**beginning).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        if let Some(beginning) = BEGINNINGS.iter().find(begins).filter(|_| is_begin || !is_inside) {
            fault(format!("the comment begins with \"{beginning}\": begin with a verb or the thing"));
        }
        is_inside = true;
        for word in comment.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
            count.words += 1;
            count.what += usize::from(word.eq_ignore_ascii_case("what"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, syntax: Syntax) -> usize {
        faults("a", text, syntax, &mut Count::default()).len()
    }

    #[test]
    fn a_wide_comment_is_a_fault_and_wide_code_is_not() {
        let wide = |before: &str| format!("{before}{}\n", "x".repeat(100));
        for (before, syntax, faults) in [
            ("// ", Syntax::Rust, 1),
            ("    /// ", Syntax::Rust, 1),
            ("let x = ", Syntax::Rust, 0),
            ("// ", Syntax::Script, 1),
            ("/* ", Syntax::Style, 1),
            ("# ", Syntax::Toml, 1),
            ("a = ", Syntax::Toml, 0),
        ] {
            assert_eq!(found(&wide(before), syntax), faults, "{before}");
        }
        assert_eq!(found(&format!("// {}", "ä".repeat(97)), Syntax::Rust), 0, "columns are no bytes");
    }

    #[test]
    fn a_comment_begins_with_a_verb_or_the_thing() {
        for (text, syntax, faults) in [
            ("/// What it is.\nlet a;\n// Whether it is.", Syntax::Rust, 2),
            ("/// Returns\n/// what it is.\n/// What.", Syntax::Rust, 0),
            ("/// Whose it is.\n", Syntax::Rust, 0),
            ("/** Who calls. */\nlet a;\n/**\n * What\n */", Syntax::Script, 1),
            ("/* Of which. */\n/* Whoever. */", Syntax::Style, 2),
        ] {
            assert_eq!(found(text, syntax), faults, "{text}");
        }
    }

    #[test]
    fn terms_stand_in_the_place_of_clauses() {
        let mut count = Count::default();
        faults("a", "// Takes what is there, and what is not.\nlet what = 1;", Syntax::Rust, &mut count);
        assert_eq!(count, Count { words: 8, what: 2 });
        assert!(count.fault().is_some());
        assert_eq!(Count { words: 10_000, what: WHAT_MAX }.fault(), None);
        assert!(Count { words: 10_000, what: WHAT_MAX + 1 }.fault().is_some());
    }
}
