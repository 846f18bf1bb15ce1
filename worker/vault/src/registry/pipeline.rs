//! Way of a command through a workspace: sender, function, follow-up.
//!
//! A new command is a line in [`super::commands`] and changes nothing here.

use super::{authenticate::authenticate, idempotency::InFlight};
use crate::{
    rpc::{CommandResult, command_from, respond},
    storage::Storage,
};
use ownchat_domain::{
    keyring::Keyring,
    time::Timestamp,
    usage::LastUse,
    vault::{Command, WithCaller},
};
use std::{cell::Cell, future::Future, pin::Pin};
use worker::{Env, Response, Result, wasm_bindgen::JsValue};

/// A command that has arrived, with everything that its function may need.
pub struct Incoming<'a> {
    pub database: &'a Storage,
    pub keyring: &'a Keyring,
    pub env: &'a Env,
    pub in_flight: &'a InFlight,
    /// Number of the workspace.
    pub workspace: u32,
    pub now: Timestamp,
    /// JSON of the command.
    pub body: JsValue,
    /// Last use of the calling key, once it is authenticated.
    pub last_use: Cell<Option<LastUse>>,
}

/// The follow-up of a command whose function has run.
pub enum FollowUp<'a> {
    /// None: the response is ready.
    Reply(Response),
    /// Sets the alarm for the work that the command has queued.
    Queue(Response),
    /// Publishes the change to the feed, and responds with the result.
    Publish(Box<dyn FnOnce(CommandResult<Timestamp>) -> Result<Response> + 'a>),
    /// Waits for another object.
    Wait(Pin<Box<dyn Future<Output = Result<Response>> + 'a>>),
}

/// Outcome of a command that can take access away.
pub trait Confirm<A> {
    /// Returns the response.
    ///
    /// `published` is the time from which everything published holds everywhere, or the failure to
    /// publish. A command that took access away must not succeed with such a failure.
    fn confirm(self, published: CommandResult<Timestamp>) -> CommandResult<A>;
}

impl Incoming<'_> {
    /// Accepts a command of a caller, once the caller is authenticated.
    ///
    /// There is no await until the function has run, so it runs on the state that was checked.
    pub fn by_caller<C: WithCaller>(&self) -> Result<Accepted<C>> {
        let command: C = command_from(self.body.clone())?;
        Ok(Accepted(authenticate(self.database, self.keyring, command.caller(), self.now).map(|last_use| {
            self.last_use.set(last_use);
            command
        })))
    }

    /// Accepts a command of another object of the vault.
    pub fn by_object<C: Command>(&self) -> Result<Accepted<C>> {
        Ok(Accepted(Ok(command_from(self.body.clone())?)))
    }
}

/// A command whose sender is accepted, or the reason for which it is refused.
pub struct Accepted<C>(CommandResult<C>);

impl<C: Command> Accepted<C> {
    /// Runs a function without follow-up.
    pub fn reply<'a>(self, run: impl FnOnce(&C) -> CommandResult<C::Answer>) -> Result<FollowUp<'a>> {
        Ok(FollowUp::Reply(respond::<C>(self.0.and_then(|command| run(&command)))?))
    }

    /// Runs a function that queues work for the alarm.
    pub fn queue<'a>(self, run: impl FnOnce(&C) -> CommandResult<C::Answer>) -> Result<FollowUp<'a>> {
        let result = self.0.and_then(|command| run(&command));
        let has_queued = result.is_ok();
        let response = respond::<C>(result)?;
        Ok(if has_queued { FollowUp::Queue(response) } else { FollowUp::Reply(response) })
    }

    /// Runs a function that can take access away. Its success is withheld until the feed has it.
    pub fn publish<'a, T: Confirm<C::Answer> + 'a>(
        self,
        run: impl FnOnce(&C) -> CommandResult<T>,
    ) -> Result<FollowUp<'a>> {
        match self.0.and_then(|command| run(&command)) {
            Ok(outcome) => Ok(FollowUp::Publish(Box::new(move |published| respond::<C>(outcome.confirm(published))))),
            Err(error) => Ok(FollowUp::Reply(respond::<C>(Err(error))?)),
        }
    }

    /// Runs a function that waits for another object.
    pub fn wait<'a, F: Future<Output = CommandResult<C::Answer>> + 'a>(
        self,
        run: impl FnOnce(C) -> F,
    ) -> Result<FollowUp<'a>> {
        match self.0.map(run) {
            Ok(result) => Ok(FollowUp::Wait(Box::pin(async move { respond::<C>(result.await) }))),
            Err(error) => Ok(FollowUp::Reply(respond::<C>(Err(error))?)),
        }
    }
}

#[cfg(test)]
mod tests;
