//! Server functions, which the islands call. Each takes the backend of the request, calls one use
//! case and converts the error.
#![allow(missing_docs, reason = "the macro of the server functions makes public items without docs")]

use crate::draft::KeyFormDraft;
use leptos::{
    prelude::*,
    server_fn::{codec::Json, codec::JsonEncoding, error::FromServerFnError, error::ServerFnErrorErr},
};
use ownchat_domain::{
    digest::SecretHash, environment::Environment, failure::Failure, key::Key, locator::Locator, scope::ScopeSet,
};
use serde::{Deserialize, Serialize};

/// The public part of a key that was just created, for the browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeySummary {
    /// Id of the key.
    pub id: Locator,
    /// Display name.
    pub name: String,
    /// Environment that the key opens.
    pub environment: Environment,
    /// Scopes of the key.
    pub scopes: ScopeSet,
}

impl From<Key> for KeySummary {
    fn from(key: Key) -> Self {
        Self { id: key.id, name: key.name, environment: key.environment, scopes: key.scopes }
    }
}

/// Error of a server function: the failure of the use case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionError(pub Failure);

impl FromServerFnError for ActionError {
    type Encoder = JsonEncoding;

    /// Maps transport and encoding errors to [`Failure::Unavailable`].
    fn from_server_fn_error(_error: ServerFnErrorErr) -> Self {
        Self(Failure::Unavailable)
    }
}

/// Creates a key from the hash of its secret. The secret itself stays in the browser.
///
/// # Errors
///
/// Returns the failure of the use case. Returns [`Failure::Unavailable`] if the call itself fails.
#[server(name = CreateKeyAction, prefix = "/actions", endpoint = "create-key", input = Json)]
pub async fn create_key(draft: KeyFormDraft, secret: SecretHash) -> Result<KeySummary, ActionError> {
    let backend = expect_context::<crate::backend::Provided>();
    let created = backend.submit(&draft, Some(secret)).await;
    created.map(|created| created.key.into()).map_err(|failure| {
        // The status that a page has for this failure.
        expect_context::<leptos_axum::ResponseOptions>().set_status(crate::status::of(&failure));
        ActionError(failure)
    })
}
