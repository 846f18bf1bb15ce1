//! Use cases on keys. Each authenticates the caller and calls the registry of the caller's
//! workspace.

use super::{
    caller::{ask, caller, origin, who},
    newest::on_the_newest,
    notes,
};
use crate::visitor::{Visitor, random};
use ownchat_domain::{
    digest::SecretHash,
    failure::Failure,
    idempotency::Once,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    token::{Secret, Token},
    vault::{
        Object,
        registry::{
            ChangeKey, Changed, CreateKey, DeleteKey, DuplicateKey, EndOldSecrets, Issued, ListKeys, ReadDeleted,
            ReadKey, RestoreKey, RotateKey,
        },
    },
};
use ownchat_ui::backend::{Copied, CreatedKey};
use std::slice;
use worker::console_error;
use zeroize::Zeroizing;

/// Lists keys, with last use and remaining quota.
pub async fn list(visitor: &Visitor, query: KeyQuery) -> Result<KeyPage, Failure> {
    let (caller, workspace) = who(visitor).await?;
    let mut page = ask(visitor, Object::Registry(workspace), &ListKeys { caller, query }).await?;
    notes::note(visitor, workspace, &mut page.data).await;
    Ok(page)
}

/// Reads a key, with last use and remaining quota.
pub async fn read(visitor: &Visitor, id: Locator) -> Result<Key, Failure> {
    let (caller, workspace) = who(visitor).await?;
    let mut key = ask(visitor, Object::Registry(workspace), &ReadKey { caller, id }).await?;
    notes::note(visitor, workspace, slice::from_mut(&mut key)).await;
    Ok(key)
}

/// Reads a deleted key that can be restored.
pub async fn read_deleted(visitor: &Visitor, id: Locator) -> Result<Key, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadDeleted { caller, id }).await
}

/// Fails unless the key exists.
pub async fn find(visitor: &Visitor, id: Locator) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadKey { caller, id }).await.map(drop)
}

/// Creates a key. Generates its secret unless the request contains the hash of one.
pub async fn create(visitor: &Visitor, key: NewKey, once: Option<Once>) -> Result<CreatedKey, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let (hash, secret) = hash_or_new(key.secret_sha256)?;
    let call = CreateKey { origin: origin(visitor, caller), key, secret: hash, once };
    let issued = ask(visitor, registry, &call).await?;
    Ok(made(visitor, registry, issued, secret).await)
}

/// Duplicates a key with differences. Generates its secret unless the request contains the hash of
/// one.
pub async fn duplicate(
    visitor: &Visitor,
    Copied { id, differences, environment, secret }: Copied,
    once: Option<Once>,
) -> Result<CreatedKey, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let (hash, secret) = hash_or_new(secret)?;
    let call = DuplicateKey { origin: origin(visitor, caller), id, differences, environment, secret: hash, once };
    let issued = ask(visitor, registry, &call).await?;
    Ok(made(visitor, registry, issued, secret).await)
}

/// Returns the outcome of a creation. A replay has no token: the first request generated another
/// secret.
async fn made(
    visitor: &Visitor,
    registry: Object,
    Issued { mut key, replayed }: Issued,
    secret: Option<Secret>,
) -> CreatedKey {
    // A new key was never used.
    if replayed {
        note(visitor, registry, &mut key).await;
    } else {
        notes::of_new(&mut key);
    }
    let (environment, locator) = (key.environment, key.id);
    let token = secret.filter(|_| !replayed).map(|secret| Token { environment, locator, secret }.reveal());
    CreatedKey { key, token, replayed }
}

/// Adds last use and remaining quota, which the registry does not know, to a key.
async fn note(visitor: &Visitor, registry: Object, key: &mut Key) {
    if let Object::Registry(workspace) = registry {
        notes::note(visitor, workspace, slice::from_mut(key)).await;
    }
}

/// Changes a key.
pub async fn change(visitor: &Visitor, id: Locator, version: u64, patch: KeyPatch) -> Result<Changed, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let call = ChangeKey { origin: origin(visitor, caller), id, version, patch };
    let mut changed = ask(visitor, registry, &call).await?;
    note(visitor, registry, &mut changed.key).await;
    Ok(changed)
}

/// Deletes a key.
pub async fn delete(visitor: &Visitor, id: Locator, version: u64) -> Result<Changed, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &DeleteKey { origin: origin(visitor, caller), id, version }).await
}

/// Restores a deleted key.
pub async fn restore(visitor: &Visitor, id: Locator) -> Result<Changed, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let mut restored = ask(visitor, registry, &RestoreKey { origin: origin(visitor, caller), id }).await?;
    note(visitor, registry, &mut restored.key).await;
    Ok(restored)
}

/// A key with a new secret.
pub struct Rotated {
    /// The key.
    pub changed: Changed,
    /// The whole key with the new secret, if generated here. It is shown only this once.
    pub token: Option<Zeroizing<String>>,
}

/// Rotates the secret of a key. Generates the new one unless the request contains the hash of one.
/// Old secrets stay valid for the overlap. `end_earlier` permits ending them before the end of a
/// previous overlap.
pub async fn rotate(
    visitor: &Visitor,
    id: Locator,
    (overlap_seconds, end_earlier): (u32, bool),
    hash: Option<SecretHash>,
    once: Option<Once>,
) -> Result<Rotated, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let (hash, secret) = hash_or_new(hash)?;
    let read = async || Ok(ask(visitor, registry, &ReadKey { caller, id }).await?.version);
    let rotate = async |version| {
        let (origin, once) = (origin(visitor, caller), once.clone());
        let call = RotateKey { origin, id, version, overlap_seconds, end_earlier, secret: hash, once };
        ask(visitor, registry, &call).await
    };
    let mut changed = on_the_newest(read, rotate).await?;
    note(visitor, registry, &mut changed.key).await;
    let environment = changed.key.environment;
    let secret = secret.filter(|_| !changed.replayed);
    let token = secret.map(|secret| Token { environment, locator: id, secret }.reveal());
    Ok(Rotated { changed, token })
}

/// Revokes the old secrets of a key at once.
pub async fn end_old_secrets(visitor: &Visitor, id: Locator) -> Result<Changed, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let mut changed = ask(visitor, registry, &EndOldSecrets { origin: origin(visitor, caller), id }).await?;
    note(visitor, registry, &mut changed.key).await;
    Ok(changed)
}

fn hash_or_new(hash: Option<SecretHash>) -> Result<(SecretHash, Option<Secret>), Failure> {
    if let Some(hash) = hash {
        return Ok((hash, None));
    }
    let secret = Secret::generate(fill).map_err(|error| {
        console_error!("keys: {error}");
        Failure::Unavailable
    })?;
    Ok((SecretHash::of(&secret), Some(secret)))
}

fn fill(bytes: &mut [u8]) -> worker::Result<()> {
    for chunk in bytes.chunks_mut(32) {
        let random = random::<32>()?;
        chunk.copy_from_slice(random.get(..chunk.len()).unwrap_or_default());
    }
    Ok(())
}
