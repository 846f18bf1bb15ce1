//! How many bytes may be shipped. The one place where the limits stand.

use crate::{
    build::{Mode, site, site_version},
    failure::Failure,
    place::root,
    setup::Tools,
    step::output,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A part, its files, how they are compressed on their way, and the most bytes that they may then have.
struct Limit {
    what: &'static str,
    files: Vec<PathBuf>,
    compression: &'static str,
    most: u64,
}

const KB: u64 = 1_000;

fn limits(mode: Mode) -> Result<Vec<Limit>, Failure> {
    let worker = |name: &str| {
        let wasm = mode.wasm(name);
        vec![wasm.with_file_name("index.js"), wasm]
    };
    Ok(vec![
        // A Worker is loaded compressed; the edge's size decides how soon a new isolate answers.
        // The WASM alone has 119 of the 120 that are its goal, the scripts 6. What bounds the
        // gateway took 6 and 2.
        Limit { what: "edge", files: worker("edge"), compression: "gzip", most: 127 * KB },
        // Counting use took 35 KB, rules and requests that are done once 44, files of a workspace,
        // sweep and master secrets 73, keys that ask and limits of which nothing is lost 33, what
        // is told of a moment and what is left of purged keys 2, coming back after a loss 1.
        // Hashing passwords (which the console did before), searches in any form of a letter with
        // the tables of Unicode, events of sessions and check values of master secrets took 158
        // together.
        Limit { what: "vault", files: worker("vault"), compression: "gzip", most: 565 * KB },
        // Parts of limits, what is left of quotas, and floods of keys took 11 KB; normal forms of
        // passwords and the list of those that are tried first 90; messages with Undo, merges of
        // stale forms, rules of texts, and words for every fault of a request 139 together.
        Limit { what: "console", files: worker("console"), compression: "gzip", most: 1_168 * KB },
        // Loaded by a browser before a page is alive. The search that cuts keys, words on passwords
        // and on copying, and errors that are taken away when they are mended took 12 KB together.
        Limit {
            what: "browser",
            files: assets(&site(mode).join("assets").join(site_version(mode)?)),
            compression: "brotli",
            most: 210 * KB,
        },
    ])
}

/// Prints the sizes and fails if one is over its limit.
pub fn check(tools: &Tools, mode: Mode) -> Result<(), Failure> {
    println!("\n── bytes to ship");
    let mut over = Vec::new();
    for Limit { what, files, compression, most } in limits(mode)? {
        let size = size(tools, compression, &files)?;
        println!("{what:<9}{size:>9} of {most:>7}, {compression}");
        if size > most {
            over.push(what);
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    let why = format!("{} is over its limit", over.join(" and "));
    Err(Failure::new("weigh what is shipped", why, "make it smaller; the limits stand in .cargo/xtask/src/budget.rs"))
}

/// Bytes after compression, each file by itself, as they travel.
fn size(tools: &Tools, compression: &str, files: &[PathBuf]) -> Result<u64, Failure> {
    let mut command = Command::new(tools.node());
    command.current_dir(root().join("worker")).args(["local/size.mjs", compression]).args(files);
    output(&mut command)
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| Failure::new("weigh what is shipped", "a file is missing or node failed", "build first"))
}

fn assets(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect()
}
