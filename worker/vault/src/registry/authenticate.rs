//! Authentication of callers at the management API. Every command passes here first.
//!
//! A key is checked by the rules of the edge, against its current state: secret, status, workspace,
//! client network.

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

/// An incoming command, with all that authenticates its caller.
pub struct CommandRequest<'a, D> {
    pub database: &'a D,
    /// Verifies the secret of a calling key.
    pub keyring: &'a Keyring,
    pub http: &'a mut Request,
    /// Last use of the calling key, once it is authenticated.
    pub last_use: &'a Cell<Option<LastUse>>,
}

impl<D: Database> CommandRequest<'_, D> {
    /// Reads the command and authenticates its caller.
    ///
    /// There is no await after authentication, so the command runs on the state that was checked.
    pub async fn authenticate<C: Asked>(&mut self) -> worker::Result<CommandResult<C>> {
        let command: C = read_command(self.http).await?;
        Ok(authenticate(self.database, self.keyring, command.caller(), now()).map(|last_use| {
            self.last_use.set(last_use);
            command
        }))
    }

    /// Authenticates the caller, and responds with the result of `work`.
    pub async fn reply<C: Asked>(
        &mut self,
        work: impl FnOnce(&C) -> CommandResult<C::Answer>,
    ) -> worker::Result<Response> {
        let command = self.authenticate::<C>().await?;
        respond::<C>(command.and_then(|command| work(&command)))
    }
}

/// Authenticates a caller. Returns the last use of a calling key.
///
/// A person's session was verified before; the command checks their membership. A wrong secret
/// looks like an unknown key. Rate limits and quotas do not count here.
pub fn authenticate(
    database: &impl Database,
    keyring: &Keyring,
    caller: &Caller,
    now: Timestamp,
) -> CommandResult<Option<LastUse>> {
    let Caller::Key(key) = caller else { return Ok(None) };
    let request = Call { address: key.address, ..Call::default() };
    let decided = match record(database, key.id, now)? {
        Some(record) => decide(&record, &key.secret, &request, keyring, now),
        None => Err(Denial::Unknown),
    };
    let secret = decided.map_err(Failure::from)?;
    Ok(Some(LastUse { key: key.id, secret, at: now }))
}

#[cfg(test)]
mod tests;
