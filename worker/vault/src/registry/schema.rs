//! Tables of a workspace.

use super::{rows, trail};
use crate::{
    database::{Database, DatabaseResult},
    migrate::migrate,
};

/// Creates missing tables and fills derived columns.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH])?;
    rows::keys::fill_searched(database)?;
    trail::migrate_first(database)
}

/// Tables of the first version.
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
    // A key may have several secrets; only the peppered digest of each is stored.
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
    // Keys whose record in KV is stale.
    "CREATE TABLE outbox (
        key INTEGER PRIMARY KEY REFERENCES keys (number),
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0
    )",
    "CREATE INDEX outbox_due ON outbox (due_at)",
];

/// Restrictions, limits, several secrets per key; the chained trail; the feed outbox.
const SECOND: &[&str] = &[
    // Counts changes of the settings; `outage_seconds` as in the record.
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
    // Each line as it is served, with its hash; the other columns are for filters.
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
    // Feed outbox: the version from which records are valid. The key's locator, or '' for all.
    "CREATE TABLE announcements (
        subject TEXT PRIMARY KEY,
        version INTEGER NOT NULL
    ) WITHOUT ROWID",
];

/// Roles and owners; stored responses of idempotent requests.
const THIRD: &[&str] = &[
    "CREATE TABLE people (
        person TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer'))
    ) WITHOUT ROWID",
    "INSERT INTO people (person, name, role) SELECT person, name, role FROM members",
    "DROP TABLE members",
    "ALTER TABLE people RENAME TO members",
    // Owner: the creator. NULL if unknown.
    "ALTER TABLE keys ADD COLUMN owner TEXT",
    "UPDATE keys SET owner = (SELECT person FROM members WHERE members.name = keys.created_by)",
    "CREATE INDEX keys_owned ON keys (owner, number) WHERE deleted_at IS NULL",
    // Hash of actor, command and idempotency key; hash of the body. The response holds no secret.
    "CREATE TABLE requests (
        slot BLOB PRIMARY KEY CHECK (length(slot) = 32),
        body BLOB NOT NULL CHECK (length(body) = 32),
        answer TEXT NOT NULL,
        effective_at INTEGER,
        kept_until INTEGER NOT NULL
    ) WITHOUT ROWID",
    "CREATE INDEX requests_kept ON requests (kept_until)",
];

/// Staged imports; periodic tasks; the master secrets of keys and records.
const FOURTH: &[&str] = &[
    // Lines of a file to be imported.
    "CREATE TABLE staged (
        number INTEGER PRIMARY KEY,
        line TEXT NOT NULL,
        at INTEGER NOT NULL
    )",
    // Periodic tasks: due time, failures since the last success, and the last key of a pass.
    "CREATE TABLE chores (
        name TEXT PRIMARY KEY,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        after INTEGER NOT NULL DEFAULT 0,
        begun_at INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
    // Ids of the master secrets that tagged a key's locator and sealed its record in KV; NULL if
    // unknown.
    "ALTER TABLE keys ADD COLUMN issuer INTEGER",
    "ALTER TABLE keys ADD COLUMN published_master INTEGER",
];

/// Meters of purged keys, to be cleared.
const FIFTH: &[&str] = &[
    "CREATE TABLE meters (
        locator TEXT PRIMARY KEY,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID",
    "CREATE INDEX meters_due ON meters (due_at)",
];

/// Clean-up after a purge; the former outage grace period.
const SIXTH: &[&str] = &[
    // Meter and KV replica of a purged key.
    "ALTER TABLE meters RENAME TO leftovers",
    "DROP INDEX meters_due",
    "CREATE INDEX leftovers_due ON leftovers (due_at)",
    // Longest outage grace period in seconds before a change that is unpublished.
    "ALTER TABLE workspace ADD COLUMN patient_seconds INTEGER NOT NULL DEFAULT 0",
    // Time until which some edge may use the former grace period.
    "ALTER TABLE workspace ADD COLUMN patient_until INTEGER NOT NULL DEFAULT 0",
];

/// Key numbers that are not reused.
const SEVENTH: &[&str] = &[
    // Smallest number of the next key. Smaller ones may have been used before an import.
    "ALTER TABLE workspace ADD COLUMN next_key INTEGER NOT NULL DEFAULT 0",
];

/// Search over folded text; session events; check values of the master secrets.
const EIGHTH: &[&str] = &[
    // Per action: lines in the hour that starts then, and events left out since the last line.
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
    // Name, description and locator, folded; NULL until backfilled.
    "ALTER TABLE keys ADD COLUMN searched TEXT",
    "CREATE INDEX keys_not_searched ON keys (number) WHERE searched IS NULL",
];
