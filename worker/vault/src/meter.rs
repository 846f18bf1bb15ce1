//! The meter of a key with a rate limit or quota: leases permits to isolates, never more than the
//! limits allow.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod store;

use crate::{
    database::DatabaseResult,
    log,
    object::now,
    rpc::{CommandError, read_command, respond},
    storage::Storage,
};
use ownchat_domain::{
    meter::{decode, encode},
    vault::{
        Command, Object, PERMITS,
        meter::{AcceptAnyVersion, ClearMeter, LookAhead},
    },
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The Durable Object. One per limited key, named by its locator.
///
/// It stores nothing before it leases a permit, and nothing after its key was purged.
#[durable_object]
pub struct Meter {
    state: State,
    database: DatabaseResult<Storage>,
}

impl DurableObject for Meter {
    fn new(state: State, _env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = store::apply(&storage).map(|()| storage);
        Self { state, database }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("meter", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }
}

impl Meter {
    async fn respond_to(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        match Object::parse(&path) {
            Some((Object::Meter(_), PERMITS)) => self.take(&request.bytes().await?),
            Some((Object::Meter(_), ClearMeter::NAME)) => {
                self.state.storage().delete_all().await?;
                respond::<ClearMeter>(Ok(()))
            }
            Some((Object::Meter(_), AcceptAnyVersion::NAME)) => {
                let database = self.database.as_ref().map_err(Clone::clone);
                respond::<AcceptAnyVersion>(database.and_then(store::accept_any_version).map_err(CommandError::from))
            }
            Some((Object::Meter(_), LookAhead::NAME)) => {
                let command = read_command(&request).await?;
                let database = self.database.as_ref().map_err(Clone::clone);
                let outlook = database.and_then(|database| store::peek(database, &command, now()));
                respond::<LookAhead>(outlook.map_err(CommandError::from))
            }
            _ => Response::error("not a request to a meter", 404),
        }
    }

    fn take(&self, body: &[u8]) -> Result<Response> {
        let Ok(take) = decode(body) else {
            return Response::error("not a readable request", 400);
        };
        let database = self.database.as_ref().map_err(Clone::clone);
        let taken = database.and_then(|database| Ok(encode(&store::take(database, &take, now())?)?));
        match taken {
            Ok(bytes) => Response::from_bytes(bytes),
            Err(error) => {
                log::error(format_args!("{error}"));
                Response::error("internal error", 500)
            }
        }
    }
}
