//! The use cases of the console, on behalf of the caller of one request.
//! Pages, server functions and the management API share them.

mod caller;
pub mod events;
mod explain;
mod flash;
mod keys;
mod newest;
mod notes;
mod session;
mod transfer;
mod usage;
mod workspace;

pub use keys::Rotated;
pub use workspace::SettingsPatch;

use crate::visitor::{Visitor, now};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    digest::SecretHash,
    explain::{Case, Explanation, Subject},
    failure::Failure,
    idempotency::Once,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
    usage::Report,
    vault::{
        masters::Masters,
        person::Identity,
        registry::{Changed, ChangedSettings, Settings, TrailPage, TrailQuery},
        transfer::{ExportPart, Imported, Place},
        usage::UsageQuery,
    },
};
use ownchat_ui::{
    backend::{Backend, Cookies, Copied, CreatedKey, Reply},
    flash::Flash,
};
use std::future::Future;
use worker::send::SendFuture;

/// The use cases, on behalf of one caller.
#[derive(Clone)]
pub struct Cases(pub Visitor);

impl Backend for Cases {
    fn check_setup(&self, token: String) -> Reply<()> {
        let visitor = self.0.clone();
        reply(async move { session::check_setup(&visitor, token).await })
    }

    fn set_up(&self, request: SetupRequest) -> Reply<Cookies> {
        let visitor = self.0.clone();
        reply(async move { session::set_up(&visitor, &request).await })
    }

    fn sign_in(&self, request: SignInRequest) -> Reply<Cookies> {
        let visitor = self.0.clone();
        reply(async move { session::sign_in(&visitor, &request).await })
    }

    fn sign_out(&self) -> Reply<Cookies> {
        let visitor = self.0.clone();
        reply(async move { session::sign_out(&visitor).await })
    }

    fn identity(&self) -> Reply<Identity> {
        let visitor = self.0.clone();
        reply(async move { session::resume(&visitor).await.map(|(_, identity)| identity) })
    }

    fn list_keys(&self, query: KeyQuery) -> Reply<KeyPage> {
        let visitor = self.0.clone();
        reply(async move { keys::list(&visitor, query).await })
    }

    fn read_key(&self, id: Locator) -> Reply<Key> {
        let visitor = self.0.clone();
        reply(async move { keys::read(&visitor, id).await })
    }

    fn create_key(&self, key: NewKey, once: Option<Once>) -> Reply<CreatedKey> {
        let visitor = self.0.clone();
        reply(async move { keys::create(&visitor, key, once).await })
    }

    fn duplicate_key(&self, copy: Copied, once: Option<Once>) -> Reply<CreatedKey> {
        let visitor = self.0.clone();
        reply(async move { keys::duplicate(&visitor, copy, once).await })
    }

    fn change_key(&self, id: Locator, version: u64, patch: KeyPatch) -> Reply<Changed> {
        let visitor = self.0.clone();
        reply(async move { keys::change(&visitor, id, version, patch).await })
    }

    fn delete_key(&self, id: Locator, version: u64) -> Reply<Changed> {
        let visitor = self.0.clone();
        reply(async move { keys::delete(&visitor, id, version).await })
    }

    fn restore_key(&self, id: Locator) -> Reply<Changed> {
        let visitor = self.0.clone();
        reply(async move { keys::restore(&visitor, id).await })
    }

    fn read_deleted_key(&self, id: Locator) -> Reply<Key> {
        let visitor = self.0.clone();
        reply(async move { keys::read_deleted(&visitor, id).await })
    }

    fn new_secret(&self, id: Locator, once: Option<Once>) -> Reply<CreatedKey> {
        let visitor = self.0.clone();
        reply(async move {
            let Rotated { changed, token } = keys::rotate(&visitor, id, (0, true), None, once).await?;
            Ok(CreatedKey { key: changed.key, token, replayed: changed.replayed })
        })
    }

    fn last_editor(&self, key: &Key) -> Reply<Option<String>> {
        let (visitor, id, at) = (self.0.clone(), key.id, key.updated_at);
        reply(async move { workspace::editor(&visitor, id, at).await })
    }

    fn flash(&self) -> Option<Flash> {
        flash::read(&self.0)
    }

    fn carry(&self, flash: Option<&Flash>) -> Cookies {
        flash::carry(&self.0, flash)
    }

    fn probe(&self) -> Cookies {
        session::probe(&self.0)
    }

    fn loses_cookies(&self) -> bool {
        self.0.is_insecure && !self.0.has_cookies
    }

    fn request_id(&self) -> String {
        self.0.request_id.clone()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn edge(&self) -> String {
        self.variable("EDGE_URL").trim_end_matches('/').to_owned()
    }

    fn assets(&self) -> String {
        self.variable("ASSETS_VERSION")
    }
}

/// Use cases without a page.
impl Cases {
    /// Authenticates the caller: a signed-in person or a valid key.
    pub fn check_caller(&self) -> Reply<()> {
        let visitor = self.0.clone();
        reply(async move { caller::check(&visitor).await })
    }

    /// Fails unless the key exists.
    pub fn find_key(&self, id: Locator) -> Reply<()> {
        let visitor = self.0.clone();
        reply(async move { keys::find(&visitor, id).await })
    }

    /// Reports the usage of one key, or of all keys of the workspace.
    pub fn usage(&self, key: Option<Locator>, query: UsageQuery) -> Reply<Report> {
        let visitor = self.0.clone();
        reply(async move { usage::read(&visitor, key, query).await })
    }

    /// Rotates the secret of a key. Generates the new one unless the request contains the hash of
    /// one.
    pub fn rotate_key(
        &self,
        id: Locator,
        overlap: (u32, bool),
        hash: Option<SecretHash>,
        once: Option<Once>,
    ) -> Reply<Rotated> {
        let visitor = self.0.clone();
        reply(async move { keys::rotate(&visitor, id, overlap, hash, once).await })
    }

    /// Revokes the old secrets of a key at once.
    pub fn end_old_secrets(&self, id: Locator) -> Reply<Changed> {
        let visitor = self.0.clone();
        reply(async move { keys::end_old_secrets(&visitor, id).await })
    }

    /// Explains the edge's verdict on a request.
    pub fn explain(&self, subject: Subject, case: Case) -> Reply<Explanation> {
        let (visitor, now) = (self.0.clone(), self.now());
        reply(async move { explain::explain(&visitor, subject, case, now).await })
    }

    /// Reads the settings of the workspace.
    pub fn settings(&self) -> Reply<Settings> {
        let visitor = self.0.clone();
        reply(async move { workspace::settings(&visitor).await })
    }

    /// Changes the settings of the workspace, given the version that the caller last read.
    pub fn change_settings(&self, version: u64, patch: SettingsPatch) -> Reply<ChangedSettings> {
        let visitor = self.0.clone();
        reply(async move { workspace::change_settings(&visitor, version, patch).await })
    }

    /// Reports the workspace's remaining uses of each master secret.
    pub fn masters(&self) -> Reply<Masters> {
        let visitor = self.0.clone();
        reply(async move { workspace::masters(&visitor).await })
    }

    /// Reads a page of the audit trail.
    pub fn trail(&self, query: TrailQuery) -> Reply<TrailPage> {
        let visitor = self.0.clone();
        reply(async move { workspace::trail(&visitor, query).await })
    }

    /// Reads the next part of an export.
    pub fn export_part(&self, after: Option<Place>) -> Reply<ExportPart> {
        let visitor = self.0.clone();
        reply(async move { transfer::export_part(&visitor, after).await })
    }

    /// Stages lines of an import. `first` is the number of the first of them.
    pub fn stage_import(&self, first: u64, lines: Vec<String>) -> Reply<()> {
        let visitor = self.0.clone();
        reply(async move { transfer::stage(&visitor, first, lines).await })
    }

    /// Imports the staged lines into the workspace.
    pub fn finish_import(&self) -> Reply<Imported> {
        let visitor = self.0.clone();
        reply(async move { transfer::finish(&visitor).await })
    }
}

impl Cases {
    fn variable(&self, name: &str) -> String {
        self.0.env.var(name).map(|value| value.to_string()).unwrap_or_default()
    }
}

/// Makes a future `Send`: those of the platform are not, but never leave their one thread.
fn reply<T: 'static>(work: impl Future<Output = Result<T, Failure>> + 'static) -> Reply<T> {
    Box::pin(SendFuture::new(work))
}
