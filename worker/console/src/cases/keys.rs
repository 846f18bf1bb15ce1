//! Keys: every use-case finds out who asks and asks the registry of their workspace.

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

/// Lists keys, with their last use and what is left of their quota.
pub async fn list(visitor: &Visitor, query: KeyQuery) -> Result<KeyPage, Failure> {
    let (caller, workspace) = who(visitor).await?;
    let mut page = ask(visitor, Object::Registry(workspace), &ListKeys { caller, query }).await?;
    notes::note(visitor, workspace, &mut page.data).await;
    Ok(page)
}

/// Reads a key, with its last use and what is left of its quota.
pub async fn read(visitor: &Visitor, id: Locator) -> Result<Key, Failure> {
    let (caller, workspace) = who(visitor).await?;
    let mut key = ask(visitor, Object::Registry(workspace), &ReadKey { caller, id }).await?;
    notes::note(visitor, workspace, slice::from_mut(&mut key)).await;
    Ok(key)
}

/// Reads a key that was deleted and can be restored.
pub async fn read_deleted(visitor: &Visitor, id: Locator) -> Result<Key, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadDeleted { caller, id }).await
}

/// Says whether there is such a key.
pub async fn find(visitor: &Visitor, id: Locator) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadKey { caller, id }).await.map(drop)
}

/// Makes a key. Its secret is made here unless the request brings the hash of one.
pub async fn create(visitor: &Visitor, key: NewKey, once: Option<Once>) -> Result<CreatedKey, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let (hash, secret) = hash_or_new(key.secret_sha256)?;
    let call = CreateKey { origin: origin(visitor, caller), key, secret: hash, once };
    let issued = ask(visitor, registry, &call).await?;
    Ok(made(visitor, registry, issued, secret).await)
}

/// Makes a key like another one, but for what differs. Its secret is made here unless the request brings the
/// hash of one.
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

/// What is told of a key that was made. Of one that an earlier request made the secret is another.
async fn made(
    visitor: &Visitor,
    registry: Object,
    Issued { mut key, replayed }: Issued,
    secret: Option<Secret>,
) -> CreatedKey {
    // A new one was never used.
    if replayed {
        note(visitor, registry, &mut key).await;
    } else {
        notes::of_new(&mut key);
    }
    let (environment, locator) = (key.environment, key.id);
    let token = secret.filter(|_| !replayed).map(|secret| Token { environment, locator, secret }.reveal());
    CreatedKey { key, token, replayed }
}

/// Notes on a key of this registry what that does not know.
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

/// Undoes the deletion of a key.
pub async fn restore(visitor: &Visitor, id: Locator) -> Result<Changed, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let mut restored = ask(visitor, registry, &RestoreKey { origin: origin(visitor, caller), id }).await?;
    note(visitor, registry, &mut restored.key).await;
    Ok(restored)
}

/// A key that was just given a new secret.
pub struct Rotated {
    /// The key.
    pub changed: Changed,
    /// The whole key with the new secret, if it was made here. This is the only time it can be seen.
    pub token: Option<Zeroizing<String>>,
}

/// Gives a key a new secret; made here, unless the request brings the hash of one. The old ones go
/// on working for a while; the request may allow it to end them earlier than was promised.
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

/// Ends the old secrets of a key at once.
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
