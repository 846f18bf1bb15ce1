//! The port through which pages and server functions call the console's use cases. One value serves
//! one request and its caller.

use crate::{draft::KeyFormDraft, flash::Flash};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    digest::SecretHash,
    environment::Environment,
    failure::Failure,
    idempotency::Idempotency,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
    vault::{person::Identity, registry::Changed},
};
use std::{future::Future, pin::Pin, sync::Arc};
use zeroize::Zeroizing;

/// Boxed future of a use case.
pub type Reply<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// The use cases. Those that read or change data of a workspace authorise the caller first. They
/// return [`Failure::NotSignedIn`] for a request without a valid session.
pub trait Backend: Send + Sync {
    /// Fails unless the set-up token is valid.
    fn check_setup(&self, token: String) -> Reply<()>;
    /// Creates the first owner and signs them in.
    fn set_up(&self, request: SetupRequest) -> Reply<Cookies>;
    /// Signs in.
    fn sign_in(&self, request: SignInRequest) -> Reply<Cookies>;
    /// Signs out.
    fn sign_out(&self) -> Reply<Cookies>;
    /// Returns the signed-in person, with the workspace.
    fn identity(&self) -> Reply<Identity>;
    /// Lists keys.
    fn list_keys(&self, query: KeyQuery) -> Reply<KeyPage>;
    /// Reads a key.
    fn read_key(&self, id: Locator) -> Reply<Key>;
    /// Creates a key. Generates its secret unless the request contains the hash of one. With an
    /// idempotency key in `once`, a retry returns the same key.
    fn create_key(&self, key: NewKey, once: Option<Idempotency>) -> Reply<CreatedKey>;
    /// Duplicates a key. With an idempotency key in `once`, a retry returns the same duplicate.
    fn duplicate_key(&self, copy: DuplicateRequest, once: Option<Idempotency>) -> Reply<CreatedKey>;
    /// Changes a key, given the version that the caller last read.
    fn change_key(&self, id: Locator, version: u64, patch: KeyPatch) -> Reply<Changed>;
    /// Deletes a key, given the version that the caller last read.
    fn delete_key(&self, id: Locator, version: u64) -> Reply<Changed>;
    /// Restores a deleted key.
    fn restore_key(&self, id: Locator) -> Reply<Changed>;
    /// Reads a deleted key that can still be restored.
    fn read_deleted_key(&self, id: Locator) -> Reply<Key>;
    /// Rotates a key: generates a new secret and revokes the old ones at once. With an idempotency
    /// key in `once`, a retry does not rotate again.
    fn new_secret(&self, id: Locator, once: Option<Idempotency>) -> Reply<CreatedKey>;
    /// Returns the name of the actor who last changed the key, if the caller may know.
    fn last_editor(&self, key: &Key) -> Reply<Option<String>>;
    /// Returns the flash message in the request's cookie, if it was signed for this session. A
    /// message about a pasted key needs no session.
    fn flash(&self) -> Option<Flash>;
    /// Returns the cookie that carries a flash message to the next page. `None` deletes the cookie.
    fn carry(&self, flash: Option<&Flash>) -> Cookies;
    /// Returns a cookie that probes if the browser stores ours. Empty on a host where every browser
    /// stores them.
    fn probe(&self) -> Cookies;
    /// Returns true if the browser may refuse our cookies and the request contains none.
    fn loses_cookies(&self) -> bool;
    /// Returns the unique id of the current request: 32 hexadecimal digits.
    fn request_id(&self) -> String;
    /// Returns the current time.
    fn now(&self) -> Timestamp;
    /// Returns the origin of the edge, for requests that the pages show and send.
    fn edge(&self) -> String;
    /// Returns the folder under `/assets` with the browser's files.
    fn assets(&self) -> String;
}

impl dyn Backend + '_ {
    /// Creates or duplicates a key as the form specifies. Generates the secret on the server unless
    /// given the hash of one.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::NotFound`] for an invalid source id, and every failure of the form and
    /// the use case.
    pub async fn submit(&self, draft: &KeyFormDraft, secret: Option<SecretHash>) -> Result<CreatedKey, Failure> {
        let once = draft.once(secret.as_ref());
        if draft.from.is_empty() {
            let key = draft.to_new_key(self.now())?;
            return self.create_key(NewKey { secret_sha256: secret, ..key }, once).await;
        }
        let id = draft.from.parse().map_err(|_| Failure::NotFound)?;
        let differences = draft.to_patch(self.now())?;
        let environment = draft.environment.parse().ok();
        self.duplicate_key(DuplicateRequest { id, differences, environment, secret }, once).await
    }
}

/// The backend of the current request, as a Leptos context.
pub type Provided = Arc<dyn Backend>;

/// Values of `Set-Cookie` headers (RFC 6265).
pub struct Cookies(pub Vec<Zeroizing<String>>);

/// A request to duplicate a key.
pub struct DuplicateRequest {
    /// Id of the source key.
    pub id: Locator,
    /// Fields in which the duplicate differs.
    pub differences: KeyPatch,
    /// Environment of the duplicate; `None` for that of the source.
    pub environment: Option<Environment>,
    /// Hash of a secret that the caller generated and keeps. `None` generates one on the server.
    pub secret: Option<SecretHash>,
}

/// A key that was just created or rotated.
pub struct CreatedKey {
    /// The key, without its secret.
    pub key: Key,
    /// Plain text of the key, if its secret was generated here. It is available only this once.
    pub token: Option<Zeroizing<String>>,
    /// True if an earlier request with the same idempotency key had this effect.
    pub replayed: bool,
}
