//! The tables of a usage object.

use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Makes the tables that are missing.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &[
    // Isolates of the edge: which of their batches were counted, and the counts that are not in the tables below yet.
    "CREATE TABLE isolates (
        isolate BLOB NOT NULL UNIQUE,
        since INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        waiting INTEGER NOT NULL,
        seen BLOB NOT NULL,
        counts BLOB
    )",
    // Each row holds the counts of 60 minutes, 24 hours or 32 days; `at` counts such rows from the epoch. The key's
    // locator, or '' for all keys together. A count stands in one table only.
    "CREATE TABLE minutes (at INTEGER, key TEXT, counts BLOB NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID",
    "CREATE TABLE hours (at INTEGER, key TEXT, counts BLOB NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID",
    "CREATE TABLE days (at INTEGER, key TEXT, counts BLOB NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID",
    // By the number of the secret within its key.
    "CREATE TABLE last_uses (key TEXT, secret INTEGER, at INTEGER NOT NULL, PRIMARY KEY (key, secret)) WITHOUT ROWID",
];
