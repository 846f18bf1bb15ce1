//! The statements on the tables of keys and of their secrets: where they are, and how many a
//! command runs.

use crate::{
    database::memory::MemoryDatabase,
    registry::{
        list::list,
        testing::{NOW, OWNER, create, new_key, origin, rotated, workspace},
        transfer,
    },
};
use ownchat_domain::{
    key::KeyQuery,
    vault::{
        registry::ListKeys,
        transfer::{ExportCursor, ReadExport},
    },
};
use std::{fs, path::Path};

/// Returns path and code of the Rust files in a folder and below, without tests.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if ["tests", "tests.rs", "testing.rs"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            found.push((path.to_str().unwrap().replace('\\', "/"), code));
        }
    }
    found
}

/// Returns true if a statement in the code names the table.
fn names_table(code: &str, table: &str) -> bool {
    let words: Vec<&str> =
        code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    words.windows(2).any(|pair| ["FROM", "INTO", "UPDATE", "JOIN", "TABLE"].contains(&pair[0]) && pair[1] == table)
}

#[test]
fn the_statements_on_a_table_are_in_one_file() {
    let registry = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/registry");
    let sources = sources(&registry);
    for (table, home) in [("keys", "registry/rows/keys.rs"), ("secrets", "registry/rows/secrets.rs")] {
        let with: Vec<&str> = sources
            .iter()
            .filter(|(path, code)| !path.ends_with("registry/schema.rs") && names_table(code, table))
            .map(|(path, _)| path.split_at(path.find("registry/").unwrap()).1)
            .collect();
        assert_eq!(with, [home], "statements on the table {table}");
    }
}

fn filled(keys: usize) -> MemoryDatabase {
    let database = workspace();
    for number in 0..keys {
        let key = create(&database, new_key(&format!("Key {number}"), &["contacts:read"]), NOW).unwrap();
        rotated(&database, &key, 60, NOW).unwrap();
    }
    database
}

#[test]
fn a_page_of_keys_takes_at_most_three_statements() {
    let database = filled(60);
    let before = database.statements();
    let query = KeyQuery { limit: Some(50), ..KeyQuery::default() };
    let page = list(&database, &ListKeys { caller: OWNER.into(), query }, NOW).unwrap();
    let statements = database.statements() - before;
    assert!(page.data.len() == 50 && page.next_cursor.is_some());
    assert!(page.data.iter().all(|key| key.secrets.iter().map(|secret| secret.number).eq([1, 2])));
    assert!(statements <= 3, "{statements} statements");
}

#[test]
fn a_part_of_an_export_takes_at_most_four_statements() {
    let database = filled(60);
    let command = |after| ReadExport { origin: origin(OWNER), after };
    let first = transfer::read(&database, &command(None), NOW).unwrap();
    let from_first_key = ExportCursor { key: Some(0), ..first.next.unwrap() };
    let before = database.statements();
    let again = transfer::read(&database, &command(Some(from_first_key)), NOW).unwrap();
    let statements = database.statements() - before;
    assert_eq!(again.lines[..], first.lines[1..], "without the header");
    assert!(again.lines.len() == 60 && statements <= 4, "{statements} statements");
}
