//! A workspace: the Durable Object with its keys, members, settings and audit trail. It dispatches
//! commands and runs the background work of its alarm.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod alarm;
mod authenticate;
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
mod log;
mod master_check;
mod masters;
mod members;
mod meters;
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
    authenticate::CommandRequest,
    idempotency::InFlight,
    log::{internal_error, log},
    scheduled_tasks::ScheduledTask,
    sealed_record::RECORD,
    use_reports::UseReports,
};
use crate::{
    database::DatabaseResult,
    object::{keyring, now, send},
    rpc::{read_command, respond},
    storage::Storage,
};
use ownchat_domain::{
    failure::Failure,
    feed::shard_of,
    locator::Locator,
    usage::LastUse,
    vault::{
        Call, Object,
        feed::Announce,
        masters::ReadMasters,
        registry::{
            ChangeKey, ChangeSettings, ChangedSettings, CreateKey, CreateWorkspace, DeleteKey, DuplicateKey,
            EndOldSecrets, ExplainCall, ListKeys, ReadDeleted, ReadKey, ReadSettings, ReadTrail, RecordSessionEvent,
            RestoreKey, RotateKey, WorkspaceExists,
        },
        transfer::{FinishImport, ReadExport, StageImport},
    },
};
use std::{
    cell::{Cell, OnceCell},
    time::Duration,
};
use worker::{DurableObject, Env, Request, Response, Result, State, console_error, durable_object};

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

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let database = self.database()?;
        let path = request.path();
        let Some((Object::Registry(workspace), name)) = Object::parse(&path) else {
            return Response::error("not a request to a registry", 404);
        };
        if !self.has_expected_secrets(database)? {
            return Response::error("other master secrets", 503);
        }
        let last_use = Cell::new(None);
        let response = self.dispatch(database, workspace, name, &mut request, &last_use).await;
        if let Some(last) = last_use.get().filter(|last| self.uses.is_due(*last)) {
            // The response does not wait for it.
            self.state.wait_until(use_reports::report(self.env.clone(), workspace, last));
        }
        // The command is committed. If no alarm can be set now, the next request sets it.
        if let Err(error) = self.schedule_alarm(database).await {
            console_error!("registry: no alarm: {error}");
        }
        response
    }

    /// Runs background work: feed outbox, KV outbox, purge, clean-up, expiry and sweep.
    async fn alarm(&self) -> Result<Response> {
        let database = self.database()?;
        if !self.has_expected_secrets(database)? {
            // Nothing is written with secrets that cannot read it later.
            self.state.storage().set_alarm(Duration::from_mins(1)).await?;
            return Response::empty();
        }
        let kv = self.env.kv("KEYS")?;
        let workspace = rows::workspace(database).map_err(internal_error)?.number;
        self.publish_feed(database, workspace).await;
        log(kv_outbox::deliver(database, &keyring(&self.env)?, &kv, now).await.map_err(internal_error)?);
        match purge::purge(database, now()) {
            Ok(purged) => log(purged.errors),
            Err(error) => {
                console_error!("registry: purge: {error:?}");
                scheduled_tasks::failed(database, ScheduledTask::Purge, now()).map_err(internal_error)?;
            }
        }
        match purge_cleanup::run(database, &self.env, &kv, now).await {
            Ok(errors) => log(errors),
            Err(error) => console_error!("registry: {error:?}"),
        }
        if let Err(error) = idempotency::expire(database, now()) {
            console_error!("registry: {error:?}");
        }
        import_staging::expire(database, now()).map_err(internal_error)?;
        log(sweep::run_batch(database, &keyring(&self.env)?, &kv, now).await.map_err(internal_error)?);
        self.schedule_alarm(database).await?;
        Response::empty()
    }
}

impl Registry {
    fn database(&self) -> Result<&Storage> {
        self.database.as_ref().map_err(|error| internal_error(error.clone()))
    }

    /// Returns true if the master secrets are those that the workspace was used with. A mismatch is
    /// logged once per start.
    fn has_expected_secrets(&self, database: &Storage) -> Result<bool> {
        if let Some(known) = self.masters.get() {
            return Ok(*known);
        }
        let comparison = master_check::compare(database, &keyring(&self.env)?).map_err(internal_error)?;
        if let Err(reason) = &comparison {
            console_error!("registry: {reason}");
        }
        Ok(*self.masters.get_or_init(|| comparison.is_ok()))
    }

    async fn dispatch(
        &self,
        database: &Storage,
        workspace: u32,
        name: &str,
        request: &mut Request,
        last_use: &Cell<Option<LastUse>>,
    ) -> Result<Response> {
        let ring = keyring(&self.env)?;
        let mut request = CommandRequest { database, keyring: &ring, http: request, last_use };
        match name {
            CreateWorkspace::NAME => {
                let result = members::create_workspace(database, &read_command(request.http).await?);
                // The feed is created before the first key, so that it has every revocation.
                let feed = Announce { entries: Vec::new() };
                let sent = send(&self.env, Object::Feed(shard_of(workspace)), &feed).await;
                respond::<CreateWorkspace>(match (result, sent) {
                    (Ok(()), Err(failure)) => Err(failure.into()),
                    (result, _) => result,
                })
            }
            WorkspaceExists::NAME => respond::<WorkspaceExists>(members::workspace_exists(database)),
            // Sessions and records outlive a lost store. The workspace must not look as if it never
            // existed.
            _ if !name.starts_with(RECORD) && members::workspace_exists(database) == Ok(false) => {
                console_error!("registry: the store of workspace {workspace} is lost; put a copy of it back");
                Response::from_json(&Result::<(), _>::Err(Failure::Unavailable))
            }
            CreateKey::NAME => {
                let call = request.authenticate().await?;
                let result = call.and_then(|call| keys::create(database, &ring, workspace, &call, now()));
                respond::<CreateKey>(self.with_alarm(result).await)
            }
            DuplicateKey::NAME => {
                let call = request.authenticate().await?;
                let result = call.and_then(|call| duplicate::duplicate(database, &ring, workspace, &call, now()));
                respond::<DuplicateKey>(self.with_alarm(result).await)
            }
            ListKeys::NAME => request.reply(|call: &ListKeys| list::list(database, call, now())).await,
            ReadDeleted::NAME => request.reply(|call: &ReadDeleted| restore::read_deleted(database, call, now())).await,
            ReadKey::NAME => request.reply(|call: &ReadKey| keys::read(database, call, now())).await,
            ExplainCall::NAME => {
                let result = match request.authenticate().await? {
                    Ok(call) => explain::explain_call(database, &ring, &self.env, &call, now()).await,
                    Err(error) => Err(error),
                };
                respond::<ExplainCall>(result)
            }
            ChangeKey::NAME => {
                let call = request.authenticate().await?;
                let result = call.and_then(|call| keys::change(database, &call, now()));
                respond::<ChangeKey>(self.publish_change(database, workspace, result).await)
            }
            DeleteKey::NAME => {
                let call = request.authenticate().await?;
                let result = call.and_then(|call| keys::delete(database, &call, now()));
                respond::<DeleteKey>(self.publish_change(database, workspace, result).await)
            }
            RestoreKey::NAME => {
                let call = request.authenticate().await?;
                let result = call.and_then(|call| restore::restore(database, &call, now()));
                respond::<RestoreKey>(self.publish_change(database, workspace, result).await)
            }
            RotateKey::NAME => {
                let call = request.authenticate().await?;
                respond::<RotateKey>(match call {
                    Ok(call) => self.rotate(database, &ring, workspace, &call).await,
                    Err(error) => Err(error),
                })
            }
            EndOldSecrets::NAME => {
                let call = request.authenticate().await?;
                let result = call.and_then(|call| end_secrets::end_old_secrets(database, &call, now()));
                respond::<EndOldSecrets>(self.publish_change(database, workspace, result).await)
            }
            ReadSettings::NAME => request.reply(|call: &ReadSettings| settings::read(database, call, now())).await,
            ChangeSettings::NAME => {
                let call = request.authenticate().await?;
                let result = self.with_alarm(call.and_then(|call| settings::change(database, &call, now()))).await;
                let published = self.publish_feed(database, workspace).await;
                respond::<ChangeSettings>(result.and_then(|(settings, narrowed)| {
                    if narrowed && !published {
                        return Err(Failure::NotEffectiveYet.into());
                    }
                    let everywhere = effective::effective_at(database, now())?;
                    Ok(ChangedSettings { settings, effective_at: narrowed.then_some(everywhere) })
                }))
            }
            RecordSessionEvent::NAME => {
                let event = read_command(request.http).await?;
                respond::<RecordSessionEvent>(session_events::record(database, &event, now()))
            }
            ReadTrail::NAME => request.reply(|call: &ReadTrail| list::trail(database, call, now())).await,
            ReadMasters::NAME => request.reply(|call: &ReadMasters| masters::read(database, &ring, call, now())).await,
            ReadExport::NAME => request.reply(|call: &ReadExport| transfer::read(database, call, now())).await,
            StageImport::NAME => request.reply(|call: &StageImport| transfer::stage(database, call, now())).await,
            FinishImport::NAME => {
                let call = request.authenticate().await?;
                let outcome =
                    self.with_alarm(call.and_then(|call| transfer::finish(database, &ring, &call, now()))).await;
                let sent = self.publish_feed(database, workspace).await;
                respond::<FinishImport>(if sent { outcome } else { outcome.and(Err(Failure::NotEffectiveYet.into())) })
            }
            _ => match name.strip_prefix(RECORD).and_then(|id| id.parse::<Locator>().ok()) {
                Some(locator) => sealed_record::respond(database, &ring, locator),
                None => Response::error("no such command", 404),
            },
        }
    }
}
