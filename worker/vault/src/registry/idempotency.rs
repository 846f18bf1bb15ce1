//! Requests that are done once, however often they are sent: what the first was answered is stored in the
//! transaction of its command, so that nothing is done without being remembered.

use super::rows::time;
use crate::{
    database::{Database, DatabaseError},
    rpc::CommandResult,
};
use ownchat_domain::{
    failure::Failure,
    idempotency::{BodyHash, Once, REMEMBERED_FOR, Slot},
    key::Key,
    time::Timestamp,
    vault::{Call, Caller},
};
use std::{cell::RefCell, collections::HashSet, rc::Rc};

/// Most answers that are forgotten in one go; the rest follow with the next.
const EXPIRE_BATCH: i64 = 500;

/// The place of a request among those that are done once; none if it did not ask to be.
#[derive(Clone, Copy, Debug)]
pub struct IdempotentRequest(Option<(Slot, BodyHash)>);

/// What a request was answered when it was sent first.
#[derive(Debug)]
pub struct StoredResponse {
    /// The key, as it was then.
    pub key: Key,
    /// From when on the change holds everywhere, if that is known.
    pub effective_at: Option<Timestamp>,
}

impl IdempotentRequest {
    /// The place of a command of `caller` about `subject`, which may be empty.
    pub fn of<C: Call>(once: Option<&Once>, caller: &Caller, subject: &str) -> Self {
        Self(once.map(|once| (Slot::of(&once.key, caller.actor(), C::NAME, subject), once.body)))
    }

    /// What the same request was answered before, if it was sent before. Another one of that name is refused.
    pub fn replay(&self, database: &impl Database, now: Timestamp) -> CommandResult<Option<StoredResponse>> {
        let Some((slot, body)) = &self.0 else { return Ok(None) };
        let found = database.first(
            "SELECT body, answer, effective_at FROM requests WHERE slot = ? AND kept_until > ?",
            &[slot.as_bytes().as_slice().into(), time(now)],
        )?;
        let Some(mut row) = found else { return Ok(None) };
        if BodyHash::from_bytes(row.bytes()?) != *body {
            return Err(Failure::Reused.into());
        }
        let key = serde_json::from_str(&row.text()?).map_err(|error| DatabaseError(error.to_string()))?;
        let effective_at = row.optional_integer()?.map(Timestamp::from_millis);
        Ok(Some(StoredResponse { key, effective_at }))
    }

    /// Stores the answer. Belongs into the transaction of the command.
    pub fn store_response(&self, database: &impl Database, key: &Key, now: Timestamp) -> CommandResult<()> {
        let Some((slot, body)) = &self.0 else { return Ok(()) };
        let response = serde_json::to_string(key).map_err(|error| DatabaseError(error.to_string()))?;
        database.run(
            // What is replaced is a name that was forgotten and not yet removed.
            "INSERT OR REPLACE INTO requests (slot, body, answer, kept_until) VALUES (?, ?, ?, ?)",
            &[
                slot.as_bytes().as_slice().into(),
                body.as_bytes().as_slice().into(),
                response.into(),
                time(now.plus(REMEMBERED_FOR)),
            ],
        )?;
        Ok(())
    }

    /// Adds to the answer from when on the change holds everywhere.
    pub fn store_effective_at(&self, database: &impl Database, effective_at: Timestamp) -> CommandResult<()> {
        let Some((slot, _)) = &self.0 else { return Ok(()) };
        database.run(
            "UPDATE requests SET effective_at = ? WHERE slot = ?",
            &[time(effective_at), slot.as_bytes().as_slice().into()],
        )?;
        Ok(())
    }
}

/// Forgets the answers whose time is over.
pub fn expire(database: &impl Database, now: Timestamp) -> CommandResult<()> {
    database.run(
        "DELETE FROM requests WHERE slot IN \
         (SELECT slot FROM requests WHERE kept_until <= ? ORDER BY kept_until LIMIT ?)",
        &[time(now), EXPIRE_BATCH.into()],
    )?;
    Ok(())
}

/// When an answer is due to be forgotten, if there is any.
pub fn next_due(database: &impl Database) -> CommandResult<Option<Timestamp>> {
    let row = database.first("SELECT min(kept_until) FROM requests", &[])?;
    Ok(row.map(|mut row| row.optional_integer()).transpose()?.flatten().map(Timestamp::from_millis))
}

/// The requests that are being worked on in this instance. Commands that wait for others between doing and
/// answering enter here.
#[derive(Clone, Default)]
pub struct InFlight(Rc<RefCell<HashSet<Slot>>>);

/// A request that is being worked on, until this is dropped.
pub struct InFlightGuard(Option<(InFlight, Slot)>);

impl InFlight {
    /// Notes a request; refuses it while the same is being worked on.
    pub fn enter(&self, request: IdempotentRequest) -> CommandResult<InFlightGuard> {
        let Some((slot, _)) = request.0 else { return Ok(InFlightGuard(None)) };
        if self.0.borrow_mut().insert(slot) {
            Ok(InFlightGuard(Some((self.clone(), slot))))
        } else {
            Err(Failure::Running.into())
        }
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        if let Some((in_flight, slot)) = &self.0 {
            in_flight.0.borrow_mut().remove(slot);
        }
    }
}

#[cfg(test)]
mod tests;
