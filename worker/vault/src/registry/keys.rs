//! The commands on one key. Each is one transaction: the key, its audit row and its outbox row, or nothing.

use super::{
    audit::{self, Action},
    members::member,
    outbox,
    rows::{COLUMNS, KeyRow, scope_bits, time},
};
use crate::{answer::Done, database::Database};
use ownchat_domain::{
    digest::KeyDigest,
    failure::Failure,
    key::Key,
    keyring::Keyring,
    locator::{Address, Locator},
    time::Timestamp,
    vault::registry::{ChangeKey, CreateKey, DeleteKey, ReadKey},
};

/// Makes a key.
pub fn create(
    database: &impl Database,
    keyring: &Keyring,
    workspace: u32,
    call: &CreateKey,
    now: Timestamp,
) -> Done<Key> {
    let member = member(database, call.origin.person)?;
    let details = call.key.check(now)?;
    database.atomically(|| {
        let number = database
            .first("UPDATE workspace SET last_key = last_key + 1 RETURNING last_key", &[])?
            .ok_or(Failure::NotFound)?
            .integer()?;
        // A workspace would have to make a key a second for 136 years to run out of numbers.
        let address = Address { workspace, number: u32::try_from(number).map_err(|_| Failure::Unavailable)? };
        let locator = Locator::issue(keyring, address, details.environment);
        let row = KeyRow {
            number,
            locator,
            environment: details.environment,
            name: details.name.clone(),
            description: details.description.clone(),
            scopes: details.scopes,
            active: true,
            expires_at: details.expires_at,
            created_at: now,
            created_by: member.name.clone(),
            updated_at: now,
            version: 1,
            deleted_at: None,
        };
        insert(database, &row)?;
        let master = keyring.newest();
        let digest = KeyDigest::of(&call.secret, locator, &master.pepper);
        database.run(
            "INSERT INTO secrets (key, master, digest, created_at) VALUES (?, ?, ?, ?)",
            &[number.into(), i64::from(master.id).into(), digest.as_bytes().as_slice().into(), time(now)],
        )?;
        audit::append(database, &call.origin, Action::Create, None, Some(&row), now)?;
        outbox::enqueue(database, number, now)?;
        Ok(row.shown(now))
    })
}

fn insert(database: &impl Database, row: &KeyRow) -> Done<()> {
    database.run(
        &format!("INSERT INTO keys ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        &[
            row.number.into(),
            row.locator.to_string().into(),
            row.environment.as_str().into(),
            row.name.as_str().into(),
            row.description.as_str().into(),
            scope_bits(row.scopes),
            row.active.into(),
            row.expires_at.map(Timestamp::millis).into(),
            time(row.created_at),
            row.created_by.as_str().into(),
            time(row.updated_at),
            i64::try_from(row.version).unwrap_or(i64::MAX).into(),
            row.deleted_at.map(Timestamp::millis).into(),
        ],
    )?;
    Ok(())
}

/// Reads a key.
pub fn read(database: &impl Database, call: &ReadKey, now: Timestamp) -> Done<Key> {
    member(database, call.person)?;
    Ok(find(database, call.id)?.shown(now))
}

/// Changes a key. What changes nothing is no change: no new version, no audit row.
pub fn change(database: &impl Database, call: &ChangeKey, now: Timestamp) -> Done<Key> {
    member(database, call.origin.person)?;
    let before = find(database, call.id)?;
    let patch = call.patch.check(now)?;
    if before.version != call.version {
        return Err(Failure::Stale.into());
    }
    let mut after = KeyRow {
        name: patch.name.unwrap_or_else(|| before.name.clone()),
        description: patch.description.unwrap_or_else(|| before.description.clone()),
        active: patch.active.unwrap_or(before.active),
        scopes: patch.scopes.unwrap_or(before.scopes),
        expires_at: patch.expires_at.unwrap_or(before.expires_at),
        ..before.clone()
    };
    if after != before {
        after.version += 1;
        after.updated_at = now;
        database.atomically(|| {
            update(database, &after)?;
            audit::append(database, &call.origin, Action::of(&before, &after), Some(&before), Some(&after), now)?;
            outbox::enqueue(database, after.number, now)
        })?;
    }
    Ok(after.shown(now))
}

/// Deletes a key. Its row stays, so that the edge is told and the trail keeps its object.
pub fn delete(database: &impl Database, call: &DeleteKey, now: Timestamp) -> Done<()> {
    member(database, call.origin.person)?;
    let before = find(database, call.id)?;
    if before.version != call.version {
        return Err(Failure::Stale.into());
    }
    let after = KeyRow { deleted_at: Some(now), version: before.version + 1, updated_at: now, ..before.clone() };
    database.atomically(|| {
        update(database, &after)?;
        audit::append(database, &call.origin, Action::Delete, Some(&before), None, now)?;
        outbox::enqueue(database, after.number, now)
    })
}

fn update(database: &impl Database, row: &KeyRow) -> Done<()> {
    database.run(
        "UPDATE keys SET name = ?, description = ?, scopes = ?, active = ?, expires_at = ?, updated_at = ?, \
         version = ?, deleted_at = ? WHERE number = ?",
        &[
            row.name.as_str().into(),
            row.description.as_str().into(),
            scope_bits(row.scopes),
            row.active.into(),
            row.expires_at.map(Timestamp::millis).into(),
            time(row.updated_at),
            i64::try_from(row.version).unwrap_or(i64::MAX).into(),
            row.deleted_at.map(Timestamp::millis).into(),
            row.number.into(),
        ],
    )?;
    Ok(())
}

fn find(database: &impl Database, id: Locator) -> Done<KeyRow> {
    let found = database.first(
        &format!("SELECT {COLUMNS} FROM keys WHERE locator = ? AND deleted_at IS NULL"),
        &[id.to_string().into()],
    )?;
    Ok(KeyRow::read(found.ok_or(Failure::NotFound)?)?)
}

#[cfg(test)]
#[path = "keys/tests.rs"]
mod tests;
