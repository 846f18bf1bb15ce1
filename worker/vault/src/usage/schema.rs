//! Tables of a usage object.

use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Creates missing tables.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &[
    // Isolates of the edge: sequence numbers of counted batches, and pending counts.
    "CREATE TABLE isolates (
        isolate BLOB NOT NULL UNIQUE,
        since INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        waiting INTEGER NOT NULL,
        seen BLOB NOT NULL,
        counts BLOB
    )",
    // Each row holds the counts of 60 minutes, 24 hours or 32 days; `at` numbers such rows from the
    // epoch. `key` is a locator, or '' for all keys together. A count is in exactly one table.
    "CREATE TABLE minutes (at INTEGER, key TEXT, counts BLOB NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID",
    "CREATE TABLE hours (at INTEGER, key TEXT, counts BLOB NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID",
    "CREATE TABLE days (at INTEGER, key TEXT, counts BLOB NOT NULL, PRIMARY KEY (at, key)) WITHOUT ROWID",
    // By key and number of the secret.
    "CREATE TABLE last_uses (key TEXT, secret INTEGER, at INTEGER NOT NULL, PRIMARY KEY (key, secret)) WITHOUT ROWID",
];
