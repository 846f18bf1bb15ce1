//! Who asks: whose session it is, or with which key.

use super::session::resume;
use crate::{
    vault::ask,
    visitor::{Credential, Visitor},
};
use ownchat_domain::{
    failure::Failure,
    vault::{Caller, KeyCaller, Object, Origin, registry::ReadKey},
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

/// Whether somebody asks who may ask anything at all.
pub async fn check(visitor: &Visitor) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    let Caller::Key(KeyCaller { id, .. }) = caller else { return Ok(()) };
    // It asks for itself, since that tells whether it is heard; what it sees does not matter.
    match ask(&visitor.env, registry, &ReadKey { caller, id }).await {
        Ok(_) | Err(Failure::NotFound) => Ok(()),
        Err(failure) => Err(failure),
    }
}
