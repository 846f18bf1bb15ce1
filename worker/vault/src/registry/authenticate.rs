//! Who may ask at all. Every question to the registry comes through here first, and a key that asks is checked as the
//! edge checks it, against the truth of this moment: its secret, its state, the workspace, the caller's network.

use super::rows::record;
use crate::{
    database::Database,
    object::now,
    rpc::{CommandResult, read_command, respond},
};
use ownchat_domain::{
    failure::Failure,
    keyring::Keyring,
    policy::{Call, decide},
    time::Timestamp,
    usage::LastUse,
    vault::{Asked, Caller},
    verdict::Denial,
};
use std::cell::Cell;
use worker::{Request, Response};

/// A question that came in, and what is needed to see whether whoever asks it may ask at all.
pub struct CommandRequest<'a, D> {
    /// The tables.
    pub database: &'a D,
    /// For the secrets of keys that ask.
    pub keyring: &'a Keyring,
    /// The question.
    pub request: &'a mut Request,
    /// The secret of the key that was let in, if one was.
    pub last_use: &'a Cell<Option<LastUse>>,
}

impl<D: Database> CommandRequest<'_, D> {
    /// Reads the question, and lets in who asks it.
    ///
    /// Nothing is waited for after the caller was let in: the command finds what was checked.
    pub async fn authenticate<C: Asked>(&mut self) -> worker::Result<CommandResult<C>> {
        let call: C = read_command(self.request).await?;
        Ok(authenticate(self.database, self.keyring, call.caller(), now()).map(|last_use| {
            self.last_use.set(last_use);
            call
        }))
    }

    /// Answers it with what `work` makes of it, if its caller is let in.
    pub async fn respond_with<C: Asked>(
        &mut self,
        work: impl FnOnce(&C) -> CommandResult<C::Answer>,
    ) -> worker::Result<Response> {
        let call = self.authenticate::<C>().await?;
        respond::<C>(call.and_then(|call| work(&call)))
    }
}

/// Lets a caller in. A person has shown their session before; whether they belong here is for the
/// command to see. A wrong secret looks like no key. Neither rate limits nor quotas count here. Of
/// a key it says which secret was used.
pub fn authenticate(
    database: &impl Database,
    keyring: &Keyring,
    caller: &Caller,
    now: Timestamp,
) -> CommandResult<Option<LastUse>> {
    let Caller::Key(key) = caller else { return Ok(None) };
    let call = Call { address: key.address, ..Call::default() };
    let decided = match record(database, key.id, now)? {
        Some(record) => decide(&record, &key.secret, &call, keyring, now),
        None => Err(Denial::Unknown),
    };
    let secret = decided.map_err(Failure::from)?;
    Ok(Some(LastUse { key: key.id, secret, at: now }))
}

#[cfg(test)]
mod tests;
