//! The object of a workspace: its keys, its members, its audit trail.
#![allow(missing_docs, reason = "the macro of the objects makes public items without docs")]

mod audit;
mod keys;
mod list;
mod members;
mod outbox;
mod rows;
mod schema;

#[cfg(test)]
mod testing;

use crate::{
    answer::{answer, question},
    database::Stored,
    object::{keyring, now},
    storage::Storage,
};
use ownchat_domain::{
    locator::Locator,
    vault::{
        Call, Object,
        registry::{ChangeKey, CreateKey, DeleteKey, Found, ListKeys, ReadKey},
    },
};
use worker::{DurableObject, Env, Request, Response, Result, State, console_error, durable_object};

/// The Durable Object. One per workspace, named by its number.
#[durable_object]
pub struct Registry {
    state: State,
    env: Env,
    database: Stored<Storage>,
}

impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = schema::apply(&storage).map(|()| storage);
        Self { state, env, database }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let database = self.database()?;
        let keyring = keyring(&self.env)?;
        let path = request.path();
        let Some((Object::Registry(workspace), name)) = Object::parse(&path) else {
            return Response::error("not a question to a registry", 404);
        };
        let response = match name {
            Found::NAME => answer::<Found>(members::found(database, &question(&mut request).await?)),
            CreateKey::NAME => {
                answer::<CreateKey>(keys::create(database, &keyring, workspace, &question(&mut request).await?, now()))
            }
            ListKeys::NAME => answer::<ListKeys>(list::list(database, &question(&mut request).await?, now())),
            ReadKey::NAME => answer::<ReadKey>(keys::read(database, &question(&mut request).await?, now())),
            ChangeKey::NAME => answer::<ChangeKey>(keys::change(database, &question(&mut request).await?, now())),
            DeleteKey::NAME => answer::<DeleteKey>(keys::delete(database, &question(&mut request).await?, now())),
            _ => match name.strip_prefix("record/").and_then(|id| id.parse::<Locator>().ok()) {
                Some(locator) => match rows::record(database, workspace, locator).map_err(defect)? {
                    Some(record) => Response::from_bytes(record.seal(&keyring).map_err(defect)?),
                    None => Response::error("no such key", 404),
                },
                None => Response::error("no such question", 404),
            },
        };
        // What was done stays done: the next request sets the alarm if this one cannot.
        if let Err(error) = self.wake_for_outbox(database).await {
            console_error!("registry: no alarm: {error}");
        }
        response
    }

    /// Carries the outbox to KV.
    async fn alarm(&self) -> Result<Response> {
        let database = self.database()?;
        let kv = self.env.kv("KEYS")?;
        outbox::deliver(database, &keyring(&self.env)?, &kv).await.map_err(defect)?;
        self.wake_for_outbox(database).await?;
        Response::empty()
    }
}

impl Registry {
    fn database(&self) -> Result<&Storage> {
        self.database.as_ref().map_err(|error| defect(error.clone()))
    }

    /// Sets the alarm for the next record that is due, if any. Runs after every request too, so that a
    /// record whose alarms were given up is taken up again.
    async fn wake_for_outbox(&self, database: &Storage) -> Result<()> {
        match outbox::next_due(database).map_err(defect)? {
            Some(due) => {
                let delay = std::time::Duration::from_millis(u64::try_from(due.since(now())).unwrap_or(0));
                self.state.storage().set_alarm(delay).await
            }
            None => Ok(()),
        }
    }
}

/// Logs what nobody outside may see.
fn defect(error: impl core::fmt::Display) -> worker::Error {
    console_error!("registry: {error}");
    worker::Error::RustError("internal error".into())
}
