//! Server functions: what the islands ask of the server. Each asks for the backend, calls one use-case
//! and converts the error.
#![allow(missing_docs, reason = "the macro of the server functions makes public items without docs")]

use crate::draft::KeyDraft;
use leptos::{
    prelude::*,
    server_fn::{codec::Json, codec::JsonEncoding, error::FromServerFnError, error::ServerFnErrorErr},
};
use ownchat_domain::{
    digest::SecretHash, environment::Environment, failure::Failure, key::Key, locator::Locator, scope::ScopeSet,
};
use serde::{Deserialize, Serialize};

/// What the browser must know of a key that was just made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub id: Locator,
    /// What people call it.
    pub name: String,
    /// Which world it opens.
    pub environment: Environment,
    /// What it may do.
    pub scopes: ScopeSet,
}

impl From<Key> for Made {
    fn from(key: Key) -> Self {
        Self { id: key.id, name: key.name, environment: key.environment, scopes: key.scopes }
    }
}

/// A use-case that was not carried out, on its way to the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused(pub Failure);

impl FromServerFnError for Refused {
    type Encoder = JsonEncoding;

    /// The call itself did not come through.
    fn from_server_fn_error(_error: ServerFnErrorErr) -> Self {
        Self(Failure::Unavailable)
    }
}

/// Makes a key whose secret stays in the browser.
#[server(prefix = "/actions", endpoint = "create-key", input = Json)]
pub async fn create_key(draft: KeyDraft, secret: SecretHash) -> Result<Made, Refused> {
    let backend = expect_context::<crate::backend::Provided>();
    let made = crate::making::make(&*backend, &draft, Some(secret)).await;
    made.map(|created| created.key.into()).map_err(refuse)
}

/// Sets the status of the failure that a page would have.
#[cfg(feature = "ssr")]
fn refuse(failure: Failure) -> Refused {
    expect_context::<leptos_axum::ResponseOptions>().set_status(crate::status::of(&failure));
    Refused(failure)
}
