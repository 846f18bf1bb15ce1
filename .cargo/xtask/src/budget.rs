//! Size budgets: maximum compressed bytes of each Worker and of the browser's files. The only place
//! for these limits.

use crate::{
    build::{Mode, site, site_version},
    failure::Failure,
    paths::root,
    setup::Tools,
    step::output,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The budget of a part: its files, their compression in transit, and the maximum compressed size.
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
        // Workers are loaded compressed; the edge's size determines the cold-start time of an
        // isolate. The WASM alone takes 119 KB of its goal of 120, the scripts 6. The gateway's
        // timeouts and limits added 6 and 2.
        Limit { what: "edge", files: worker("edge"), compression: "gzip", most: 127 * KB },
        // Growth in KB: usage counters 35; rules and idempotency 44. Workspace export, the sweep
        // and master secrets 73. Keys as API callers, and limits without loss, 33. Reporting of
        // times and purge clean-up 2; recovery after a loss 1. Another 158 together: password
        // hashing (moved from the console), search in any form of a letter with Unicode tables,
        // session events, and check values of master secrets.
        Limit { what: "vault", files: worker("vault"), compression: "gzip", most: 565 * KB },
        // Growth in KB: partial limits, remaining quotas and the limiter for unknown keys 11.
        // Password normalisation and the list of common passwords 90. Messages with Undo, merging
        // of stale forms, text rules, and texts for every request error 139 together.
        Limit { what: "console", files: worker("console"), compression: "gzip", most: 1_168 * KB },
        // A browser loads these before a page is interactive. Key detection in the search, texts on
        // passwords and copying, and errors that vanish once corrected added 12 KB together.
        // The server writes the dates in the form, so no calendar is loaded: 5 KB less.
        Limit {
            what: "browser",
            files: assets(&site(mode).join("assets").join(site_version(mode)?)),
            compression: "brotli",
            most: 207 * KB,
        },
    ])
}

/// Prints the sizes and fails if a part exceeds its budget.
pub fn check(tools: &Tools, mode: Mode) -> Result<(), Failure> {
    println!("\n── compressed sizes");
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
    Err(Failure::new("check the size budgets", why, "make it smaller; the limits stand in .cargo/xtask/src/budget.rs"))
}

/// Returns the compressed size in bytes. Each file is compressed separately, as in transit.
fn size(tools: &Tools, compression: &str, files: &[PathBuf]) -> Result<u64, Failure> {
    let mut command = Command::new(tools.node());
    command.current_dir(root().join("worker")).args(["local/size.mjs", compression]).args(files);
    output(&mut command)
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| Failure::new("check the size budgets", "a file is missing or node failed", "build first"))
}

fn assets(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect()
}
