//! Keys: every use-case finds out who is there and asks the registry of their workspace.

use super::session::resume;
use crate::{
    vault::ask,
    visitor::{Visitor, random},
};
use ownchat_domain::{
    account::PersonId,
    digest::SecretHash,
    failure::Failure,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    token::{Secret, Token},
    vault::{
        Object, Origin,
        registry::{ChangeKey, CreateKey, DeleteKey, ListKeys, ReadKey},
    },
};
use ownchat_ui::backend::CreatedKey;
use worker::console_error;

/// Lists keys.
pub async fn list(visitor: &Visitor, query: KeyQuery) -> Result<KeyPage, Failure> {
    let (person, registry) = member(visitor).await?;
    ask(&visitor.env, registry, &ListKeys { person, query }).await
}

/// Reads a key.
pub async fn read(visitor: &Visitor, id: Locator) -> Result<Key, Failure> {
    let (person, registry) = member(visitor).await?;
    ask(&visitor.env, registry, &ReadKey { person, id }).await
}

/// Makes a key. Its secret is made here unless the request brings the hash of one.
pub async fn create(visitor: &Visitor, key: NewKey) -> Result<CreatedKey, Failure> {
    let (person, registry) = member(visitor).await?;
    let (hash, secret) = if let Some(hash) = key.secret_sha256 {
        (hash, None)
    } else {
        let secret = Secret::generate(fill).map_err(|error| {
            console_error!("keys: {error}");
            Failure::Unavailable
        })?;
        (SecretHash::of(&secret), Some(secret))
    };
    let call = CreateKey { origin: origin(visitor, person), key, secret: hash };
    let key = ask(&visitor.env, registry, &call).await?;
    let token = secret.map(|secret| Token { environment: key.environment, locator: key.id, secret }.reveal());
    Ok(CreatedKey { key, token })
}

/// Changes a key.
pub async fn change(visitor: &Visitor, id: Locator, version: u64, patch: KeyPatch) -> Result<Key, Failure> {
    let (person, registry) = member(visitor).await?;
    ask(&visitor.env, registry, &ChangeKey { origin: origin(visitor, person), id, version, patch }).await
}

/// Deletes a key.
pub async fn delete(visitor: &Visitor, id: Locator, version: u64) -> Result<(), Failure> {
    let (person, registry) = member(visitor).await?;
    ask(&visitor.env, registry, &DeleteKey { origin: origin(visitor, person), id, version }).await
}

async fn member(visitor: &Visitor) -> Result<(PersonId, Object), Failure> {
    let (person, identity) = resume(visitor).await?;
    Ok((person, Object::Registry(identity.workspace)))
}

fn origin(visitor: &Visitor, person: PersonId) -> Origin {
    Origin { person, address: visitor.address.clone(), request_id: visitor.request_id.clone() }
}

fn fill(bytes: &mut [u8]) -> worker::Result<()> {
    for chunk in bytes.chunks_mut(32) {
        let random = random::<32>()?;
        chunk.copy_from_slice(random.get(..chunk.len()).unwrap_or_default());
    }
    Ok(())
}
