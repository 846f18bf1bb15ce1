//! A type name has one meaning in the view of a crate: one definition in the crate, its tests
//! included, and none in a crate of the workspace that it depends on.

use crate::packages::Packages;
use proc_macro2::{TokenStream, TokenTree};
use std::{collections::BTreeMap, iter, path::Path};

/// The files that define each type of a package, by name.
type Definitions<'a> = BTreeMap<String, Vec<&'a str>>;

/// The faults of the Rust sources of all packages, given by path and text.
pub fn faults(packages: &Packages, sources: &[(String, String)]) -> Vec<String> {
    let mut defined: BTreeMap<&str, Definitions> = BTreeMap::new();
    for (path, text) in sources {
        let Some(package) = packages.owner_of(Path::new(path)) else { continue };
        let definitions = defined.entry(package.name()).or_default();
        for name in types(text) {
            definitions.entry(name).or_default().push(path);
        }
    }
    let faults = defined.iter().flat_map(|(package, own)| {
        let needed = packages.needs_of(package).filter_map(|need| defined.get(need));
        clashes(own, &needed.collect::<Vec<_>>())
    });
    faults.collect()
}

/// A fault for each type name of a package with several definitions in its view.
fn clashes(own: &Definitions, needed: &[&Definitions]) -> Vec<String> {
    let mut clashes = Vec::new();
    for (name, files) in own {
        let others = needed.iter().filter_map(|package| package.get(name)).flatten();
        let all: Vec<&str> = files.iter().chain(others).copied().collect();
        if let [first, second, ..] = all.as_slice() {
            clashes.push(format!("{first}: {second} also defines a type {name}: give one of the two its own name"));
        }
    }
    clashes
}

/// The names of the types that a source defines, without associated types.
fn types(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(stream) = text.parse() {
        collect(stream, false, &mut names);
    }
    names
}

fn collect(stream: TokenStream, is_in_impl: bool, names: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut is_impl = false;
    for (token, next) in tokens.iter().zip(tokens.iter().skip(1).map(Some).chain(iter::once(None))) {
        match (token, next) {
            (TokenTree::Group(group), _) => {
                let is_body = group.delimiter() == proc_macro2::Delimiter::Brace;
                collect(group.stream(), is_impl && is_body, names);
                is_impl &= !is_body;
            }
            (TokenTree::Ident(keyword), next) => {
                let keyword = keyword.to_string();
                is_impl |= keyword == "impl" || keyword == "trait";
                let is_type =
                    matches!(keyword.as_str(), "enum" | "struct" | "trait") || keyword == "type" && !is_in_impl;
                if let Some(TokenTree::Ident(name)) = next.filter(|_| is_type) {
                    names.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(files: &[(&'static str, &str)]) -> Definitions<'static> {
        let mut definitions = Definitions::new();
        for (path, text) in files {
            for name in types(text) {
                definitions.entry(name).or_default().push(path);
            }
        }
        definitions
    }

    #[test]
    fn associated_types_and_other_words_define_no_type() {
        for (text, expected) in [
            ("pub struct A; enum B { C } type D = A; pub(crate) trait E { type F; }", &["A", "B", "D", "E"][..]),
            ("impl Iterator for A { type Item = B; fn f() { struct C; } }", &["C"]),
            ("#[cfg(test)] mod tests { struct A; type B = A; }", &["A", "B"]),
            ("fn f(a: impl Fn(u8)) -> u8 { let r#type = 1; r#type }", &[]),
            ("/// A struct Here.\nconst A: &str = \"enum B\";", &[]),
        ] {
            assert_eq!(types(text), expected, "{text}");
        }
    }

    #[test]
    fn a_type_name_is_defined_once_in_the_view_of_a_crate() {
        let own = definitions(&[("a.rs", "struct A; struct B;"), ("b.rs", "mod tests { enum A {} } struct C;")]);
        let needed = definitions(&[("d.rs", "struct C; struct D; struct E;"), ("e.rs", "struct D;")]);
        let found = clashes(&own, &[&needed]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a.rs: b.rs also defines a type A"), "{found:?}");
        assert!(found[1].starts_with("b.rs: d.rs also defines a type C"), "{found:?}");
        assert_eq!(clashes(&own, &[]).len(), 1);
    }
}
