//! Idempotency: stores the response to a request with an idempotency key, and replays it for a
//! repeated request.
//!
//! The response is stored in the transaction of the command, so no command runs without it.

use super::rows::time;
use crate::{
    database::{Database, DatabaseError},
    rpc::CommandResult,
};
use ownchat_domain::{
    failure::Failure,
    idempotency::{BodyHash, Idempotency, REMEMBERED_FOR, Slot},
    key::Key,
    time::Timestamp,
    vault::{Caller, Command},
};
use std::{cell::RefCell, collections::HashSet, rc::Rc};

/// Most responses that expire in one batch; the rest follow with the next.
const EXPIRE_BATCH: i64 = 500;

/// Slot and body hash of a request with an idempotency key; `None` without one.
#[derive(Clone, Copy, Debug)]
pub struct IdempotentRequest(Option<(Slot, BodyHash)>);

/// Response to the first request.
#[derive(Debug)]
pub struct StoredResponse {
    /// The key as it was then.
    pub key: Key,
    /// Time from which the change holds everywhere, if known.
    pub effective_at: Option<Timestamp>,
}

impl IdempotentRequest {
    /// Slot of a command of `caller` about `subject`, which may be empty.
    pub fn of<C: Command>(once: Option<&Idempotency>, caller: &Caller, subject: &str) -> Self {
        Self(once.map(|once| (Slot::of(&once.key, caller.actor(), C::NAME, subject), once.body)))
    }

    /// Returns the stored response of a repeated request, if there is one.
    ///
    /// # Errors
    ///
    /// `Reused` if another body was sent with the same idempotency key.
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

    /// Stores the response, within the transaction of the command.
    pub fn store_response(&self, database: &impl Database, key: &Key, now: Timestamp) -> CommandResult<()> {
        let Some((slot, body)) = &self.0 else { return Ok(()) };
        let response = serde_json::to_string(key).map_err(|error| DatabaseError(error.to_string()))?;
        database.run(
            // An expired response that was not deleted yet is replaced.
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

    /// Adds the time from which the change holds everywhere.
    pub fn store_effective_at(&self, database: &impl Database, effective_at: Timestamp) -> CommandResult<()> {
        let Some((slot, _)) = &self.0 else { return Ok(()) };
        database.run(
            "UPDATE requests SET effective_at = ? WHERE slot = ?",
            &[time(effective_at), slot.as_bytes().as_slice().into()],
        )?;
        Ok(())
    }
}

/// Deletes expired responses.
pub fn expire(database: &impl Database, now: Timestamp) -> CommandResult<()> {
    database.run(
        "DELETE FROM requests WHERE slot IN \
         (SELECT slot FROM requests WHERE kept_until <= ? ORDER BY kept_until LIMIT ?)",
        &[time(now), EXPIRE_BATCH.into()],
    )?;
    Ok(())
}

/// Returns the time at which the next response expires, if there is one.
pub fn next_due(database: &impl Database) -> CommandResult<Option<Timestamp>> {
    let row = database.first("SELECT min(kept_until) FROM requests", &[])?;
    Ok(row.map(|mut row| row.optional_integer()).transpose()?.flatten().map(Timestamp::from_millis))
}

/// Requests in flight in this instance. A command with an await between its transaction and its
/// response enters here.
#[derive(Clone, Default)]
pub struct InFlight(Rc<RefCell<HashSet<Slot>>>);

/// A request in flight, until dropped.
pub struct InFlightGuard(Option<(InFlight, Slot)>);

impl InFlight {
    /// Registers a request.
    ///
    /// # Errors
    ///
    /// `Running` while the same request is in flight.
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
