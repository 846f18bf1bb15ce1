//! How an object answers: it reads the question, does the work, and writes the outcome.

use crate::database::DatabaseError;
use ownchat_domain::{
    failure::Failure,
    vault::{Call, Outcome},
};
use std::{future::Future, pin::Pin};
use worker::{Request, Response, console_error, wasm_bindgen::JsValue, wasm_bindgen_futures::JsFuture};

/// Why an object did not do what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The caller is told this.
    Failure(Failure),
    /// The store failed; the caller learns only that trying again may help.
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

/// What the work of an object comes to.
pub type CommandResult<T> = Result<T, CommandError>;

/// Reads the question of a request.
pub async fn read_command<C: Call>(request: &mut Request) -> worker::Result<C> {
    Ok(serde_wasm_bindgen::from_value(json_body(request).await?)?)
}

/// The JSON of a request. Boxed and the same for all questions: the code would stand at each of them otherwise.
fn json_body(request: &Request) -> Pin<Box<dyn Future<Output = worker::Result<JsValue>> + '_>> {
    Box::pin(async move { Ok(JsFuture::from(request.inner().json()?).await?) })
}

/// Writes the outcome of a question of type `C`.
pub fn respond<C: Call>(result: CommandResult<C::Answer>) -> worker::Result<Response> {
    let outcome: Outcome<C::Answer> = result.map_err(|error| match error {
        CommandError::Failure(failure) => failure,
        CommandError::Database(error) => {
            console_error!("{}: {error}", C::NAME);
            Failure::Unavailable
        }
    });
    Response::from_json(&outcome)
}
