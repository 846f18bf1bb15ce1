//! Rules of the tree that no compiler and no linter knows: comments, imports, links in Markdown,
//! words of the glossary, names of tests and types, commit subjects.
//!
//! `cargo xtask check` and the stage `lint` of `cargo xtask test` apply them to the whole tree.

mod comments;
mod imports;
mod links;
mod readmes;
mod subjects;
mod test_names;
mod type_names;
mod words;

use crate::{failure::Failure, packages::Packages, paths::root, step::output};
use comments::Count;
use std::{fs, process::Command};

/// Applies every rule and prints each fault.
///
/// # Errors
/// Fails if there is a fault.
pub fn run() -> Result<(), Failure> {
    let mut faults = Vec::new();
    let mut count = Count::default();
    let (mut glossary, mut pages, mut sources) = (String::new(), Vec::new(), Vec::new());
    for path in files()? {
        let (is_linked, has_words) = (links::covers(&path), words::covers(&path));
        let syntax = comments::Syntax::of(&path);
        if !is_linked && !has_words && syntax.is_none() {
            continue;
        }
        // A file that was removed and not yet committed is still listed.
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        if is_linked {
            faults.extend(links::faults(&path, &text));
            faults.extend(readmes::fault(&path, &text));
        }
        if let Some(syntax) = syntax {
            faults.extend(comments::faults(&path, &text, syntax, &mut count));
        }
        if syntax == Some(comments::Syntax::Rust) {
            faults.extend(test_names::faults(&path, &text));
        }
        if has_words {
            faults.extend(words::faults(&path, &text));
        }
        if path == words::GLOSSARY {
            glossary = text;
        } else if syntax == Some(comments::Syntax::Rust) {
            sources.push((path, text));
        } else if path.starts_with("app/docs/") {
            pages.push(text);
        }
    }
    faults.extend(words::unused(&glossary, &pages));
    faults.extend(count.fault());
    let packages = Packages::read()?;
    faults.extend(imports::faults(&packages)?);
    faults.extend(type_names::faults(&packages, &sources));
    faults.extend(subjects::faults(&subjects::recent()));
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        println!("{fault}");
    }
    let s = if faults.len() == 1 { "" } else { "s" };
    let why = format!("{} fault{s}, named above", faults.len());
    Err(Failure::new("tidy", why, "fix them; the rules stand in .cargo/xtask/src/tidy"))
}

/// The files of the project, as paths from its root.
fn files() -> Result<Vec<String>, Failure> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = output(&mut git);
    let failed = || Failure::new("tidy", "git lists no files", "run it in a checkout");
    Ok(listed.ok_or_else(failed)?.lines().map(str::to_owned).collect())
}
