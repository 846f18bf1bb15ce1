//! The rest of a key's life: new secrets beside old ones, coming back from deletion, and the end for good.

use super::{
    announce,
    chores::{self, Chore},
    idempotency::Claim,
    keys::{Outcome, present, store},
    leftovers,
    members::member,
    rows::{KeyRow, find, time},
    trail::{self, Actor, Change, VAULT},
};
use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    audit::Action,
    digest::KeyDigest,
    failure::Failure,
    key::{Key, KeySecret, OVERLAP_MAX, RESTORE_WITHIN},
    keyring::Keyring,
    locator::Locator,
    role::{Command, Grant},
    time::{SECOND, Timestamp},
    vault::registry::{EndOldSecrets, ReadDeleted, RestoreKey, RotateKey},
};

/// Most secrets of one key that still open it, the new one included.
const SECRETS_MAX: usize = 5;
/// Most secrets of one key that open it no more and are still listed.
const ENDED_MAX: usize = 10;
/// Most keys that are removed for good in one go; the rest follow with the next.
const PURGE_BATCH: i64 = 100;

/// Gives a key a new secret. The old ones end after the overlap, or when they would have ended
/// anyway. None ends earlier than an overlap before has promised, unless the caller says so.
pub fn rotate(database: &impl Database, keyring: &Keyring, call: &RotateKey, now: Timestamp) -> CommandResult<Outcome> {
    let member = member(database, &call.origin.caller)?;
    let before = present(database, call.id)?;
    let grant = Grant::again(&before.details);
    member.may(Command::RotateKey, Some(&before), Some(&grant), now)?;
    let claim = Claim::of::<RotateKey>(call.once.as_ref(), &call.origin.caller, &call.id.to_string());
    if let Some(first) = claim.answered(database, now)? {
        let settled = first.effective_at;
        let left_until = left_until(&first.key.secrets);
        return Ok(Outcome { left_until, replayed: true, settled, ..Outcome::new(first.key, true) });
    }
    let overlap = i64::from(call.overlap_seconds) * SECOND;
    if overlap > OVERLAP_MAX {
        let days = OVERLAP_MAX / ownchat_domain::time::DAY;
        return Err(Failure::field("overlap_seconds", format!("An overlap has at most {days} days.")).into());
    }
    if before.version != call.version {
        return Err(Failure::Stale.into());
    }
    let end = now.plus(overlap);
    let promised = left_until(&before.secrets).filter(|promised| *promised > end && !call.end_earlier);
    if let Some(promised) = promised {
        let until = promised.rfc3339();
        let message = format!(
            "An old secret was promised to work until {until}. Let the overlap last until then, or send \"end_earlier\": true."
        );
        return Err(Failure::field("overlap_seconds", message).into());
    }
    let mut after = ended(&before, end, now);
    let working = after.secrets.iter().filter(|secret| secret.ends_at.is_none_or(|end| end > now)).count();
    if working >= SECRETS_MAX {
        let message = format!("The key has {working} secrets that still work. End the old ones first.");
        return Err(Failure::field("overlap_seconds", message).into());
    }
    let forgotten = forget_ended(&mut after.secrets, now);
    let number = after.secrets.iter().map(|secret| secret.number).max().unwrap_or(0) + 1;
    after.secrets.push(KeySecret { number, created_at: now, ends_at: None, last_used_at: None });
    let actor = Actor { origin: Some(&call.origin), name: &member.name };
    let key = after.shown(now);
    database.transaction(|| {
        let master = keyring.newest();
        let digest = KeyDigest::of(&call.secret, before.locator, &master.pepper);
        database.run(
            "INSERT INTO secrets (key, number, master, digest, created_at) VALUES (?, ?, ?, ?, ?)",
            &[
                before.number.into(),
                number.into(),
                i64::from(master.id).into(),
                digest.as_bytes().as_slice().into(),
                time(now),
            ],
        )?;
        store_secrets(database, &after)?;
        for number in forgotten {
            database.run("DELETE FROM secrets WHERE key = ? AND number = ?", &[before.number.into(), number.into()])?;
        }
        let change = Change::of_key(Action::Rotate, Some(&before), Some(&after), now)?;
        store(database, actor, &after, change, now)?;
        claim.keep(database, &key, now)
    })?;
    Ok(Outcome { left_until: left_until(&key.secrets), ..Outcome::new(key, true) })
}

/// Takes out the secrets that ended longest ago, but for the last few. Says which; the trail still names them.
fn forget_ended(secrets: &mut Vec<KeySecret>, now: Timestamp) -> Vec<u32> {
    let mut ended: Vec<(Timestamp, u32)> =
        secrets.iter().filter_map(|secret| Some((secret.ends_at.filter(|end| *end <= now)?, secret.number))).collect();
    ended.sort_unstable();
    ended.truncate(ended.len().saturating_sub(ENDED_MAX));
    let forgotten: Vec<u32> = ended.into_iter().map(|(_, number)| number).collect();
    secrets.retain(|secret| !forgotten.contains(&secret.number));
    forgotten
}

/// Until when an old secret works, if one has an end.
fn left_until(secrets: &[KeySecret]) -> Option<Timestamp> {
    secrets.iter().filter_map(|secret| secret.ends_at).max()
}

/// Ends every secret but the newest at once.
pub fn end_old_secrets(database: &impl Database, call: &EndOldSecrets, now: Timestamp) -> CommandResult<Outcome> {
    let member = member(database, &call.origin.caller)?;
    let before = present(database, call.id)?;
    member.may(Command::EndOldSecrets, Some(&before), None, now)?;
    let mut after = ended(&before, now, now);
    if let (Some(newest), Some(was)) = (after.secrets.last_mut(), before.secrets.last()) {
        newest.ends_at = was.ends_at;
    }
    if after.secrets == before.secrets {
        return Ok(Outcome::repeated(before.shown(now)));
    }
    let actor = Actor { origin: Some(&call.origin), name: &member.name };
    database.transaction(|| {
        store_secrets(database, &after)?;
        let change = Change::of_key(Action::EndSecret, Some(&before), Some(&after), now)?;
        store(database, actor, &after, change, now)
    })?;
    Ok(Outcome::new(after.shown(now), true))
}

/// The key in its next version, with every secret ending at `end` or earlier.
fn ended(before: &KeyRow, end: Timestamp, now: Timestamp) -> KeyRow {
    let mut after = KeyRow { version: before.version + 1, updated_at: now, ..before.clone() };
    for secret in &mut after.secrets {
        secret.ends_at = Some(secret.ends_at.map_or(end, |was| was.min(end)));
    }
    after
}

fn store_secrets(database: &impl Database, row: &KeyRow) -> CommandResult<()> {
    for secret in &row.secrets {
        database.run(
            "UPDATE secrets SET ends_at = ? WHERE key = ? AND number = ?",
            &[secret.ends_at.map(Timestamp::millis).into(), row.number.into(), secret.number.into()],
        )?;
    }
    Ok(())
}

/// Reads a key that was deleted and can be restored.
pub fn read_deleted(database: &impl Database, call: &ReadDeleted, now: Timestamp) -> CommandResult<Key> {
    let member = member(database, &call.caller)?;
    let can_be_restored = |row: &KeyRow| row.deleted_at.is_some_and(|at| now.since(at) < RESTORE_WITHIN);
    let row = find(database, call.id)?.filter(can_be_restored).ok_or(Failure::NotFound)?;
    member.may(Command::ReadKey, Some(&row), None, now)?;
    Ok(row.shown(now))
}

/// Undoes a deletion. Asked again, when the answer was lost or told of trouble, it changes nothing.
pub fn restore(database: &impl Database, call: &RestoreKey, now: Timestamp) -> CommandResult<Outcome> {
    let member = member(database, &call.origin.caller)?;
    let before = find(database, call.id)?.ok_or(Failure::NotFound)?;
    let may_come_back = match before.deleted_at {
        Some(deleted_at) => now.since(deleted_at) < RESTORE_WITHIN,
        None => trail::last_action(database, call.id)? == Some(Action::Restore),
    };
    if !may_come_back {
        return Err(Failure::NotFound.into());
    }
    let grant = Grant::again(&before.details);
    member.may(Command::RestoreKey, Some(&before), Some(&grant), now)?;
    if before.deleted_at.is_none() {
        return Ok(Outcome::repeated(before.shown(now)));
    }
    let untold = announce::waits(database, Some(call.id))?;
    let after = KeyRow { deleted_at: None, version: before.version + 1, updated_at: now, ..before.clone() };
    let actor = Actor { origin: Some(&call.origin), name: &member.name };
    store(database, actor, &after, Change::of_key(Action::Restore, Some(&before), Some(&after), now)?, now)?;
    Ok(Outcome::new(after.shown(now), untold))
}

/// What became of a purge.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// The keys that were removed.
    pub gone: Vec<Locator>,
    /// What could not be removed and why, for the log.
    pub troubles: Vec<String>,
}

/// Removes for good what was deleted too long ago to be restored: row and digests go, the trail stays. What cannot
/// be removed keeps nothing else from it, and is tried again later, and later each time.
pub fn purge(database: &impl Database, now: Timestamp) -> CommandResult<Purged> {
    let mut purged = Purged::default();
    if chores::standing(database, Chore::Purge)?.due_at > now {
        return Ok(purged);
    }
    let due = database.run(
        "SELECT number, locator FROM keys WHERE deleted_at <= ? ORDER BY deleted_at LIMIT ?",
        &[time(now.plus(-RESTORE_WITHIN)), PURGE_BATCH.into()],
    )?;
    for mut row in due {
        let (number, locator) = (row.integer()?, row.text()?);
        match remove(database, number, &locator, now) {
            Ok(key) => purged.gone.push(key),
            Err(refusal) => purged.troubles.push(format!("purge: key {locator}: {refusal:?}")),
        }
    }
    if purged.troubles.is_empty() {
        chores::done(database, Chore::Purge, now)?;
    } else {
        chores::failed(database, Chore::Purge, now)?;
    }
    Ok(purged)
}

fn remove(database: &impl Database, number: i64, locator: &str, now: Timestamp) -> CommandResult<Locator> {
    let locator = locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
    let key = find(database, locator)?.ok_or_else(|| DatabaseError("no such key".into()))?;
    database.transaction(|| {
        trail::append(database, VAULT, Change::of_key(Action::Purge, Some(&key), None, now)?, now)?;
        for sql in [
            "DELETE FROM secrets WHERE key = ?",
            "DELETE FROM outbox WHERE key = ?",
            "DELETE FROM keys WHERE number = ?",
        ] {
            database.run(sql, &[number.into()])?;
        }
        leftovers::of_key(database, locator, now)?;
        Ok(locator)
    })
}

/// When something is due to be removed for good, if anything waits for it.
pub fn next_purge(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    let row = database.first("SELECT min(deleted_at) FROM keys WHERE deleted_at IS NOT NULL", &[])?;
    let Some(eldest) = row.map(|mut row| row.optional_integer()).transpose()?.flatten() else { return Ok(None) };
    let due = Timestamp::from_millis(eldest).plus(RESTORE_WITHIN);
    Ok(Some(due.max(chores::standing(database, Chore::Purge)?.due_at)))
}

#[cfg(test)]
mod tests;
