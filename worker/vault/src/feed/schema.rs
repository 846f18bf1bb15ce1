//! Tables of the feed.

use crate::{
    database::{Database, DatabaseResult, SqlValue},
    migrate::migrate,
};
use ownchat_domain::time::Timestamp;

/// Creates missing tables. A new feed gets this incarnation, and is born now.
pub fn apply(database: &impl Database, incarnation: u64, now: Timestamp) -> DatabaseResult<()> {
    migrate(database, &[FIRST])?;
    database.run(
        "INSERT INTO feed (id, incarnation, born) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
        // JavaScript carries 53 bits of a number.
        &[SqlValue::Integer(i64::try_from(incarnation >> 11).unwrap_or(0).max(1)), now.millis().into()],
    )?;
    Ok(())
}

const FIRST: &[&str] = &[
    "CREATE TABLE feed (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        incarnation INTEGER NOT NULL CHECK (incarnation > 0),
        born INTEGER NOT NULL
    )",
    // Only the last entry of a subject is stored. The subject is a locator, or 'w' or 's' and the
    // number of a workspace.
    "CREATE TABLE entries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        subject TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        at INTEGER NOT NULL
    )",
    "CREATE INDEX entries_by_age ON entries (at)",
];
