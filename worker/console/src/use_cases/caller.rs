//! Resolves the caller, and calls the vault on the caller's behalf. A session is resumed here; the
//! vault authenticates a key, in its `registry/authenticate.rs`.

use super::session::resume;
use crate::{
    miss_limiter::KnownKeys,
    request_context::{RequestContext, RequestCredential, now},
    vault,
};
use ownchat_domain::{
    failure::Failure,
    vault::{Caller, Object, Origin, Outcome, WithCaller, registry::ReadKey},
    verdict::{Code, Denial},
};

/// Returns the caller, with IP address and request id, and the number of the caller's workspace.
/// The id of a key contains that number. The registry validates the key with each request.
pub async fn authenticate(context: &RequestContext) -> Result<(Origin, u32), Failure> {
    let (caller, workspace) = match &*context.credential {
        RequestCredential::Key(sent) => (Caller::Key(sent.caller), sent.workspace),
        RequestCredential::Refused(denial) => return Err(denial.clone().into()),
        RequestCredential::None | RequestCredential::Session(_) | RequestCredential::Ambiguous => {
            let (person, identity) = resume(context).await?;
            (Caller::Person(person), identity.workspace)
        }
    };
    Ok((Origin { caller, address: context.address.clone(), request_id: context.request_id.clone() }, workspace))
}

/// Authenticates the caller, and sends the command to the registry of the caller's workspace.
pub async fn call<C: WithCaller>(context: &RequestContext, command: impl FnOnce(Origin) -> C) -> Outcome<C::Answer> {
    let (origin, workspace) = authenticate(context).await?;
    ask(context, workspace, &command(origin)).await
}

/// Sends a command to the registry of a workspace on behalf of a caller. Holds back keys during a
/// flood of unknown ones from the same IP address.
pub async fn ask<C: WithCaller>(context: &RequestContext, workspace: u32, command: &C) -> Outcome<C::Answer> {
    let registry = Object::Registry(workspace);
    let Caller::Key(key) = command.caller() else { return vault::ask(context, registry, command).await };
    let lookup = KnownKeys::of_isolate(|known| known.begin(key, now()));
    let lookup = lookup.map_err(|retry_after| Denial::TooManyUnknown { retry_after })?;
    let outcome = vault::ask(context, registry, command).await;
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
pub async fn check(context: &RequestContext) -> Result<(), Failure> {
    let (Origin { caller, .. }, workspace) = authenticate(context).await?;
    let Caller::Key(key) = caller else { return Ok(()) };
    // The key reads itself, since that authenticates it. The result does not matter.
    match ask(context, workspace, &ReadKey { caller, id: key.id }).await {
        Ok(_) | Err(Failure::NotFound) => Ok(()),
        Err(failure) => Err(failure),
    }
}
