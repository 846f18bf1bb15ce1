//! What the pages need of the outside: the use-cases of the console, for the visitor of one request.

use crate::flash::Flash;
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    digest::SecretHash,
    environment::Environment,
    failure::Failure,
    idempotency::Once,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
    vault::{person::Identity, registry::Changed},
};
use std::{future::Future, pin::Pin, sync::Arc};
use zeroize::Zeroizing;

/// What a use-case comes to.
pub type Reply<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// The use-cases. All of them look first whether the visitor may; whoever is not signed in gets
/// [`Failure::NotSignedIn`].
pub trait Backend: Send + Sync {
    /// Whether this set-up token is good.
    fn check_setup(&self, token: String) -> Reply<()>;
    /// Makes the first owner and signs them in.
    fn set_up(&self, request: SetupRequest) -> Reply<Cookies>;
    /// Signs in.
    fn sign_in(&self, request: SignInRequest) -> Reply<Cookies>;
    /// Signs out.
    fn sign_out(&self) -> Reply<Cookies>;
    /// Who the visitor is.
    fn identity(&self) -> Reply<Identity>;
    /// Lists keys.
    fn list_keys(&self, query: KeyQuery) -> Reply<KeyPage>;
    /// Reads a key.
    fn read_key(&self, id: Locator) -> Reply<Key>;
    /// Makes a key, and its secret unless the request brings the hash of one; once, if it says so.
    fn create_key(&self, key: NewKey, once: Option<Once>) -> Reply<CreatedKey>;
    /// Makes a key like another one; once, if it says so.
    fn duplicate_key(&self, copy: Copied, once: Option<Once>) -> Reply<CreatedKey>;
    /// Changes a key that the visitor saw in this version.
    fn change_key(&self, id: Locator, version: u64, patch: KeyPatch) -> Reply<Changed>;
    /// Deletes a key that the visitor saw in this version.
    fn delete_key(&self, id: Locator, version: u64) -> Reply<Changed>;
    /// Undoes the deletion of a key.
    fn restore_key(&self, id: Locator) -> Reply<Changed>;
    /// Reads a key that was deleted and can be restored.
    fn read_deleted_key(&self, id: Locator) -> Reply<Key>;
    /// Gives a key a new secret, made here, and ends the old ones at once; once, if it says so.
    fn new_secret(&self, id: Locator, once: Option<Once>) -> Reply<CreatedKey>;
    /// Name of who brought a key into its present state, if the visitor may know.
    fn last_editor(&self, key: &Key) -> Reply<Option<String>>;
    /// The message that the request brings, if it is for this session.
    fn flash(&self) -> Option<Flash>;
    /// The cookie that carries a message to the next page; without one, the cookie that ends it.
    fn carry(&self, flash: Option<&Flash>) -> Cookies;
    /// A cookie that is there with the next form, if the browser keeps ours; none where all do.
    fn probe(&self) -> Cookies;
    /// Returns true if the browser has refused that cookie.
    fn loses_cookies(&self) -> bool;
    /// Id of the request that is answered: 32 characters that no other request has.
    fn request_id(&self) -> String;
    /// The time.
    fn now(&self) -> Timestamp;
    /// Origin of the edge, for calls that the pages show and make.
    fn edge(&self) -> String;
    /// Folder of the browser's files under `/assets`.
    fn assets(&self) -> String;
}

/// The backend of the request that is answered.
pub type Provided = Arc<dyn Backend>;

/// The values of the `Set-Cookie` headers (RFC 6265) that open or end a session.
pub struct Cookies(pub Vec<Zeroizing<String>>);

/// A key that is to be made like another one.
pub struct Copied {
    /// The other.
    pub id: Locator,
    /// In what the copy differs.
    pub differences: KeyPatch,
    /// Which world it opens; none for that of the other.
    pub environment: Option<Environment>,
    /// Hash of a secret that the caller made and keeps; none to have one made.
    pub secret: Option<SecretHash>,
}

/// A key that was just made.
pub struct CreatedKey {
    /// What is known of it.
    pub key: Key,
    /// The whole key, if its secret was made here. This is the only time it can be seen.
    pub token: Option<Zeroizing<String>>,
    /// Whether an earlier request of the same name made it.
    pub replayed: bool,
}
