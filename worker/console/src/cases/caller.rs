//! Who asks: whose session it is, or with which key.

use super::session::resume;
use crate::{
    shield::Heard,
    vault,
    visitor::{Credential, Visitor, now},
};
use ownchat_domain::{
    failure::Failure,
    vault::{Asked, Caller, KeyCaller, Object, Origin, Outcome, registry::ReadKey},
    verdict::{Code, Denial},
};

/// Who asks, and the number of their workspace. That of a key stands in it; whether the key is good the registry finds
/// out with every question.
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

/// Who asks, and the registry of their workspace.
pub async fn caller(visitor: &Visitor) -> Result<(Caller, Object), Failure> {
    let (caller, workspace) = who(visitor).await?;
    Ok((caller, Object::Registry(workspace)))
}

/// Who asks, from where.
pub fn origin(visitor: &Visitor, caller: Caller) -> Origin {
    Origin { caller, address: visitor.address.clone(), request_id: visitor.request_id.clone() }
}

/// Asks a registry for somebody. Of a key that comes with a flood of unknown ones it is not asked.
pub async fn ask<C: Asked>(visitor: &Visitor, registry: Object, call: &C) -> Outcome<C::Answer> {
    let Caller::Key(key) = call.caller() else { return vault::ask(&visitor.env, registry, call).await };
    let asking = Heard::of_isolate(|heard| heard.begin(key, now()));
    let asking = asking.map_err(|retry_after| Denial::TooManyUnknown { retry_after })?;
    let outcome = vault::ask(&visitor.env, registry, call).await;
    Heard::of_isolate(|heard| heard.end(key, &asking, is_known(outcome.as_ref().err()), now()));
    outcome
}

/// Whether the registry knew a key, by how it failed. Without an answer nobody knows.
fn is_known(failure: Option<&Failure>) -> Option<bool> {
    match failure {
        Some(Failure::Unavailable) => None,
        Some(Failure::KeyRefused { code: Code::UnknownKey, .. }) => Some(false),
        _ => Some(true),
    }
}

/// Whether somebody asks who may ask anything at all.
pub async fn check(visitor: &Visitor) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    let Caller::Key(KeyCaller { id, .. }) = caller else { return Ok(()) };
    // It asks for itself, since that tells whether it is heard; what it sees does not matter.
    match ask(visitor, registry, &ReadKey { caller, id }).await {
        Ok(_) | Err(Failure::NotFound) => Ok(()),
        Err(failure) => Err(failure),
    }
}
