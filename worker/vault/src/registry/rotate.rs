//! Rotation of a key: adds a new secret and sets the grace period of the old ones.

use super::{
    idempotency::{IdempotentRequest, InFlight, InFlightGuard},
    keys::{KeyOutcome, present, store, store_secret},
    members::member,
    pipeline::Confirm,
    rows::secrets,
    trail::{AuditActor, Change},
};
use crate::{database::Database, log, rpc::CommandResult};
use ownchat_domain::{
    audit::Action,
    failure::Failure,
    key::{KeySecret, OVERLAP_MAX},
    keyring::Keyring,
    role::{Grant, Operation},
    time::{SECOND, Timestamp},
    vault::registry::{Changed, RotateKey},
};

/// Most working secrets of one key, the new one included.
const SECRETS_MAX: usize = 5;
/// Most ended secrets of one key that are still listed.
const ENDED_MAX: usize = 10;

/// Rotates a key.
///
/// Old secrets end after the requested overlap, or at their own end if that is earlier. None ends
/// before the end of an earlier grace period, unless the caller sends `end_earlier`.
pub fn rotate(
    database: &impl Database,
    keyring: &Keyring,
    command: &RotateKey,
    now: Timestamp,
) -> CommandResult<KeyOutcome> {
    let member = member(database, &command.origin.caller)?;
    let before = present(database, command.id)?;
    let grant = Grant::again(&before.details);
    member.may(Operation::RotateKey, Some(&before), Some(&grant), now)?;
    let request = request_of(command);
    if let Some(first) = request.replay(database, now)? {
        let effective_at = first.effective_at;
        let grace_until = latest_end(&first.key.secrets);
        return Ok(KeyOutcome { grace_until, replayed: true, effective_at, ..KeyOutcome::new(first.key, true) });
    }
    let overlap = i64::from(command.overlap_seconds) * SECOND;
    if overlap > OVERLAP_MAX {
        let days = OVERLAP_MAX / ownchat_domain::time::DAY;
        return Err(Failure::field("overlap_seconds", format!("An overlap has at most {days} days.")).into());
    }
    if before.version != command.version {
        return Err(Failure::Stale.into());
    }
    let end = now.plus(overlap);
    let promised = latest_end(&before.secrets).filter(|promised| *promised > end && !command.end_earlier);
    if let Some(promised) = promised {
        let until = promised.rfc3339();
        let message = format!(
            "An old secret was promised to work until {until}. Let the overlap last until then, or send \"end_earlier\": true."
        );
        return Err(Failure::field("overlap_seconds", message).into());
    }
    let mut after = before.with_secrets_ending_by(end, now);
    let working = after.secrets.iter().filter(|secret| secret.ends_at.is_none_or(|end| end > now)).count();
    if working >= SECRETS_MAX {
        let message = format!("The key has {working} secrets that still work. End the old ones first.");
        return Err(Failure::field("overlap_seconds", message).into());
    }
    let dropped = drop_ended(&mut after.secrets, now);
    let number = after.secrets.iter().map(|secret| secret.number).max().unwrap_or(0) + 1;
    after.secrets.push(KeySecret { number, created_at: now, ends_at: None, last_used_at: None });
    let actor = AuditActor { origin: Some(&command.origin), name: &member.name };
    let key = after.to_key(now);
    database.transaction(|| {
        store_secret(database, keyring, &after, &command.secret)?;
        secrets::set_ends(database, after.number, &after.secrets)?;
        for number in dropped {
            secrets::delete(database, after.number, Some(number))?;
        }
        let change = Change::of_key(Action::Rotate, Some(&before), Some(&after), now)?;
        store(database, actor, &after, change, now)?;
        request.store_response(database, &key, now)
    })?;
    Ok(KeyOutcome { grace_until: latest_end(&key.secrets), ..KeyOutcome::new(key, true) })
}

/// A rotation whose response has not been sent. The new secret is shown once and must not be lost.
pub struct RotationOutcome<'a, D> {
    database: &'a D,
    request: IdempotentRequest,
    outcome: KeyOutcome,
    _in_flight: InFlightGuard,
}

/// Rotates a key for a response that waits for the feed. Meanwhile a repeated request is refused.
pub fn rotate_once<'a, D: Database>(
    database: &'a D,
    keyring: &Keyring,
    in_flight: &InFlight,
    command: &RotateKey,
    now: Timestamp,
) -> CommandResult<RotationOutcome<'a, D>> {
    let request = request_of(command);
    let guard = in_flight.enter(request)?;
    let outcome = rotate(database, keyring, command, now)?;
    Ok(RotationOutcome { database, request, outcome, _in_flight: guard })
}

fn request_of(command: &RotateKey) -> IdempotentRequest {
    IdempotentRequest::of::<RotateKey>(command.once.as_ref(), &command.origin.caller, &command.id.to_string())
}

impl<D: Database> Confirm<Changed> for RotationOutcome<'_, D> {
    /// Succeeds in any case. Without `effective_at`, the old secrets may still work for a while.
    ///
    /// Stores the time for replays.
    fn confirm(self, published: CommandResult<Timestamp>) -> CommandResult<Changed> {
        if published == Err(Failure::NotEffectiveYet.into()) && self.outcome.effective_at.is_none() {
            let KeyOutcome { key, replayed, .. } = self.outcome;
            return Ok(Changed { key, effective_at: None, replayed });
        }
        let changed = self.outcome.confirm(published)?;
        // A retry computes the time again; the new secret is returned in any case.
        if let Some(effective_at) = changed.effective_at
            && let Err(error) = self.request.store_effective_at(self.database, effective_at)
        {
            log::error(format_args!("{error:?}"));
        }
        Ok(changed)
    }
}

/// Drops all ended secrets but the latest ones, and returns their numbers. The trail still names
/// them.
fn drop_ended(secrets: &mut Vec<KeySecret>, now: Timestamp) -> Vec<u32> {
    let mut ended: Vec<(Timestamp, u32)> =
        secrets.iter().filter_map(|secret| Some((secret.ends_at.filter(|end| *end <= now)?, secret.number))).collect();
    ended.sort_unstable();
    ended.truncate(ended.len().saturating_sub(ENDED_MAX));
    let dropped: Vec<u32> = ended.into_iter().map(|(_, number)| number).collect();
    secrets.retain(|secret| !dropped.contains(&secret.number));
    dropped
}

/// Returns the latest end of a secret, if one has an end.
fn latest_end(secrets: &[KeySecret]) -> Option<Timestamp> {
    secrets.iter().filter_map(|secret| secret.ends_at).max()
}

#[cfg(test)]
mod tests;
