//! The tables of the deployment.

use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Makes the tables that are missing.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &[
    // The claim of the first owner. The password's hash stays only until the account has it.
    "CREATE TABLE setup (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        person TEXT NOT NULL,
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        password TEXT,
        workspace INTEGER NOT NULL,
        workspace_name TEXT NOT NULL,
        claimed_at INTEGER NOT NULL
    )",
    "CREATE TABLE accounts (
        email TEXT PRIMARY KEY,
        person TEXT NOT NULL
    ) WITHOUT ROWID",
    // Failed sign-ins, by the hash of an e-mail address or of a network address.
    "CREATE TABLE attempts (
        subject BLOB PRIMARY KEY,
        failures INTEGER NOT NULL,
        last_at INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE INDEX attempts_by_age ON attempts (last_at)",
];
