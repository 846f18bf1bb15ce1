//! Table of the keys' secrets: all statements on it. It stores peppered digests only.

use super::{moment, time};
use crate::database::{Database, DatabaseError, DatabaseResult, SqlRow, SqlValue};
use ownchat_domain::{digest::KeyDigest, key::KeySecret, time::Timestamp, transfer::SecretFacts};

/// Column for a statement on the table of keys: the secrets of the key as the API shows them, as
/// JSON. So a page of keys is one statement, not one more for each key.
pub const SHOWN: &str = "(SELECT json_group_array(json_array(number, created_at, ends_at) ORDER BY number) \
     FROM secrets WHERE key = keys.number)";

/// Reads the column [`SHOWN`]. Returns the oldest secret first.
pub fn read_shown(json: &str) -> DatabaseResult<Vec<KeySecret>> {
    let secrets: Vec<(u32, i64, Option<i64>)> = super::from_json(json)?;
    Ok(secrets
        .into_iter()
        .map(|(number, created_at, ends_at)| KeySecret {
            number,
            created_at: Timestamp::from_millis(created_at),
            ends_at: moment(ends_at),
            last_used_at: None,
        })
        .collect())
}

/// Stores a secret of a key.
pub fn insert(database: &impl Database, key: i64, secret: &SecretFacts) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO secrets (key, number, master, digest, created_at, ends_at) VALUES (?, ?, ?, ?, ?, ?)",
        &[
            key.into(),
            secret.number.into(),
            u32::from(secret.master).into(),
            secret.digest.as_bytes().as_slice().into(),
            time(secret.created_at),
            secret.ends_at.map(Timestamp::millis).into(),
        ],
    )?;
    Ok(())
}

/// Returns the secrets of a key, oldest first.
pub fn of_key(database: &impl Database, key: i64) -> DatabaseResult<Vec<SecretFacts>> {
    Ok(of_keys(database, key, key)?.into_iter().map(|(_, secret)| secret).collect())
}

/// Returns the secrets of the keys with these numbers, each with its key. Keys are in the order of
/// their numbers, the secrets of each from the oldest on.
pub fn of_keys(database: &impl Database, first: i64, last: i64) -> DatabaseResult<Vec<(i64, SecretFacts)>> {
    let rows = database.run(
        "SELECT key, number, master, digest, created_at, ends_at FROM secrets WHERE key BETWEEN ? AND ? \
         ORDER BY key, number",
        &[first.into(), last.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.integer()?, read(row)?))).collect()
}

fn read(mut row: SqlRow) -> DatabaseResult<SecretFacts> {
    Ok(SecretFacts {
        number: u32::try_from(row.integer()?).map_err(|_| DatabaseError("not the number of a secret".into()))?,
        master: u16::try_from(row.integer()?).map_err(|_| DatabaseError("not a master id".into()))?,
        digest: KeyDigest::from_bytes(row.bytes()?),
        created_at: Timestamp::from_millis(row.integer()?),
        ends_at: moment(row.optional_integer()?),
    })
}

/// Stores the end of every secret of a key.
pub fn set_ends(database: &impl Database, key: i64, secrets: &[KeySecret]) -> DatabaseResult<()> {
    for secret in secrets {
        database.run(
            "UPDATE secrets SET ends_at = ? WHERE key = ? AND number = ?",
            &[secret.ends_at.map(Timestamp::millis).into(), key.into(), secret.number.into()],
        )?;
    }
    Ok(())
}

/// Deletes one secret of a key, or all of them.
pub fn delete(database: &impl Database, key: i64, number: Option<u32>) -> DatabaseResult<()> {
    let number = SqlValue::from(number);
    database.run("DELETE FROM secrets WHERE key = ?1 AND (?2 IS NULL OR number = ?2)", &[key.into(), number])?;
    Ok(())
}

/// Counts the working secrets by the master secret that peppered their digests.
pub fn count_by_master(database: &impl Database, now: Timestamp) -> DatabaseResult<Vec<SqlRow>> {
    let sql = "SELECT master, count(*) FROM secrets WHERE ends_at IS NULL OR ends_at > ? GROUP BY 1";
    database.run(sql, &[time(now)])
}
