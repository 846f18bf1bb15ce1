//! The revocation feed: the Durable Object from which edges learn that a cached or replicated
//! record is stale. It appends entries and serves pages of them.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod entries;
mod schema;

#[cfg(test)]
#[path = "../tests/previous/feed.rs"]
mod previous;

use crate::{
    database::{DatabaseError, DatabaseResult},
    log,
    object::{now, random},
    rpc::run,
    storage::Storage,
};
use ownchat_domain::{
    feed::encode,
    vault::{Command, Object, feed::Announce, parse_feed_path},
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The Durable Object. One per shard of workspaces, named by its number.
#[durable_object]
pub struct Feed {
    database: DatabaseResult<Storage>,
}

impl DurableObject for Feed {
    fn new(state: State, _env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = random()
            .map_err(|error| DatabaseError(error.to_string()))
            .and_then(|bytes| schema::apply(&storage, u64::from_be_bytes(bytes), now()))
            .map(|()| storage);
        Self { database }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("feed", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }
}

impl Feed {
    async fn respond_to(&self, request: Request) -> Result<Response> {
        let database = self.database.as_ref().map_err(log::internal_error)?;
        let path = request.path();
        let Some((Object::Feed(_), name)) = Object::parse(&path) else {
            return Response::error("not a request to a feed", 404);
        };
        if name == Announce::NAME {
            return run(&request, |c: &Announce| entries::append(database, c, now())).await;
        }
        match parse_feed_path(name) {
            Some(since) => {
                let page = entries::read_since(database, since).map_err(log::internal_error)?;
                Response::from_bytes(encode(&page).map_err(log::internal_error)?)
            }
            None => Response::error("no such command", 404),
        }
    }
}
