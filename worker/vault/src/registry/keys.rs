//! The commands on one key. Each is one transaction: the key, its line in the audit trail, what the feed must be
//! told and what KV must be given, or nothing.

use super::{
    announce,
    members::member,
    outbox,
    rows::{COLUMNS, KeyRow, find, time},
    trail::{self, Actor, Change},
};
use crate::{answer::Done, database::Database};
use ownchat_domain::{
    audit::Action,
    digest::KeyDigest,
    failure::Failure,
    key::{Key, KeySecret, widens_only},
    keyring::Keyring,
    locator::{Address, Locator},
    time::Timestamp,
    vault::registry::{ChangeKey, CreateKey, DeleteKey, ReadKey},
};

/// A key after a command.
#[derive(Debug)]
pub struct Outcome {
    /// The key.
    pub key: Key,
    /// Whether somebody who passed before may be refused now.
    pub narrowed: bool,
}

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
            details,
            active: true,
            reason: None,
            created_at: now,
            created_by: member.name.clone(),
            updated_at: now,
            version: 1,
            deleted_at: None,
            secrets: vec![KeySecret { number: 1, created_at: now, ends_at: None }],
        };
        let places = vec!["?"; COLUMNS.split(',').count()].join(", ");
        database.run(&format!("INSERT INTO keys ({COLUMNS}) VALUES ({places})"), &row.values()?)?;
        let master = keyring.newest();
        database.run("UPDATE keys SET issuer = ? WHERE number = ?", &[i64::from(master.id).into(), number.into()])?;
        let digest = KeyDigest::of(&call.secret, locator, &master.pepper);
        database.run(
            "INSERT INTO secrets (key, number, master, digest, created_at) VALUES (?, 1, ?, ?, ?)",
            &[number.into(), i64::from(master.id).into(), digest.as_bytes().as_slice().into(), time(now)],
        )?;
        let actor = Actor { origin: Some(&call.origin), name: &member.name };
        trail::append(database, actor, Change::of_key(Action::Create, None, Some(&row), now)?, now)?;
        outbox::enqueue(database, number, now)?;
        Ok(row.shown(now))
    })
}

/// Reads a key that was not deleted.
pub fn read(database: &impl Database, call: &ReadKey, now: Timestamp) -> Done<Key> {
    member(database, call.person)?;
    Ok(present(database, call.id)?.shown(now))
}

/// Changes a key. What changes nothing is no change: no new version, no line in the trail.
pub fn change(database: &impl Database, call: &ChangeKey, now: Timestamp) -> Done<Outcome> {
    let member = member(database, call.origin.person)?;
    let before = present(database, call.id)?;
    let patch = call.patch.check(now)?;
    let (active, reason) = (patch.active.unwrap_or(before.active), patch.reason.clone());
    let details = patch.apply(&before.details)?;
    if before.version != call.version {
        return Err(Failure::Stale.into());
    }
    let kept = if before.active == active { before.reason.clone() } else { None };
    let shown_reason = if active { None } else { reason.clone().or(kept) };
    let mut after = KeyRow { details, active, reason: shown_reason, ..before.clone() };
    if after == before {
        return Ok(Outcome { key: after.shown(now), narrowed: false });
    }
    after.version += 1;
    after.updated_at = now;
    let action = match (before.active, after.active) {
        (false, true) => Action::Activate,
        (true, false) => Action::Deactivate,
        _ => Action::Edit,
    };
    let actor = Actor { origin: Some(&call.origin), name: &member.name };
    let change = Change { reason, ..Change::of_key(action, Some(&before), Some(&after), now)? };
    store(database, actor, &after, change, now)?;
    Ok(Outcome { key: after.shown(now), narrowed: narrows(&before, &after) })
}

fn narrows(before: &KeyRow, after: &KeyRow) -> bool {
    (before.active && !after.active) || !widens_only(&before.details, &after.details)
}

/// Deletes a key. Its row stays, so that the edge is told, the trail keeps its object, and it can be restored.
pub fn delete(database: &impl Database, call: &DeleteKey, now: Timestamp) -> Done<Outcome> {
    let member = member(database, call.origin.person)?;
    let before = present(database, call.id)?;
    if before.version != call.version {
        return Err(Failure::Stale.into());
    }
    let after = KeyRow { deleted_at: Some(now), version: before.version + 1, updated_at: now, ..before.clone() };
    let actor = Actor { origin: Some(&call.origin), name: &member.name };
    store(database, actor, &after, Change::of_key(Action::Delete, Some(&before), None, now)?, now)?;
    Ok(Outcome { key: after.shown(now), narrowed: true })
}

/// Stores a changed key with everything that belongs to a change, or nothing.
pub fn store(database: &impl Database, actor: Actor<'_>, after: &KeyRow, change: Change, now: Timestamp) -> Done<()> {
    database.atomically(|| {
        let places: Vec<String> = COLUMNS.split(',').map(|column| format!("{} = ?", column.trim())).collect();
        let mut values = after.values()?;
        values.push(after.number.into());
        database.run(&format!("UPDATE keys SET {} WHERE number = ?", places.join(", ")), &values)?;
        trail::append(database, actor, change, now)?;
        // Not only what narrows: what was widened is known at once then, too.
        announce::of_key(database, after.locator, after.version)?;
        Ok(outbox::enqueue(database, after.number, now)?)
    })
}

/// The key, unless it was deleted.
pub fn present(database: &impl Database, id: Locator) -> Done<KeyRow> {
    let found = find(database, id)?.filter(|row| row.deleted_at.is_none());
    Ok(found.ok_or(Failure::NotFound)?)
}

#[cfg(test)]
#[path = "keys/tests.rs"]
mod tests;
