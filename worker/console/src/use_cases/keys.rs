//! Use cases on keys. Each authenticates the caller and calls the registry of the caller's
//! workspace, except for commands that [`call`] sends as they are.

use super::{
    caller::{ask, authenticate, call},
    last_use_and_quota::{self, WithKeys},
    retry_on_conflict::on_newest_version,
};
use crate::{
    log,
    request_context::{RequestContext, random},
};
use ownchat_domain::{
    audit::Line,
    digest::SecretHash,
    failure::Failure,
    idempotency::Idempotency,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
    token::{Secret, Token},
    vault::{
        Origin, Outcome, WithCaller,
        registry::{
            ChangeKey, Changed, CreateKey, DuplicateKey, EndOldSecrets, Issued, ListKeys, ReadKey, ReadTrail,
            RestoreKey, RotateKey, TrailQuery,
        },
    },
};
use ownchat_ui::backend::{CreatedKey, DuplicateRequest};
use worker::send::SendFuture;
use zeroize::Zeroizing;

/// Sends a command, and adds last use and remaining quota to the keys in its response.
async fn call_and_complete<C: WithCaller<Answer: WithKeys>>(
    context: &RequestContext,
    command: impl FnOnce(Origin) -> C,
) -> Outcome<C::Answer> {
    let (origin, workspace) = authenticate(context).await?;
    let mut response = ask(context, workspace, &command(origin)).await?;
    last_use_and_quota::add(context, workspace, response.keys()).await;
    Ok(response)
}

/// Lists keys, with last use and remaining quota.
pub async fn list(context: &RequestContext, query: KeyQuery) -> Result<KeyPage, Failure> {
    call_and_complete(context, |origin| ListKeys { caller: origin.caller, query }).await
}

/// Reads a key, with last use and remaining quota.
pub async fn read(context: &RequestContext, id: Locator) -> Result<Key, Failure> {
    call_and_complete(context, |origin| ReadKey { caller: origin.caller, id }).await
}

/// Changes a key.
pub async fn change(context: &RequestContext, id: Locator, version: u64, patch: KeyPatch) -> Result<Changed, Failure> {
    call_and_complete(context, |origin| ChangeKey { origin, id, version, patch }).await
}

/// Restores a deleted key.
pub async fn restore(context: &RequestContext, id: Locator) -> Result<Changed, Failure> {
    call_and_complete(context, |origin| RestoreKey { origin, id }).await
}

/// Revokes the old secrets of a key at once.
pub async fn end_old_secrets(context: &RequestContext, id: Locator) -> Result<Changed, Failure> {
    call_and_complete(context, |origin| EndOldSecrets { origin, id }).await
}

/// Creates a key. Generates its secret unless the request contains the hash of one.
pub async fn create(context: &RequestContext, key: NewKey, once: Option<Idempotency>) -> Result<CreatedKey, Failure> {
    issue(context, key.secret_sha256, |origin, secret| CreateKey { origin, key, secret, once }).await
}

/// Duplicates a key with differences. Generates its secret unless the request contains the hash of
/// one.
pub async fn duplicate(
    context: &RequestContext,
    DuplicateRequest { id, differences, environment, secret }: DuplicateRequest,
    once: Option<Idempotency>,
) -> Result<CreatedKey, Failure> {
    let command = |origin, secret| DuplicateKey { origin, id, differences, environment, secret, once };
    issue(context, secret, command).await
}

/// Sends a command that creates a key. A replay has no token: the first request generated another
/// secret.
async fn issue<C: WithCaller<Answer = Issued>>(
    context: &RequestContext,
    hash: Option<SecretHash>,
    command: impl FnOnce(Origin, SecretHash) -> C,
) -> Result<CreatedKey, Failure> {
    let (origin, workspace) = authenticate(context).await?;
    let (hash, secret) = hash_or_new(context, hash)?;
    let Issued { mut key, replayed } = ask(context, workspace, &command(origin, hash)).await?;
    // A new key was never used.
    if replayed {
        last_use_and_quota::add(context, workspace, key.keys()).await;
    } else {
        last_use_and_quota::of_new(&mut key);
    }
    let (environment, locator) = (key.environment, key.id);
    let token = secret.filter(|_| !replayed).map(|secret| Token { environment, locator, secret }.reveal());
    Ok(CreatedKey { key, token, replayed })
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
    context: &RequestContext,
    id: Locator,
    (overlap_seconds, end_earlier): (u32, bool),
    hash: Option<SecretHash>,
    once: Option<Idempotency>,
) -> Result<Rotated, Failure> {
    let (origin, workspace) = authenticate(context).await?;
    let (secret, generated) = hash_or_new(context, hash)?;
    let read = async || Ok(ask(context, workspace, &ReadKey { caller: origin.caller, id }).await?.version);
    let rotate = async |version| {
        let (origin, once) = (origin.clone(), once.clone());
        ask(context, workspace, &RotateKey { origin, id, version, overlap_seconds, end_earlier, secret, once }).await
    };
    // These futures are `Send`, which the compiler does not see through async closures.
    let mut changed = SendFuture::new(on_newest_version(read, rotate)).await?;
    last_use_and_quota::add(context, workspace, changed.keys()).await;
    let environment = changed.key.environment;
    let generated = generated.filter(|_| !changed.replayed);
    let token = generated.map(|secret| Token { environment, locator: id, secret }.reveal());
    Ok(Rotated { changed, token })
}

/// Returns the name of the actor who changed a key at this time, if the caller may know.
pub async fn last_editor(context: &RequestContext, key: Locator, at: Timestamp) -> Result<Option<String>, Failure> {
    let query = TrailQuery { key: Some(key), from: Some(at), ..TrailQuery::default() };
    let page = match call(context, |origin| ReadTrail { caller: origin.caller, query }).await {
        Err(Failure::Forbidden | Failure::ScopeMissing { .. } | Failure::NotFound) => return Ok(None),
        page => page?,
    };
    let mut lines = page.lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    Ok(lines.rfind(|line| line.at == at.into()).map(|line| line.actor_name))
}

fn hash_or_new(context: &RequestContext, hash: Option<SecretHash>) -> Result<(SecretHash, Option<Secret>), Failure> {
    if let Some(hash) = hash {
        return Ok((hash, None));
    }
    let secret = Secret::generate(fill).map_err(|error| {
        log::error(&context.request_id, &format!("keys: {error}"));
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
