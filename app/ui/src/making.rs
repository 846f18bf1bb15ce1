//! Making the key of a form, whether the page posted it or an island sent it.

use crate::{
    backend::{Backend, Copied, CreatedKey},
    draft::KeyDraft,
};
use ownchat_domain::{digest::SecretHash, failure::Failure, key::NewKey};

/// Makes the key that the form describes, with the secret of this hash or one that is made on the server.
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
