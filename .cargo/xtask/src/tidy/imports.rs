//! Modules of one crate import each other without circles.
//!
//! The modules at the top of a crate are its rooms. An import from a room into another is an
//! arrow; tests may import from anywhere.

use crate::{build::sources::of_crate, failure::Failure, packages::Packages, place::root};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The imports of a crate: for each room, the rooms that it imports from and a file that does so.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The circles of all packages.
///
/// # Errors
/// Fails if a source is no Rust.
pub fn faults() -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    for package in Packages::read()?.all().packages {
        let Some(code) = package.code() else { continue };
        let mut sources = BTreeMap::new();
        of_crate(code, &mut sources).map_err(|why| Failure::new("read the sources", why, "mend that file"))?;
        let folder = code.parent().unwrap_or(code);
        let sources = sources.into_iter().filter_map(|(file, text)| {
            let path = file.strip_prefix(folder).ok().filter(|path| path.extension().is_some_and(|end| end == "rs"))?;
            Some((path.to_owned(), String::from_utf8(text).ok()?))
        });
        let circle =
            circle(&arrows(sources.collect::<Vec<_>>().iter().map(|(path, text)| (path.as_path(), text.as_str()))));
        faults.extend(circle.map(|circle| {
            let folder = folder.strip_prefix(root()).unwrap_or(folder).display();
            format!("{folder}: modules import each other in a circle: {circle}")
        }));
    }
    Ok(faults)
}

/// The arrows between the rooms of a crate, from its sources in normal form.
fn arrows<'a>(sources: impl Iterator<Item = (&'a Path, &'a str)> + Clone) -> Arrows {
    let modules: BTreeSet<String> = sources.clone().filter_map(|(path, _)| room(path)).collect();
    let mut arrows = Arrows::new();
    for (path, text) in sources {
        let Some(from) = room(path) else { continue };
        for to in imported(text, depth(path)) {
            if to != from && modules.contains(&to) {
                let file = path.display().to_string();
                arrows.entry(from.clone()).or_default().entry(to).or_insert(file);
            }
        }
    }
    arrows
}

/// The room of a file; none for the crate's root.
fn room(path: &Path) -> Option<String> {
    let mut parts = path.iter();
    let first = Path::new(parts.next()?).file_stem()?.to_str()?;
    let is_root = parts.next().is_none() && matches!(first, "lib" | "main");
    (!is_root).then(|| first.to_owned())
}

/// The number of `super` that lead from a file to the crate's root.
fn depth(path: &Path) -> usize {
    path.iter().count() - usize::from(path.ends_with("mod.rs"))
}

/// The names that a source takes from the crate's root: `crate::NAME`, `crate::{NAME, …}` and the
/// same with as many `super` as lead there.
fn imported(text: &str, depth: usize) -> Vec<String> {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut names = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let mut path = match *first {
            "crate" => after,
            "super" => {
                let (mut path, mut supers) = (after, 1);
                while let [":", ":", "super", after @ ..] = path {
                    (path, supers) = (after, supers + 1);
                }
                rest = path;
                if supers != depth {
                    continue;
                }
                path
            }
            _ => continue,
        };
        match path {
            [":", ":", "{", after @ ..] => path = after,
            [":", ":", name, ..] => {
                names.push((*name).to_owned());
                continue;
            }
            _ => continue,
        }
        let (mut nested, mut is_first) = (0usize, true);
        for token in path {
            match *token {
                "{" => nested += 1,
                "}" if nested == 0 => break,
                "}" => nested -= 1,
                "," if nested == 0 => is_first = true,
                name if is_first => {
                    names.push(name.to_owned());
                    is_first = false;
                }
                _ => {}
            }
        }
    }
    names
}

/// A circle, as `a (a.rs) → b (b/c.rs) → a`, if there is one.
fn circle(arrows: &Arrows) -> Option<String> {
    // A room without imports is part of none, nor is one that imports from such rooms alone.
    let mut rooms: BTreeSet<&String> = arrows.keys().collect();
    let is_open = |rooms: &BTreeSet<&String>, room: &String| !arrows[room].keys().any(|to| rooms.contains(to));
    while let Some(open) = rooms.iter().copied().find(|room| is_open(&rooms, room)) {
        rooms.remove(open);
    }
    let mut path: Vec<&String> = Vec::new();
    let mut room = rooms.first().copied()?;
    while !path.contains(&room) {
        path.push(room);
        room = arrows[room].keys().find(|to| rooms.contains(*to))?;
    }
    let begin = path.iter().position(|other| *other == room)?;
    let circle = path.get(begin..)?;
    let next = circle.iter().skip(1).chain([&room]);
    let steps: Vec<String> =
        circle.iter().zip(next).map(|(from, to)| format!("{from} ({})", arrows[*from][*to])).collect();
    Some(format!("{} → {room}", steps.join(" → ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::sources::normal_form;

    fn circle_of(sources: &[(&str, &str)]) -> Option<String> {
        let sources: Vec<_> = sources.iter().map(|(path, text)| (*path, normal_form(text).unwrap())).collect();
        circle(&arrows(sources.iter().map(|(path, text)| (Path::new(path), text.as_str()))))
    }

    #[test]
    fn a_circle_is_named_with_the_files_that_close_it() {
        let found = circle_of(&[
            ("lib.rs", "pub mod a; pub mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "pub mod c;"),
            ("b/c.rs", "use std::io; use crate::{d::D, a::{A, e}};"),
            ("d.rs", ""),
            ("f.rs", "use crate::a::A;"),
        ]);
        assert_eq!(found.unwrap(), "a (a.rs) → b (b/c.rs) → a");
    }

    #[test]
    fn imports_in_any_writing_are_arrows() {
        for import in
            ["use super::b::B;", "fn x() { crate::b::y() }", "use crate::{c::C, b};", "use super::{b::{self}};"]
        {
            let found = circle_of(&[("a.rs", import), ("b.rs", "use crate::a;"), ("c.rs", "")]);
            assert!(found.is_some(), "{import}");
        }
    }

    #[test]
    fn one_direction_tests_and_own_modules_are_no_circle() {
        for import in ["", "use std::b::B;", "#[cfg(test)] mod tests { use crate::b::B; }", "mod b; use super::a::b;"] {
            assert_eq!(circle_of(&[("a.rs", import), ("b.rs", "use crate::a;")]), None, "{import}");
        }
        assert_eq!(circle_of(&[("a.rs", ""), ("a/b.rs", "use super::A; use super::super::c;"), ("c.rs", "")]), None);
        assert_eq!(circle_of(&[("lib.rs", "use crate::a;"), ("a.rs", "use crate::lib;")]), None);
    }
}
