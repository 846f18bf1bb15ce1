//! Authenticates the caller, by session or key, and calls the vault on the caller's behalf.

use super::session::resume;
use crate::{
    miss_limiter::KnownKeys,
    vault,
    visitor::{Credential, Visitor, now},
};
use ownchat_domain::{
    failure::Failure,
    vault::{Asked, Caller, KeyCaller, Object, Origin, Outcome, registry::ReadKey},
    verdict::{Code, Denial},
};

/// Returns the caller and the number of the caller's workspace.
/// The id of a key contains that number. The registry validates the key with each request.
pub async fn who(visitor: &Visitor) -> Result<(Caller, u32), Failure> {
    match &*visitor.credential {
        Credential::Key(sent) => Ok((Caller::Key(sent.caller), sent.workspace)),
        Credential::Refused(denial) => Err(denial.clone().into()),
        Credential::None | Credential::Session(_) | Credential::Ambiguous => {
            let (person, identity) = resume(visitor).await?;
            Ok((Caller::Person(person), identity.workspace))
        }
    }
}

/// Returns the caller and the registry of the caller's workspace.
pub async fn caller(visitor: &Visitor) -> Result<(Caller, Object), Failure> {
    let (caller, workspace) = who(visitor).await?;
    Ok((caller, Object::Registry(workspace)))
}

/// Returns the caller with IP address and request id.
pub fn origin(visitor: &Visitor, caller: Caller) -> Origin {
    Origin { caller, address: visitor.address.clone(), request_id: visitor.request_id.clone() }
}

/// Sends a request to a registry on behalf of a caller. Holds back keys during a flood of unknown
/// ones from the same IP address.
pub async fn ask<C: Asked>(visitor: &Visitor, registry: Object, call: &C) -> Outcome<C::Answer> {
    let Caller::Key(key) = call.caller() else { return vault::ask(&visitor.env, registry, call).await };
    let lookup = KnownKeys::of_isolate(|known| known.begin(key, now()));
    let lookup = lookup.map_err(|retry_after| Denial::TooManyUnknown { retry_after })?;
    let outcome = vault::ask(&visitor.env, registry, call).await;
    KnownKeys::of_isolate(|known| known.end(key, &lookup, is_known(outcome.as_ref().err()), now()));
    outcome
}

/// Derives from a failure if the registry recognised a key. Without a response that is unknown.
fn is_known(failure: Option<&Failure>) -> Option<bool> {
    match failure {
        Some(Failure::Unavailable) => None,
        Some(Failure::KeyRefused { code: Code::UnknownKey, .. }) => Some(false),
        _ => Some(true),
    }
}

/// Authenticates the caller: a signed-in person or a valid key.
pub async fn check(visitor: &Visitor) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    let Caller::Key(KeyCaller { id, .. }) = caller else { return Ok(()) };
    // The key reads itself, since that authenticates it. The result does not matter.
    match ask(visitor, registry, &ReadKey { caller, id }).await {
        Ok(_) | Err(Failure::NotFound) => Ok(()),
        Err(failure) => Err(failure),
    }
}
