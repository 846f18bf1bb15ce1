//! The tables of a workspace.

use super::{search_text, trail};
use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Makes the tables that are missing.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH])?;
    search_text::backfill(database)?;
    trail::migrate_first(database)
}

/// The tables as they were at first.
pub const FIRST: &[&str] = &[
    "CREATE TABLE workspace (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        last_key INTEGER NOT NULL DEFAULT 0
    )",
    "CREATE TABLE members (
        person TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('owner'))
    ) WITHOUT ROWID",
    // Times are milliseconds since the epoch; scopes are the bits of the scope table.
    "CREATE TABLE keys (
        number INTEGER PRIMARY KEY,
        locator TEXT NOT NULL UNIQUE,
        environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        scopes INTEGER NOT NULL CHECK (scopes > 0),
        active INTEGER NOT NULL CHECK (active IN (0, 1)),
        expires_at INTEGER,
        created_at INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        updated_at INTEGER NOT NULL,
        version INTEGER NOT NULL CHECK (version > 0),
        deleted_at INTEGER,
        published_at INTEGER
    )",
    "CREATE INDEX keys_listed ON keys (number) WHERE deleted_at IS NULL",
    // One key may have several secrets; of each, only a peppered digest.
    "CREATE TABLE secrets (
        key INTEGER NOT NULL REFERENCES keys (number),
        master INTEGER NOT NULL,
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        created_at INTEGER NOT NULL
    )",
    "CREATE INDEX secrets_of_key ON secrets (key)",
    "CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        person TEXT NOT NULL,
        address TEXT NOT NULL,
        request_id TEXT NOT NULL,
        action TEXT NOT NULL,
        key TEXT NOT NULL,
        before TEXT,
        after TEXT
    )",
    // Keys whose record in KV is older than the truth.
    "CREATE TABLE outbox (
        key INTEGER PRIMARY KEY REFERENCES keys (number),
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0
    )",
    "CREATE INDEX outbox_due ON outbox (due_at)",
];

/// Restrictions, limits, several secrets of one key; the chained trail; what the feed must be told.
const SECOND: &[&str] = &[
    // Counts the changes of the settings; `outage_seconds` as in the record.
    "ALTER TABLE workspace ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE workspace ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1))",
    "ALTER TABLE workspace ADD COLUMN outage_seconds INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE keys ADD COLUMN integration TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE keys ADD COLUMN not_before INTEGER",
    // JSON, as in the management API.
    "ALTER TABLE keys ADD COLUMN restrictions TEXT NOT NULL DEFAULT '{\"allow\":[],\"deny\":[],\"channels\":[]}'",
    "ALTER TABLE keys ADD COLUMN limits TEXT NOT NULL DEFAULT '{\"rate\":null,\"quota\":null}'",
    "ALTER TABLE keys ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE keys ADD COLUMN reason TEXT",
    "CREATE INDEX keys_deleted ON keys (deleted_at) WHERE deleted_at IS NOT NULL",
    "ALTER TABLE secrets ADD COLUMN number INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE secrets ADD COLUMN ends_at INTEGER",
    // Each line as it is handed out, with its hash; the other columns are for finding it.
    "CREATE TABLE trail (
        sequence INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        actor TEXT,
        action TEXT NOT NULL,
        key TEXT,
        hash TEXT NOT NULL,
        line TEXT NOT NULL
    )",
    "CREATE INDEX trail_of_key ON trail (key, sequence)",
    // What the feed must be told: from which version on records are good. The key's locator, or '' for all.
    "CREATE TABLE announcements (
        subject TEXT PRIMARY KEY,
        version INTEGER NOT NULL
    ) WITHOUT ROWID",
];

/// Roles, and who made which key; what requests that are done once were answered.
const THIRD: &[&str] = &[
    "CREATE TABLE people (
        person TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer'))
    ) WITHOUT ROWID",
    "INSERT INTO people (person, name, role) SELECT person, name, role FROM members",
    "DROP TABLE members",
    "ALTER TABLE people RENAME TO members",
    // Whose key it is: who made it. Nobody's, if that is not known.
    "ALTER TABLE keys ADD COLUMN owner TEXT",
    "UPDATE keys SET owner = (SELECT person FROM members WHERE members.name = keys.created_by)",
    "CREATE INDEX keys_owned ON keys (owner, number) WHERE deleted_at IS NULL",
    // Hashes of who, what and which name, and of the body; the answer has nothing secret in it.
    "CREATE TABLE requests (
        slot BLOB PRIMARY KEY CHECK (length(slot) = 32),
        body BLOB NOT NULL CHECK (length(body) = 32),
        answer TEXT NOT NULL,
        effective_at INTEGER,
        kept_until INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE INDEX requests_kept ON requests (kept_until)",
];

/// Files that are read in; what is done by itself; under which master secrets things were made.
const FOURTH: &[&str] = &[
    // Lines of a file that is to be read in.
    "CREATE TABLE staged (
        number INTEGER PRIMARY KEY,
        line TEXT NOT NULL,
        at INTEGER NOT NULL
    )",
    // What the vault does by itself: when it is due, how often it has failed since it last went well, and the
    // number of the last key that it has dealt with, where it goes through all of them.
    "CREATE TABLE chores (
        name TEXT PRIMARY KEY,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        after INTEGER NOT NULL DEFAULT 0,
        begun_at INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
    // Ids of the master secrets that tagged a key's locator and sealed its record in KV; NULL for not known yet.
    "ALTER TABLE keys ADD COLUMN issuer INTEGER",
    "ALTER TABLE keys ADD COLUMN published_master INTEGER",
];

/// Meters of keys that were removed for good, to be cleared.
const FIFTH: &[&str] = &[
    "CREATE TABLE meters (
        locator TEXT PRIMARY KEY,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
    "CREATE INDEX meters_due ON meters (due_at)",
];

/// What keys leave behind that were removed for good; how patient edges may still be.
const SIXTH: &[&str] = &[
    // Their meter, as before, and their copy in KV.
    "ALTER TABLE meters RENAME TO leftovers",
    "DROP INDEX meters_due",
    "CREATE INDEX leftovers_due ON leftovers (due_at)",
    // The most seconds of an outage that were forgiven before a change of which the feed was not told yet.
    "ALTER TABLE workspace ADD COLUMN patient_seconds INTEGER NOT NULL DEFAULT 0",
    // Until when some edge may go by what was forgiven before.
    "ALTER TABLE workspace ADD COLUMN patient_until INTEGER NOT NULL DEFAULT 0",
];

/// Numbers of keys that are not given again.
const SEVENTH: &[&str] = &[
    // The least that the next key may have; smaller ones may have been given before the workspace was read in from a file.
    "ALTER TABLE workspace ADD COLUMN next_key INTEGER NOT NULL DEFAULT 0",
];

/// Searches in any case and form of letters; events of sessions; the master secrets of the
/// workspace.
const EIGHTH: &[&str] = &[
    // Of an action: lines in the hour that begins then, and events that no line tells of yet.
    "CREATE TABLE events (
        action TEXT PRIMARY KEY,
        hour INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        left_out INTEGER NOT NULL
    ) WITHOUT ROWID",
    // A check value of each key that is derived from a master secret.
    "CREATE TABLE master_checks (
        id INTEGER NOT NULL,
        purpose TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (id, purpose)
    ) WITHOUT ROWID",
    // Name, description and locator, folded; NULL for keys of before, until it is filled in.
    "ALTER TABLE keys ADD COLUMN searched TEXT",
    "CREATE INDEX keys_not_searched ON keys (number) WHERE searched IS NULL",
];
