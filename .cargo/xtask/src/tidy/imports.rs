//! Imports between the modules of a crate go the way that its README draws.
//!
//! The modules at the top of a crate are its rooms. An import from one room into another is an
//! arrow. A block `text rooms` of the README lists the rooms in layers, the lowest first. Each
//! arrow leads to a lower layer, so there are no circles. The modules of a folder have no circle,
//! either. Tests may import from anywhere.

use crate::{build::sources::of_crate, failure::Failure, packages::Packages, paths::root};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The imports of a crate: for each room, the rooms that it imports from and a file that does so.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The arrows of all packages that their READMEs do not draw.
///
/// # Errors
/// Fails if a source is not Rust.
pub fn faults(packages: &Packages) -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    for package in packages.all().packages {
        let Some(code) = package.code() else { continue };
        let mut sources = BTreeMap::new();
        of_crate(code, &mut sources).map_err(|why| Failure::new("read the sources", why, "fix that file"))?;
        let folder = code.parent().unwrap_or(code);
        let sources: Vec<_> = sources
            .into_iter()
            .filter_map(|(file, text)| {
                let path = file.strip_prefix(folder).ok()?;
                let is_rust = path.extension().is_some_and(|end| end == "rs");
                is_rust.then_some((path.to_owned(), String::from_utf8(text).ok()?))
            })
            .collect();
        let sources = sources.iter().map(|(path, text)| (path.as_path(), text.as_str()));
        let readme = folder.parent().unwrap_or(folder).join("README.md");
        let drawing = fs::read_to_string(&readme).unwrap_or_default();
        let readme = readme.strip_prefix(root()).unwrap_or(&readme).display().to_string();
        faults.extend(undrawn(sources, &drawing).into_iter().map(|fault| format!("{readme}: {fault}")));
    }
    Ok(faults)
}

/// The faults of a README whose drawing differs from the sources of its crate.
fn undrawn<'a>(sources: impl Iterator<Item = (&'a Path, &'a str)> + Clone, readme: &str) -> Vec<String> {
    let rooms: BTreeSet<String> = sources.clone().filter_map(|(path, _)| room(path)).collect();
    let layers = layers(readme);
    let lacks = rooms.iter().filter(|room| !layers.contains_key(room.as_str()));
    let mut faults: Vec<String> = lacks.map(|room| format!("the block `text rooms` lacks {room}")).collect();
    let gone = layers.keys().filter(|room| !rooms.contains(**room));
    faults.extend(gone.map(|room| format!("the block `text rooms` has {room}, which is no module")));
    faults.extend(circles(&sources));
    for (from, imports) in arrows(sources, Path::new("")) {
        for (to, file) in imports {
            if let (Some(here), Some(there)) = (layers.get(from.as_str()), layers.get(to.as_str()))
                && there >= here
            {
                faults.push(format!("{file} imports from {to}, which is not drawn below {from}"));
            }
        }
    }
    faults
}

/// The circles between the modules of each folder.
fn circles<'a>(sources: &(impl Iterator<Item = (&'a Path, &'a str)> + Clone)) -> Vec<String> {
    let folders: BTreeSet<&Path> = sources.clone().flat_map(|(path, _)| path.ancestors().skip(1)).collect();
    let circle = |folder: &Path| {
        let inside = sources.clone().filter_map(|(path, text)| Some((path.strip_prefix(folder).ok()?, text)));
        let mut left = arrows(inside, folder);
        // A module that imports from none of those left is in no circle.
        loop {
            let rooms: BTreeSet<String> = left.keys().cloned().collect();
            left.retain(|_, imports| imports.keys().any(|to| rooms.contains(to)));
            if left.len() == rooms.len() {
                break;
            }
        }
        let rooms: Vec<&str> = left.keys().map(String::as_str).collect();
        let fault = || format!("{} has a circle of imports between {}", folder.display(), rooms.join(", "));
        (!rooms.is_empty()).then(fault)
    };
    folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()).filter_map(circle).collect()
}

/// The rooms that a README draws, each with the number of its layer.
fn layers(readme: &str) -> BTreeMap<&str, usize> {
    let block = readme.split("```text rooms\n").nth(1).and_then(|rest| rest.split("```").next());
    let lines = block.unwrap_or_default().lines().enumerate();
    lines.flat_map(|(layer, line)| line.split_whitespace().map(move |room| (room, layer))).collect()
}

/// The arrows between the modules of a folder, from its sources in normal form. The folder of a
/// crate's root is the empty path.
fn arrows<'a>(sources: impl Iterator<Item = (&'a Path, &'a str)> + Clone, folder: &Path) -> Arrows {
    let modules: BTreeSet<String> = sources.clone().filter_map(|(path, _)| room(path)).collect();
    let mut arrows = Arrows::new();
    for (path, text) in sources {
        let Some(from) = room(path) else { continue };
        for to in imported(text, folder, depth(path)) {
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

/// The names that a source takes from a folder: `crate::FOLDER::NAME`, `crate::FOLDER::{NAME, …}`
/// and the same with as many `super` as lead there.
fn imported(text: &str, folder: &Path, depth: usize) -> Vec<String> {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut names = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let mut path = match *first {
            "crate" => match below(after, folder) {
                Some(path) => path,
                None => continue,
            },
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

/// The rest of a path of tokens, below a folder.
fn below<'a>(path: &'a [&'a str], folder: &Path) -> Option<&'a [&'a str]> {
    folder.iter().try_fold(path, |path, part| match path {
        [":", ":", name, after @ ..] if part == *name => Some(after),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::sources::normal_form;

    const DRAWING: &str = "# A crate\n\n```text rooms\nc\na b\nd\n```\n";

    fn faults_of(sources: &[(&str, &str)], readme: &str) -> Vec<String> {
        let sources: Vec<_> = sources.iter().map(|(path, text)| (*path, normal_form(text).unwrap())).collect();
        undrawn(sources.iter().map(|(path, text)| (Path::new(path), text.as_str())), readme)
    }

    fn faults_with(import: &str) -> Vec<String> {
        let sources = [("lib.rs", "pub mod a; pub mod b;"), ("a.rs", import), ("b.rs", ""), ("c.rs", ""), ("d.rs", "")];
        faults_of(&sources, DRAWING)
    }

    #[test]
    fn imports_lead_to_lower_layers_in_any_writing() {
        for import in [
            "",
            "use crate::c::C;",
            "use super::c;",
            "fn x() { crate::c::y() }",
            "#[cfg(test)] mod tests { use crate::d::D; }",
            "use std::d::D;",
        ] {
            assert_eq!(faults_with(import), Vec::<String>::new(), "{import}");
        }
        for import in [
            "use crate::d::D;",
            "use crate::b;",
            "use super::b::B;",
            "fn x() { crate::d::y() }",
            "use crate::{c::{C, a}, d};",
            "use super::{b::{self}};",
        ] {
            assert_eq!(faults_with(import).len(), 1, "{import}");
        }
        assert_eq!(faults_with("use crate::d::D;"), ["a.rs imports from d, which is not drawn below a"]);
    }

    #[test]
    fn imports_within_a_room_are_its_own_matter() {
        let inside =
            [("a.rs", "pub mod x;"), ("a/x.rs", "use super::A; use super::super::c; use crate::a;"), ("b.rs", "")];
        assert_eq!(
            faults_of(&[&inside[..], &[("c.rs", ""), ("d.rs", "use crate::{a, b, c};")]].concat(), DRAWING),
            [""; 0]
        );
    }

    #[test]
    fn modules_of_a_folder_import_in_no_circle() {
        let faults = |x: &str, y: &str| {
            let inside = [("a.rs", "mod x; mod y;"), ("a/x.rs", x), ("a/y.rs", "mod z;"), ("a/y/z.rs", y)];
            faults_of(&[&inside[..], &[("b.rs", ""), ("c.rs", ""), ("d.rs", "")]].concat(), DRAWING)
        };
        for (x, y) in [("use super::y::Y;", ""), ("use super::A;", "use super::super::x;"), ("use crate::a::A;", "")] {
            assert_eq!(faults(x, y), [""; 0], "{x} {y}");
        }
        for (x, y) in
            [("use super::y::Y;", "use super::super::x::X;"), ("use crate::a::{A, y};", "fn z() { crate::a::x::f() }")]
        {
            assert_eq!(faults(x, y), ["a has a circle of imports between x, y"], "{x} {y}");
        }
    }

    #[test]
    fn every_room_is_drawn_and_every_drawn_room_is_there() {
        let sources = [("a.rs", ""), ("b.rs", ""), ("e.rs", "")];
        let faults = faults_of(&sources, DRAWING);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("lacks e") && faults[1].contains("has c") && faults[2].contains("has d"));
        assert_eq!(faults_of(&sources, "# No drawing\n").len(), 3);
    }
}
