//! The port of the pages, [`Backend`], for the caller of one request.

use crate::{
    request_context::{RequestContext, now},
    use_cases::{
        caller::call,
        flash,
        keys::{self, Rotated},
        session,
    },
};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    failure::Failure,
    idempotency::Idempotency,
    key::{Key, KeyPage, KeyPatch, KeyQuery, NewKey},
    locator::Locator,
    time::Timestamp,
    vault::{
        person::Identity,
        registry::{Changed, DeleteKey, ReadDeleted},
    },
};
use ownchat_ui::{
    backend::{Backend, Cookies, CreatedKey, DuplicateRequest, Reply},
    flash::Flash,
};

impl Backend for RequestContext {
    fn check_setup(&self, token: String) -> Reply<()> {
        reply(self, async move |context| session::check_setup(&context, token).await)
    }

    fn set_up(&self, request: SetupRequest) -> Reply<Cookies> {
        reply(self, async move |context| session::set_up(&context, &request).await)
    }

    fn sign_in(&self, request: SignInRequest) -> Reply<Cookies> {
        reply(self, async move |context| session::sign_in(&context, &request).await)
    }

    fn sign_out(&self) -> Reply<Cookies> {
        reply(self, async move |context| session::sign_out(&context).await)
    }

    fn identity(&self) -> Reply<Identity> {
        reply(self, async move |context| session::resume(&context).await.map(|(_, identity)| identity))
    }

    fn list_keys(&self, query: KeyQuery) -> Reply<KeyPage> {
        reply(self, async move |context| keys::list(&context, query).await)
    }

    fn read_key(&self, id: Locator) -> Reply<Key> {
        reply(self, async move |context| keys::read(&context, id).await)
    }

    fn create_key(&self, key: NewKey, once: Option<Idempotency>) -> Reply<CreatedKey> {
        reply(self, async move |context| keys::create(&context, key, once).await)
    }

    fn duplicate_key(&self, copy: DuplicateRequest, once: Option<Idempotency>) -> Reply<CreatedKey> {
        reply(self, async move |context| keys::duplicate(&context, copy, once).await)
    }

    fn change_key(&self, id: Locator, version: u64, patch: KeyPatch) -> Reply<Changed> {
        reply(self, async move |context| keys::change(&context, id, version, patch).await)
    }

    fn delete_key(&self, id: Locator, version: u64) -> Reply<Changed> {
        reply(self, async move |context| call(&context, |origin| DeleteKey { origin, id, version }).await)
    }

    fn restore_key(&self, id: Locator) -> Reply<Changed> {
        reply(self, async move |context| keys::restore(&context, id).await)
    }

    fn read_deleted_key(&self, id: Locator) -> Reply<Key> {
        reply(self, async move |context| call(&context, |origin| ReadDeleted { caller: origin.caller, id }).await)
    }

    fn new_secret(&self, id: Locator, once: Option<Idempotency>) -> Reply<CreatedKey> {
        reply(self, async move |context| {
            let Rotated { changed, token } = keys::rotate(&context, id, (0, true), None, once).await?;
            Ok(CreatedKey { key: changed.key, token, replayed: changed.replayed })
        })
    }

    fn last_editor(&self, key: &Key) -> Reply<Option<String>> {
        let (id, at) = (key.id, key.updated_at);
        reply(self, async move |context| keys::last_editor(&context, id, at).await)
    }

    fn flash(&self) -> Option<Flash> {
        flash::read(self)
    }

    fn carry(&self, flash: Option<&Flash>) -> Cookies {
        flash::carry(self, flash)
    }

    fn probe(&self) -> Cookies {
        session::probe(self)
    }

    fn loses_cookies(&self) -> bool {
        self.is_insecure && !self.has_cookies
    }

    fn request_id(&self) -> String {
        self.request_id.clone()
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

/// Boxes a use case with its own copy of the context.
fn reply<T: 'static, F: Future<Output = Result<T, Failure>> + Send + 'static>(
    context: &RequestContext,
    use_case: impl FnOnce(RequestContext) -> F,
) -> Reply<T> {
    Box::pin(use_case(context.clone()))
}
