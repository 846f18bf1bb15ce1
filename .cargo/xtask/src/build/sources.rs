//! Finds the source files of a crate: the modules declared from its root, and included files.
//!
//! Comments and code under `cfg(test)` are not sources: changes to them rebuild nothing.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Reads the source files of a crate in normal form: without tests, comments and layout.
///
/// # Errors
///
/// Names the file that is missing or is not Rust.
pub fn of_crate(root: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<(), String> {
    let mut left = vec![root.to_owned()];
    while let Some(file) = left.pop() {
        let error = |why: String| format!("{}: {why}", file.display());
        let text = fs::read_to_string(&file).map_err(|read| error(read.to_string()))?;
        let stream: TokenStream = text.parse().map_err(|lex| error(format!("{lex}")))?;
        let mut reader = Reader { children: children_of(&file), ..Reader::default() };
        reader.read(stream);
        for module in reader.modules {
            let nested = module.join("mod.rs");
            let sibling = module.with_extension("rs");
            left.push(if nested.exists() { nested } else { sibling });
        }
        for included in reader.included {
            let path = file.parent().unwrap_or(root).join(included);
            let content = fs::read(&path).map_err(|read| format!("{}: {read}", path.display()))?;
            found.insert(path, content);
        }
        found.insert(file, reader.normal.into_bytes());
    }
    Ok(())
}

/// Returns a source text in normal form, or `None` if it is not Rust.
pub fn normal_form(text: &str) -> Option<String> {
    let mut reader = Reader::default();
    reader.read(text.parse().ok()?);
    Some(reader.normal)
}

/// Returns the folder of the modules that a file declares.
fn children_of(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(file);
    match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") | None => folder.to_owned(),
        Some(stem) => folder.join(stem),
    }
}

#[derive(Default)]
struct Reader {
    /// Folder of the modules declared here.
    children: PathBuf,
    normal: String,
    /// Paths of the declared modules, without extension.
    modules: Vec<PathBuf>,
    included: Vec<String>,
}

/// Keywords that can start an item.
const ITEMS: &[&str] = &[
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "union",
    "unsafe",
    "use",
];

impl Reader {
    fn read(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            if let Some((attribute, after)) = attribute(rest) {
                rest = match word(&attribute, 0).as_deref() {
                    Some("doc") => after,
                    Some("cfg") if is_test(&attribute) => after_item(after).unwrap_or(after),
                    _ => {
                        self.push("#");
                        self.group(&attribute);
                        after
                    }
                };
                continue;
            }
            rest = after;
            match (first, after) {
                (TokenTree::Ident(keyword), [TokenTree::Ident(name), next, ..]) if keyword == "mod" => {
                    let path = self.children.join(name.to_string());
                    match next {
                        TokenTree::Group(body) => {
                            let outer = std::mem::replace(&mut self.children, path);
                            self.push(&format!("mod {name}"));
                            self.group(body);
                            self.children = outer;
                            rest = after.get(2..).unwrap_or_default();
                            continue;
                        }
                        _ => self.modules.push(path),
                    }
                }
                (TokenTree::Ident(name), [TokenTree::Punct(mark), TokenTree::Group(file), ..])
                    if mark.as_char() == '!' && (name == "include_str" || name == "include_bytes") =>
                {
                    let literal = file.stream().to_string();
                    self.included.push(literal.trim_matches('"').to_owned());
                }
                _ => {}
            }
            match first {
                TokenTree::Group(group) => self.group(group),
                other => self.push(&other.to_string()),
            }
        }
    }

    fn group(&mut self, group: &Group) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.push(open);
        self.read(group.stream());
        self.push(close);
    }

    fn push(&mut self, token: &str) {
        self.normal.push_str(token);
        self.normal.push(' ');
    }
}

/// Splits off an attribute at the start of the tokens, if one is there.
fn attribute(tokens: &[TokenTree]) -> Option<(Group, &[TokenTree])> {
    match tokens {
        [TokenTree::Punct(mark), TokenTree::Group(group), after @ ..] if mark.as_char() == '#' => {
            Some((group.clone(), after))
        }
        // Documentation is the only inner attribute to skip.
        [TokenTree::Punct(mark), TokenTree::Punct(inner), TokenTree::Group(group), after @ ..]
            if mark.as_char() == '#' && inner.as_char() == '!' && word(group, 0).as_deref() == Some("doc") =>
        {
            Some((group.clone(), after))
        }
        _ => None,
    }
}

fn word(group: &Group, place: usize) -> Option<String> {
    match group.stream().into_iter().nth(place) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

/// Returns true for exactly `cfg(test)`.
fn is_test(attribute: &Group) -> bool {
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// Returns the tokens after the item that starts here, or `None` without an item.
fn after_item(mut tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    while let Some((_, after)) = attribute(tokens) {
        tokens = after;
    }
    let Some(TokenTree::Ident(first)) = tokens.first() else { return None };
    if !ITEMS.contains(&first.to_string().as_str()) {
        return None;
    }
    let end = tokens.iter().position(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    })?;
    let after = tokens.get(end + 1..)?;
    let is_semicolon = |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';');
    // Examples: `use a::{b, c};`, `const A: B = B { … };`.
    match after.split_first() {
        Some((next, rest)) if is_semicolon(next) => Some(rest),
        _ => Some(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reader {
        let mut reader = Reader { children: "src".into(), ..Reader::default() };
        reader.read(text.parse().unwrap());
        reader
    }

    #[test]
    fn tests_comments_and_layout_change_nothing() {
        let bare = read("pub fn a() -> u8 { 1 } const B: [u8; 2] = [0; 2];").normal;
        for more in [
            "//! Docs.\n#![doc = \"more\"]\npub fn a() -> u8 { 1 }\nconst B: [u8; 2] = [0; 2];",
            "/// Says.\npub fn a() -> u8 {\n  // One.\n  1\n}\nconst B: [u8; 2] = [0; 2];",
            "pub fn a() -> u8 { 1 } const B: [u8; 2] = [0; 2]; #[cfg(test)] mod tests { fn t() {} }",
            "#[cfg(test)] mod tests; pub fn a() -> u8 { 1 } const B: [u8; 2] = [0; 2];",
            "#[cfg(test)] use c::{d, e}; pub fn a() -> u8 { 1 } const B: [u8; 2] = [0; 2];",
            "#[cfg(test)] #[allow(x)] const C: D = D { e: 1 }; pub fn a() -> u8 { 1 } const B: [u8; 2] = [0; 2];",
        ] {
            assert_eq!(read(more).normal, bare, "{more}");
            assert_eq!(read(more).modules, Vec::<PathBuf>::new(), "{more}");
        }
    }

    #[test]
    fn code_and_attributes_are_sources() {
        let bare = read("pub fn a() -> u8 { 1 }").normal;
        for other in [
            "pub fn a() -> u8 { 2 }",
            "#[inline] pub fn a() -> u8 { 1 }",
            "#[cfg(not(test))] pub fn a() -> u8 { 1 }",
            "#![no_std] pub fn a() -> u8 { 1 }",
            "pub fn a() -> u8 { #[cfg(test)] 2; 1 }",
            "pub fn a() -> u8 { 1 } mod b;",
        ] {
            assert_ne!(read(other).normal, bare, "{other}");
        }
    }

    #[test]
    fn modules_and_included_files_are_followed() {
        let reader = read(
            "mod a; pub(crate) mod b; mod c { mod d; } #[cfg(test)] mod e; const F: &str = include_str!(\"f.sql\");",
        );
        assert_eq!(reader.modules, ["src/a", "src/b", "src/c/d"].map(PathBuf::from));
        assert_eq!(reader.included, ["f.sql"]);
    }
}
