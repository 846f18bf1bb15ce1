//! Tables of an account.

use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Creates missing tables.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &[
    "CREATE TABLE account (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        password TEXT NOT NULL,
        workspace INTEGER NOT NULL,
        workspace_name TEXT NOT NULL
    )",
    // Only the SHA-256 of a session's secret is stored.
    "CREATE TABLE sessions (
        hash BLOB PRIMARY KEY,
        opened_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        address TEXT NOT NULL
    ) WITHOUT ROWID",
];
