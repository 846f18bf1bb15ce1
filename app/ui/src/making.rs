//! Creation of a key from its form, shared by the page and the server function.

use crate::{
    backend::{Backend, Copied, CreatedKey},
    draft::KeyDraft,
};
use ownchat_domain::{digest::SecretHash, failure::Failure, key::NewKey};

/// Creates or duplicates a key as the form specifies. Generates the secret on the server unless
/// given the hash of one.
///
/// # Errors
///
/// Returns [`Failure::NotFound`] for an invalid source id, and every failure of the form and the
/// use case.
pub async fn make(backend: &dyn Backend, draft: &KeyDraft, secret: Option<SecretHash>) -> Result<CreatedKey, Failure> {
    let once = draft.once(secret.as_ref());
    if draft.from.is_empty() {
        let key = draft.to_new_key(backend.now())?;
        return backend.create_key(NewKey { secret_sha256: secret, ..key }, once).await;
    }
    let id = draft.from.parse().map_err(|_| Failure::NotFound)?;
    let differences = draft.to_patch(backend.now())?;
    let environment = draft.environment.parse().ok();
    backend.duplicate_key(Copied { id, differences, environment, secret }, once).await
}
