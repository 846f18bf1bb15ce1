//! RPC of the objects: reads a command from a request, and writes its result as the response.

use crate::{database::DatabaseError, log};
use ownchat_domain::{
    failure::Failure,
    vault::{Command, Outcome},
};
use std::{future::Future, pin::Pin};
use worker::{Request, Response, wasm_bindgen::JsValue, wasm_bindgen_futures::JsFuture};

/// Reason for which a command failed.
#[derive(Debug, PartialEq, Eq)]
pub enum CommandError {
    /// A failure that the caller sees.
    Failure(Failure),
    /// The store failed. The caller only learns that a retry may help.
    Database(DatabaseError),
}

impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<DatabaseError> for CommandError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// Result of a command.
pub type CommandResult<T> = Result<T, CommandError>;

/// Reads the command of a request.
pub async fn read_command<C: Command>(request: &Request) -> worker::Result<C> {
    command_from(json_body(request).await?)
}

/// Reads a command from the JSON body of its request.
pub fn command_from<C: Command>(body: JsValue) -> worker::Result<C> {
    Ok(serde_wasm_bindgen::from_value(body)?)
}

/// Reads the JSON body of a request. Boxed and not generic, so that its code is compiled once.
pub fn json_body(request: &Request) -> Pin<Box<dyn Future<Output = worker::Result<JsValue>> + '_>> {
    Box::pin(async move { Ok(JsFuture::from(request.inner().json()?).await?) })
}

/// Reads the command of a request, runs it, and writes the response.
pub async fn run<C: Command>(
    request: &Request,
    work: impl FnOnce(&C) -> CommandResult<C::Answer>,
) -> worker::Result<Response> {
    let command = read_command(request).await?;
    respond::<C>(work(&command))
}

/// Writes the response to a command of type `C`.
pub fn respond<C: Command>(result: CommandResult<C::Answer>) -> worker::Result<Response> {
    let outcome: Outcome<C::Answer> = result.map_err(|error| match error {
        CommandError::Failure(failure) => failure,
        CommandError::Database(error) => {
            log::error(format_args!("{}: {error}", C::NAME));
            Failure::Unavailable
        }
    });
    Response::from_json(&outcome)
}
