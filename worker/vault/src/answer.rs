//! How an object answers: it reads the question, does the work, and writes the outcome.

use crate::database::DatabaseError;
use ownchat_domain::{
    failure::Failure,
    vault::{Call, Outcome},
};
use worker::{Request, Response, console_error};

/// Why an object did not do what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller is told this.
    Failure(Failure),
    /// The store failed; the caller learns only that trying again may help.
    Database(DatabaseError),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// What the work of an object comes to.
pub type Done<T> = Result<T, Refusal>;

/// Reads the question of a request.
pub async fn question<C: Call>(request: &mut Request) -> worker::Result<C> {
    request.json().await
}

/// Writes the outcome of a question of type `C`.
pub fn answer<C: Call>(done: Done<C::Answer>) -> worker::Result<Response> {
    let outcome: Outcome<C::Answer> = done.map_err(|refusal| match refusal {
        Refusal::Failure(failure) => failure,
        Refusal::Database(error) => {
            console_error!("{}: {error}", C::NAME);
            Failure::Unavailable
        }
    });
    Response::from_json(&outcome)
}
