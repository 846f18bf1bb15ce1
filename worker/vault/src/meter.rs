//! The object that counts the use of a limited key: it hands out permits, and never more than the limits allow.
#![allow(missing_docs, reason = "the macro of the objects makes public items without docs")]

mod store;

use crate::{database::Stored, object::now, storage::Storage};
use ownchat_domain::{
    meter::{decode, encode},
    vault::{Object, PERMITS},
};
use worker::{DurableObject, Env, Request, Response, Result, State, console_error, durable_object};

/// The Durable Object. One per limited key, named by its locator; made when the key is first used.
#[durable_object]
pub struct Meter {
    database: Stored<Storage>,
}

impl DurableObject for Meter {
    fn new(state: State, _env: Env) -> Self {
        let storage = Storage::of(&state);
        Self { database: store::apply(&storage).map(|()| storage) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let database = self.database.as_ref().map_err(|error| {
            console_error!("meter: {error}");
            worker::Error::RustError("internal error".into())
        })?;
        let path = request.path();
        let Some((Object::Meter(_), PERMITS)) = Object::parse(&path) else {
            return Response::error("not a question to a meter", 404);
        };
        let Some(question) = decode(&request.bytes().await?) else {
            return Response::error("not a question that can be read", 400);
        };
        match store::take(database, &question, now()) {
            Ok(taken) => Response::from_bytes(encode(&taken)),
            Err(error) => {
                console_error!("meter: {error}");
                Response::error("internal error", 500)
            }
        }
    }
}
