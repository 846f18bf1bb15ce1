//! An account: the Durable Object with its password hash, its sessions and its workspace.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod account;
mod schema;
mod sessions;

#[cfg(test)]
#[path = "../tests/previous/person.rs"]
mod previous;

use crate::{
    log,
    migrate::is_new,
    object::{now, send},
    rpc::{read_command, respond, run},
    storage::Storage,
};
use ownchat_domain::{
    failure::Failure,
    vault::{
        Command, Object, Outcome,
        person::{CreateAccount, EndSession, OpenSession, ReadPassword, ReportSessionEvent, Resume},
    },
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The Durable Object. One per account, named by its number.
#[durable_object]
pub struct Person {
    env: Env,
    database: Storage,
}

impl DurableObject for Person {
    fn new(state: State, env: Env) -> Self {
        Self { env, database: Storage::of(&state) }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("person", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }
}

impl Person {
    async fn respond_to(&self, request: Request) -> Result<Response> {
        let database = &self.database;
        let path = request.path();
        let Some((Object::Person(person), name)) = Object::parse(&path) else {
            return Response::error("not a request to a person", 404);
        };
        // Anybody can forge a session of a missing account. Nothing is stored for it.
        if name != CreateAccount::NAME && is_new(database).map_err(log::internal_error)? {
            return Response::from_json(&Outcome::<()>::Err(Failure::NotSignedIn));
        }
        schema::apply(database).map_err(log::internal_error)?;
        match name {
            CreateAccount::NAME => run(&request, |c: &CreateAccount| account::create(database, c)).await,
            ReadPassword::NAME => respond::<ReadPassword>(account::password(database)),
            OpenSession::NAME => run(&request, |c: &OpenSession| sessions::open(database, c, now())).await,
            Resume::NAME => run(&request, |c: &Resume| sessions::resume(database, c, now())).await,
            EndSession::NAME => run(&request, |c: &EndSession| sessions::end(database, c)).await,
            ReportSessionEvent::NAME => {
                let command = read_command(&request).await?;
                respond::<ReportSessionEvent>(match sessions::to_registry_event(database, person, &command, now()) {
                    Ok((workspace, event)) => {
                        send(&self.env, Object::Registry(workspace), &event).await.map_err(Into::into)
                    }
                    Err(refusal) => Err(refusal),
                })
            }
            _ => Response::error("no such command", 404),
        }
    }
}
