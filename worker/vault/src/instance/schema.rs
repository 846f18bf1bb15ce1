//! Tables of the deployment.

use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Creates missing tables.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &[
    // The first owner's claim. The password hash stays only until the account has it.
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
    // Failed sign-ins, by the hash of an email or of a network.
    "CREATE TABLE attempts (
        subject BLOB PRIMARY KEY,
        failures INTEGER NOT NULL,
        last_at INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE INDEX attempts_by_age ON attempts (last_at)",
];
