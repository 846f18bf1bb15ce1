//! A workspace: the Durable Object with its keys, members, settings and audit trail. It runs
//! commands, and the background work of its alarm.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod alarm;
mod authenticate;
mod commands;
mod duplicate;
mod effective;
mod end_secrets;
mod explain;
mod feed_outbox;
mod follow_up;
mod idempotency;
mod import_staging;
mod keys;
mod kv_outbox;
mod kv_replica;
mod list;
mod master_check;
mod masters;
mod members;
mod meters;
mod pipeline;
mod purge;
mod purge_cleanup;
mod restore;
mod rotate;
mod rows;
mod scheduled_tasks;
mod schema;
mod sealed_record;
mod session_events;
mod settings;
mod sweep;
mod trail;
mod transfer;
mod use_reports;

#[cfg(test)]
#[path = "../tests/previous/registry.rs"]
mod previous;
#[cfg(test)]
mod testing;
#[cfg(test)]
#[path = "../tests/walk/walk.rs"]
mod walk;

use self::{
    idempotency::InFlight, pipeline::Incoming, scheduled_tasks::ScheduledTask, sealed_record::RECORD,
    use_reports::UseReports,
};
use crate::{
    database::DatabaseResult,
    log,
    object::{keyring, now},
    rpc::json_body,
    storage::Storage,
};
use ownchat_domain::vault::Object;
use std::{
    cell::{Cell, OnceCell},
    time::Duration,
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The Durable Object. One per workspace, named by its number.
#[durable_object]
pub struct Registry {
    state: State,
    env: Env,
    database: DatabaseResult<Storage>,
    in_flight: InFlight,
    uses: UseReports,
    /// Result of the master secret check, once it ran.
    masters: OnceCell<bool>,
}

impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = schema::apply(&storage).map(|()| storage);
        let (in_flight, uses, masters) = (InFlight::default(), UseReports::default(), OnceCell::new());
        Self { state, env, database, in_flight, uses, masters }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("registry", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }

    async fn alarm(&self) -> Result<Response> {
        log::within("registry", None, Box::pin(self.run_alarm())).await
    }
}

impl Registry {
    async fn respond_to(&self, request: Request) -> Result<Response> {
        let database = self.database()?;
        let path = request.path();
        let Some((Object::Registry(workspace), name)) = Object::parse(&path) else {
            return Response::error("not a request to a registry", 404);
        };
        if !self.has_expected_secrets(database)? {
            return Response::error("other master secrets", 503);
        }
        let response = self.dispatch(database, workspace, name, &request).await;
        // The command is committed. If no alarm can be set now, the next request sets it.
        if let Err(error) = self.schedule_alarm(database).await {
            log::error(format_args!("no alarm: {error}"));
        }
        response
    }

    /// Runs background work: feed outbox, KV outbox, purge, clean-up, expiry and sweep.
    async fn run_alarm(&self) -> Result<Response> {
        let database = self.database()?;
        if !self.has_expected_secrets(database)? {
            // Nothing is written with secrets that cannot read it later.
            self.state.storage().set_alarm(Duration::from_mins(1)).await?;
            return Response::empty();
        }
        let kv = self.env.kv("KEYS")?;
        let workspace = rows::workspace(database).map_err(log::internal_error)?.number;
        self.publish_feed(database, workspace).await;
        log::errors(kv_outbox::deliver(database, &keyring(&self.env)?, &kv, now).await.map_err(log::internal_error)?);
        match purge::purge(database, now()) {
            Ok(purged) => log::errors(purged.errors),
            Err(error) => {
                log::error(format_args!("purge: {error:?}"));
                scheduled_tasks::failed(database, ScheduledTask::Purge, now()).map_err(log::internal_error)?;
            }
        }
        match purge_cleanup::run(database, &self.env, &kv, now).await {
            Ok(errors) => log::errors(errors),
            Err(error) => log::error(format_args!("{error:?}")),
        }
        if let Err(error) = idempotency::expire(database, now()) {
            log::error(format_args!("{error:?}"));
        }
        import_staging::expire(database, now()).map_err(log::internal_error)?;
        log::errors(sweep::run_batch(database, &keyring(&self.env)?, &kv, now).await.map_err(log::internal_error)?);
        self.schedule_alarm(database).await?;
        Response::empty()
    }

    fn database(&self) -> Result<&Storage> {
        self.database.as_ref().map_err(log::internal_error)
    }

    /// Returns true if the master secrets are those that the workspace was used with. A mismatch is
    /// logged once per start.
    fn has_expected_secrets(&self, database: &Storage) -> Result<bool> {
        if let Some(known) = self.masters.get() {
            return Ok(*known);
        }
        let comparison = master_check::compare(database, &keyring(&self.env)?).map_err(log::internal_error)?;
        if let Err(reason) = &comparison {
            log::error(format_args!("{reason}"));
        }
        Ok(*self.masters.get_or_init(|| comparison.is_ok()))
    }

    async fn dispatch(&self, database: &Storage, workspace: u32, name: &str, http: &Request) -> Result<Response> {
        let keyring = &keyring(&self.env)?;
        if let Some(id) = name.strip_prefix(RECORD) {
            return sealed_record::respond(database, keyring, id);
        }
        let request = Incoming {
            database,
            keyring,
            env: &self.env,
            in_flight: &self.in_flight,
            workspace,
            body: json_body(http).await?,
            now: now(),
            last_use: Cell::default(),
        };
        let follow_up = commands::run(&request, name)?;
        if let Some(last) = request.last_use.get().filter(|last| self.uses.is_due(*last)) {
            // The response does not wait for it.
            let report = use_reports::report(self.env.clone(), workspace, last);
            self.state.wait_until(log::within("registry", log::request_id(), Box::pin(report)));
        }
        self.follow_up(database, workspace, follow_up).await
    }
}
