//! Table of keys: all statements on it. A test fails if another file has one.
//!
//! Those that fill a queue from it are here too.

use super::{COLUMNS, KeyRow, search_text, secrets, time};
use crate::database::{Database, DatabaseResult, SqlRow, SqlValue};
use ownchat_domain::{
    key::{KeyQuery, RESTORE_WITHIN, Sort, StatusFilter},
    locator::Locator,
    role::Visibility,
    scope::ScopeSet,
    time::{SECOND, Timestamp},
};

/// SQL condition of a working key, as [`ownchat_domain::key::state`] defines it. Both parameters
/// are the current time.
const WORKING: &str =
    "(active = 1 AND (not_before IS NULL OR not_before <= ?) AND (expires_at IS NULL OR expires_at > ?))";
const NOT_WORKING: &str =
    "NOT (active = 1 AND (not_before IS NULL OR not_before <= ?) AND (expires_at IS NULL OR expires_at > ?))";

/// Fewest characters of a word that is searched in ids too. Shorter words occur in many ids by
/// chance.
const ID_WORD_MIN: usize = 4;

/// Most keys whose column `searched` is filled in one batch.
const FILL_BATCH: i64 = 500;

/// Encodes a set of scopes as bits.
pub fn scope_bits(scopes: ScopeSet) -> SqlValue {
    SqlValue::Integer(i64::try_from(scopes.bits()).unwrap_or(i64::MAX))
}

/// Reads the keys that a condition selects, with their secrets, in one statement.
fn select(database: &impl Database, condition: &str, values: &[SqlValue]) -> DatabaseResult<Vec<KeyRow>> {
    let sql = format!("SELECT {COLUMNS}, {} FROM keys WHERE {condition}", secrets::SHOWN);
    database.run(&sql, values)?.into_iter().map(KeyRow::read).collect()
}

/// Finds a key by its locator, deleted or not.
pub fn find(database: &impl Database, locator: Locator) -> DatabaseResult<Option<KeyRow>> {
    Ok(select(database, "locator = ?", &[locator.to_string().into()])?.pop())
}

/// Returns the keys with a higher number, deleted or not, in the order of their numbers.
pub fn after(database: &impl Database, number: u32, limit: u32) -> DatabaseResult<Vec<KeyRow>> {
    select(database, "number > ? ORDER BY number LIMIT ?", &[number.into(), limit.into()])
}

/// Filters of a page of keys, and its place in the list.
pub struct KeyFilter<'a> {
    /// Filters and order.
    pub query: &'a KeyQuery,
    /// Search words of the query.
    pub words: Vec<String>,
    /// Keys that the caller sees.
    pub sight: Visibility,
    /// Number of the last key of the page before.
    pub cursor: Option<u32>,
    /// Most keys of the page.
    pub limit: u32,
}

/// Returns the keys of a page.
pub fn list(database: &impl Database, filter: KeyFilter<'_>, now: Timestamp) -> DatabaseResult<Vec<KeyRow>> {
    let query = filter.query;
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    match query.status {
        None => conditions.push("deleted_at IS NULL"),
        Some(StatusFilter::Active) => {
            conditions.extend(["deleted_at IS NULL", WORKING]);
            values.extend([time(now), time(now)]);
        }
        Some(StatusFilter::Inactive) => {
            conditions.extend(["deleted_at IS NULL", NOT_WORKING]);
            values.extend([time(now), time(now)]);
        }
        Some(StatusFilter::Deleted) => {
            conditions.push("deleted_at > ?");
            values.push(time(now.plus(-RESTORE_WITHIN)));
        }
    }
    match filter.sight {
        Visibility::All => {}
        Visibility::Of(person) => {
            conditions.push("owner = ?");
            values.push(person.to_string().into());
        }
        Visibility::One(id) => {
            conditions.push("locator = ?");
            values.push(id.to_string().into());
        }
        Visibility::Nothing => conditions.push("FALSE"),
    }
    if let Some(number) = filter.cursor {
        conditions.push(match query.sort {
            Sort::Newest => "number < ?",
            Sort::Oldest => "number > ?",
        });
        values.push(number.into());
    }
    for word in filter.words {
        conditions.push(has_word(&word));
        values.push(word.into());
    }
    if let Some(scope) = query.scope {
        conditions.push("(scopes & ?) != 0");
        values.push(scope_bits(ScopeSet::from_iter([scope])));
    }
    if let Some(environment) = query.environment {
        conditions.push("environment = ?");
        values.push(environment.as_str().into());
    }
    let order = match query.sort {
        Sort::Newest => "DESC",
        Sort::Oldest => "ASC",
    };
    values.push(filter.limit.into());
    select(database, &format!("{} ORDER BY number {order} LIMIT ?", conditions.join(" AND ")), &values)
}

/// Returns the SQL condition that the column `searched` contains a word, its one parameter.
fn has_word(word: &str) -> &'static str {
    if word.chars().count() < ID_WORD_MIN {
        "instr(substr(searched, instr(searched, char(10)) + 1), ?) > 0"
    } else {
        "instr(searched, ?) > 0"
    }
}

/// Returns true if there is any key, deleted or not.
pub fn any(database: &impl Database) -> DatabaseResult<bool> {
    Ok(database.first("SELECT 1 FROM keys LIMIT 1", &[])?.is_some())
}

/// Returns the names of present keys that contain this text.
pub fn names_with(database: &impl Database, text: &str) -> DatabaseResult<Vec<String>> {
    let rows = database.run("SELECT name FROM keys WHERE deleted_at IS NULL AND instr(name, ?) > 0", &[text.into()])?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Inserts a key without its secrets. `issuer` is the master secret that tagged its locator, if
/// known.
pub fn insert(database: &impl Database, row: &KeyRow, issuer: Option<u16>) -> DatabaseResult<()> {
    let placeholders = vec!["?"; COLUMNS.split(',').count() + 2].join(", ");
    let mut values = row.values()?;
    values.push(issuer.map(u32::from).into());
    let sql = format!("INSERT INTO keys ({COLUMNS}, searched, issuer) VALUES ({placeholders})");
    database.run(&sql, &values)?;
    Ok(())
}

/// Stores a changed key without its secrets.
pub fn update(database: &impl Database, row: &KeyRow) -> DatabaseResult<()> {
    let columns = format!("{COLUMNS}, searched").replace(',', " = ?,");
    let mut values = row.values()?;
    values.push(row.number.into());
    database.run(&format!("UPDATE keys SET {columns} = ? WHERE number = ?"), &values)?;
    Ok(())
}

/// Deletes the row of a key for good.
pub fn delete(database: &impl Database, number: i64) -> DatabaseResult<()> {
    database.run("DELETE FROM keys WHERE number = ?", &[number.into()])?;
    Ok(())
}

/// Returns number and locator of the keys that were deleted by `until`, the first deleted first.
pub fn deleted_by(database: &impl Database, until: Timestamp, limit: i64) -> DatabaseResult<Vec<(i64, String)>> {
    let rows = database.run(
        "SELECT number, locator FROM keys WHERE deleted_at <= ? ORDER BY deleted_at LIMIT ?",
        &[time(until), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.integer()?, row.text()?))).collect()
}

/// Returns the time of the first deletion of a key that is not purged.
pub fn first_deletion(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    let row = database.first("SELECT min(deleted_at) FROM keys WHERE deleted_at IS NOT NULL", &[])?;
    Ok(row.map(|mut row| row.optional_integer()).transpose()?.flatten().map(Timestamp::from_millis))
}

/// The columns of a key that the sweep needs. Its other columns may be unreadable.
pub struct SweptKey {
    pub number: i64,
    pub locator: String,
    pub environment: String,
    /// Master secret that tagged the locator, if known.
    pub issuer: Option<i64>,
    /// Time of the last write of the key's record to KV.
    pub published_at: Option<Timestamp>,
}

/// Returns the keys with a higher number, for the sweep.
pub fn swept_after(database: &impl Database, number: i64, limit: i64) -> DatabaseResult<Vec<SweptKey>> {
    let rows = database.run(
        "SELECT number, locator, environment, issuer, published_at FROM keys WHERE number > ? ORDER BY number LIMIT ?",
        &[number.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(SweptKey {
                number: row.integer()?,
                locator: row.text()?,
                environment: row.text()?,
                issuer: row.optional_integer()?,
                published_at: row.optional_integer()?.map(Timestamp::from_millis),
            })
        })
        .collect()
}

/// Stores the master secret that tagged the locator of a key.
pub fn set_issuer(database: &impl Database, number: i64, issuer: u16) -> DatabaseResult<()> {
    let values = [u32::from(issuer).into(), number.into()];
    database.run("UPDATE keys SET issuer = ? WHERE number = ?", &values)?;
    Ok(())
}

/// Stores the master secret that seals the record of a key in KV, and the time at which it was
/// written. Without a time, the former one stays.
pub fn set_published(database: &impl Database, number: i64, master: u16, at: Option<Timestamp>) -> DatabaseResult<()> {
    database.run(
        "UPDATE keys SET published_at = coalesce(?, published_at), published_master = ? WHERE number = ?",
        &[at.map(Timestamp::millis).into(), u32::from(master).into(), number.into()],
    )?;
    Ok(())
}

/// Counts the records in KV by the master secret that seals them.
pub fn count_by_seal(database: &impl Database) -> DatabaseResult<Vec<SqlRow>> {
    let sql = "SELECT published_master, count(*) FROM keys WHERE published_at IS NOT NULL GROUP BY 1";
    database.run(sql, &[])
}

/// Counts the keys by the master secret that tagged their locators.
pub fn count_by_issuer(database: &impl Database) -> DatabaseResult<Vec<SqlRow>> {
    database.run("SELECT issuer, count(*) FROM keys GROUP BY 1", &[])
}

/// Fills the column `searched` for keys from before it existed.
pub fn fill_searched(database: &impl Database) -> DatabaseResult<()> {
    loop {
        let sql = "SELECT number, name, description, locator FROM keys WHERE searched IS NULL ORDER BY number LIMIT ?";
        let rows = database.run(sql, &[FILL_BATCH.into()])?;
        if rows.is_empty() {
            return Ok(());
        }
        for mut row in rows {
            let (number, text) = (row.integer()?, search_text(&row.text()?, &row.text()?, &row.text()?));
            database.run("UPDATE keys SET searched = ? WHERE number = ?", &[text.into(), number.into()])?;
        }
    }
}

/// Queues the record of a key for KV, or the records of all keys. KV accepts one write per second
/// and key.
pub fn queue_records(database: &impl Database, number: Option<i64>, now: Timestamp) -> DatabaseResult<()> {
    let mut values = vec![time(now), SECOND.into()];
    values.extend(number.map(SqlValue::from));
    let condition = if number.is_some() { "number = ?" } else { "TRUE" };
    let sql = format!(
        "INSERT INTO outbox (key, due_at) SELECT number, max(?, coalesce(published_at, 0) + ?) FROM keys \
         WHERE {condition} ON CONFLICT (key) DO UPDATE SET attempts = 0, due_at = min(due_at, excluded.due_at)"
    );
    database.run(&sql, &values)?;
    Ok(())
}

/// Queues the record of a key for KV, unless it was written after `before` or is queued.
pub fn queue_record_from(
    database: &impl Database,
    locator: Locator,
    before: Timestamp,
    now: Timestamp,
) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO outbox (key, due_at) \
         SELECT number, ? FROM keys WHERE locator = ? AND coalesce(published_at, 0) <= ? ON CONFLICT DO NOTHING",
        &[time(now), locator.to_string().into(), time(before)],
    )?;
    Ok(())
}

/// Returns number, failed attempts and locator of the keys whose record is due.
pub fn due_records(database: &impl Database, now: Timestamp, limit: i64) -> DatabaseResult<Vec<(i64, i64, String)>> {
    let rows = database.run(
        "SELECT outbox.key, attempts, locator FROM outbox JOIN keys ON number = outbox.key \
         WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        &[time(now), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.integer()?, row.integer()?, row.text()?))).collect()
}

/// Removes the record of a key from the queue for KV, unless the key or the settings are newer.
pub fn unqueue_record(database: &impl Database, number: i64, version: u64, settings: u64) -> DatabaseResult<()> {
    let at_most = |version: u64| i64::try_from(version).unwrap_or(i64::MAX).into();
    database.run(
        "DELETE FROM outbox WHERE key = ? AND (SELECT version FROM keys WHERE number = key) <= ? \
         AND (SELECT version FROM workspace) <= ?",
        &[number.into(), at_most(version), at_most(settings)],
    )?;
    Ok(())
}

/// Queues an entry of the feed for each key. A first version has no older record, so it needs none.
pub fn queue_feed_entries(database: &impl Database) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO announcements (subject, version) SELECT locator, version FROM keys WHERE version > 1 \
         ON CONFLICT (subject) DO UPDATE SET version = max(version, excluded.version)",
        &[],
    )?;
    Ok(())
}

/// Queues all keys for a clean-up of their meters and replicas.
pub fn queue_clean_up(database: &impl Database, due_at: Timestamp) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO leftovers (locator, due_at) SELECT locator, ? FROM keys WHERE TRUE ON CONFLICT DO NOTHING",
        &[time(due_at)],
    )?;
    Ok(())
}
