//! One word for one thing: the glossary of the user documentation is the one list of terms.
//!
//! Each of its terms is used on another page. A word for which the glossary has a term occurs in no
//! text for readers: documents, and the texts of pages.

use proc_macro2::{TokenStream, TokenTree};

/// The one source of terms.
pub const GLOSSARY: &str = "app/docs/start/glossary.md";

/// Words that have a term, and the term. A word may begin a longer one: `purse` finds "purses".
const FORBIDDEN: &[(&str, &str)] = &[
    ("access key", "API key"),
    ("blacklist", "deny"),
    ("chore", "deferred task"),
    ("e-mail", "email"),
    ("leftover", "purge"),
    ("memo", "cache entry"),
    ("news", "revocation feed"),
    ("patience", "timeout"),
    ("pocket", "lease"),
    ("purse", "permits"),
    ("remembered key", "cached key"),
    ("revocation list", "revocation feed"),
    ("shield", "limiter"),
    ("tenant", "workspace"),
    ("whitelist", "allow"),
];

/// Words that contain a forbidden one and are something else.
const ALLOWED: &[&str] = &["memory", "memori", "newsletter"];

/// Returns true for a file whose texts are for readers.
pub fn covers(path: &str) -> bool {
    let is_document = path.starts_with("app/docs/") || path.starts_with(".github/") || path == "README.md";
    match end_of(path) {
        "md" => is_document,
        "rs" => path.starts_with("app/ui/src/"),
        _ => false,
    }
}

/// The faults of one file: each forbidden word with its line.
pub fn faults(path: &str, text: &str) -> Vec<String> {
    let texts =
        if end_of(path) == "rs" { literals(text) } else { (1..).zip(text.lines().map(str::to_owned)).collect() };
    let mut faults = Vec::new();
    for (line, text) in texts {
        let text = text.to_lowercase();
        for (word, term) in FORBIDDEN.iter().filter(|(word, _)| has(&text, word)) {
            faults.push(format!("{path}:{line}: the text says \"{word}\": the term is \"{term}\""));
        }
    }
    faults
}

/// The terms of the glossary that no other page uses. `pages` are the other pages of the docs.
pub fn unused(glossary: &str, pages: &[String]) -> Vec<String> {
    let pages: Vec<String> = pages.iter().map(|page| page.to_lowercase()).collect();
    let terms = glossary.lines().filter_map(|line| line.strip_prefix("### "));
    let terms: Vec<&str> = terms.filter_map(|heading| heading.split(" {#").next()).collect();
    if terms.is_empty() {
        return vec![format!("{GLOSSARY}: it has no terms")];
    }
    let is_unused = |term: &&str| !pages.iter().any(|page| has(page, &term.to_lowercase()));
    terms.into_iter().filter(is_unused).map(|term| format!("{GLOSSARY}: no other page uses \"{term}\"")).collect()
}

/// Returns the end of a file's name, after the last dot.
fn end_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, end)| end)
}

/// Returns true if a word, or a longer one that begins with it, stands in a text in lower case.
fn has(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(place, _)| {
        let (before, found) = text.split_at(place);
        !before.ends_with(char::is_alphanumeric) && !ALLOWED.iter().any(|allowed| found.starts_with(allowed))
    })
}

/// The string literals of a Rust file with their lines, without those of tests.
fn literals(text: &str) -> Vec<(usize, String)> {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    let mut literals = Vec::new();
    if let Ok(stream) = code.parse::<TokenStream>() {
        collect(stream, &mut literals);
    }
    let mut end = 0;
    let line = |literal: String| {
        let place = code.get(end..).and_then(|rest| rest.find(&literal)).map_or(end, |place| end + place);
        end = place + literal.len();
        (code.get(..place).map_or(0, |before| before.matches('\n').count()) + 1, literal)
    };
    literals.into_iter().map(line).collect()
}

fn collect(stream: TokenStream, found: &mut Vec<String>) {
    for token in without_documents(stream) {
        match token {
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) if literal.to_string().starts_with('"') => found.push(literal.to_string()),
            _ => {}
        }
    }
}

/// Leaves out attributes, which hold the documentation comments.
fn without_documents(stream: TokenStream) -> Vec<TokenTree> {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in stream {
        let is_after_mark =
            |mark: &TokenTree| matches!(mark, TokenTree::Punct(mark) if matches!(mark.as_char(), '#' | '!'));
        if matches!(&token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Bracket)
            && kept.last().is_some_and(is_after_mark)
        {
            continue;
        }
        kept.push(token);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_word_is_found_in_documents_and_in_page_texts() {
        let found = faults("README.md", "# A\n\nA Shield in front, and leases in a purse.\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|fault| fault.starts_with("README.md:3: the text says \"shield\"")), "{found:?}");
        let page = "//! The shield.\n/// News.\nfn shield() -> &'static str {\n    view! { <p class=\"a\">\"No news yet.\"</p> }\n}\n\
                    #[cfg(test)]\nmod tests {\n    const A: &str = \"news\";\n}\n";
        let found = faults("app/ui/src/a.rs", page);
        assert_eq!(found, ["app/ui/src/a.rs:4: the text says \"news\": the term is \"revocation feed\""]);
    }

    #[test]
    fn other_words_are_no_faults() {
        for text in ["In memory, memorised.", "A windshield.", "A newsletter.", "anew, newest"] {
            assert_eq!(faults("app/docs/a.md", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_term_that_no_other_page_uses_is_named() {
        let glossary = "# Glossary\n\n## Terms\n\n### Lease {#lease}\n\nA.\n\n### Key id {#key-id}\n\nB.\n";
        let pages = ["Several leases.".to_owned(), "A key\nid.".to_owned()];
        assert_eq!(unused(glossary, &pages), [format!("{GLOSSARY}: no other page uses \"Key id\"")]);
        assert_eq!(unused("# Glossary\n", &pages).len(), 1);
    }

    #[test]
    fn readers_read_documents_and_pages() {
        for (path, is_read) in [
            ("README.md", true),
            ("app/docs/operate/run.md", true),
            (".github/decisions/001-three-workers.md", true),
            ("app/ui/src/pages/home.rs", true),
            ("worker/edge/src/authorizer.rs", false),
            ("app/docs/data/bench.json", false),
        ] {
            assert_eq!(covers(path), is_read, "{path}");
        }
    }
}
