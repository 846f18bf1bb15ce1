//! The object of a workspace: its keys, its members, its audit trail.
#![allow(missing_docs, reason = "the macro of the objects makes public items without docs")]

mod alarm;
mod authenticate;
mod duplicate;
mod effective;
mod end_secrets;
mod explain;
mod feed_outbox;
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
mod search_text;
mod secrets;
mod session_events;
mod settings;
mod sweep;
mod trail;
mod transfer;
mod use_reports;

#[cfg(test)]
mod previous;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod walk;

use self::{
    alarm::{FEED_RETRY, next_due},
    authenticate::CommandRequest,
    idempotency::{IdempotentRequest, InFlight},
    keys::KeyOutcome,
    log::{internal_error, log},
    scheduled_tasks::ScheduledTask,
    sealed_record::RECORD,
    use_reports::UseReports,
};
use crate::{
    database::DatabaseResult,
    object::{keyring, now, send},
    rpc::{CommandResult, read_command, respond},
    storage::Storage,
    timeout::with_timeout,
};
use ownchat_domain::{
    failure::Failure,
    feed::shard_of,
    keyring::Keyring,
    locator::Locator,
    usage::LastUse,
    vault::{
        Call, Object,
        feed::Announce,
        masters::ReadMasters,
        registry::{
            ChangeKey, ChangeSettings, Changed, ChangedSettings, CreateKey, DeleteKey, DuplicateKey, EndOldSecrets,
            ExplainCall, Found, IsFounded, ListKeys, NoteEvent, ReadDeleted, ReadKey, ReadSettings, ReadTrail,
            RestoreKey, RotateKey,
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
    /// The outcome of the comparison of the master secrets, once it was made.
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
        let response = self.answer(database, workspace, name, &mut request, &last_use).await;
        if let Some(last) = last_use.get().filter(|last| self.uses.is_due(*last)) {
            // Nobody waits for it.
            self.state.wait_until(use_reports::report(self.env.clone(), workspace, last));
        }
        // What was done stays done: the next request sets the alarm if this one cannot.
        if let Err(error) = self.schedule_alarm(database).await {
            console_error!("registry: no alarm: {error}");
        }
        response
    }

    /// Tells the feed what it was not published yet, carries the outbox to KV, and removes what was deleted long ago.
    async fn alarm(&self) -> Result<Response> {
        let database = self.database()?;
        if !self.has_expected_secrets(database)? {
            // Nothing is written with secrets that nobody can read with afterwards.
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

    /// Compares the master secrets with those that the workspace was used with. The log says so
    /// once for each start if they are not.
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

    async fn answer(
        &self,
        database: &Storage,
        workspace: u32,
        name: &str,
        request: &mut Request,
        last_use: &Cell<Option<LastUse>>,
    ) -> Result<Response> {
        let ring = keyring(&self.env)?;
        let mut incoming = CommandRequest { database, keyring: &ring, request, last_use };
        match name {
            Found::NAME => {
                let result = members::create_workspace(database, &read_command(incoming.request).await?);
                // The feed is there before the first key, so that it knows of all that is ever forbidden.
                let feed = Announce { entries: Vec::new() };
                respond::<Found>(match (result, send(&self.env, Object::Feed(shard_of(workspace)), &feed).await) {
                    (Ok(()), Err(failure)) => Err(failure.into()),
                    (result, _) => result,
                })
            }
            IsFounded::NAME => respond::<IsFounded>(members::workspace_exists(database)),
            // Sessions and records of a workspace outlive its store. Nothing must look as if it had
            // never been.
            _ if !name.starts_with(RECORD) && members::workspace_exists(database) == Ok(false) => {
                console_error!("registry: the store of workspace {workspace} is lost; put a copy of it back");
                Response::from_json(&Result::<(), _>::Err(Failure::Unavailable))
            }
            CreateKey::NAME => {
                let call = incoming.authenticate().await?;
                let result = call.and_then(|call| keys::create(database, &ring, workspace, &call, now()));
                respond::<CreateKey>(self.with_alarm(result).await)
            }
            DuplicateKey::NAME => {
                let call = incoming.authenticate().await?;
                let result = call.and_then(|call| duplicate::duplicate(database, &ring, workspace, &call, now()));
                respond::<DuplicateKey>(self.with_alarm(result).await)
            }
            ListKeys::NAME => incoming.respond_with(|call: &ListKeys| list::list(database, call, now())).await,
            ReadDeleted::NAME => {
                incoming.respond_with(|call: &ReadDeleted| restore::read_deleted(database, call, now())).await
            }
            ReadKey::NAME => incoming.respond_with(|call: &ReadKey| keys::read(database, call, now())).await,
            ExplainCall::NAME => {
                let result = match incoming.authenticate().await? {
                    Ok(call) => explain::explain_call(database, &ring, &self.env, &call, now()).await,
                    Err(error) => Err(error),
                };
                respond::<ExplainCall>(result)
            }
            ChangeKey::NAME => {
                let call = incoming.authenticate().await?;
                let result = call.and_then(|call| keys::change(database, &call, now()));
                respond::<ChangeKey>(self.publish_change(database, workspace, result).await)
            }
            DeleteKey::NAME => {
                let call = incoming.authenticate().await?;
                let result = call.and_then(|call| keys::delete(database, &call, now()));
                respond::<DeleteKey>(self.publish_change(database, workspace, result).await)
            }
            RestoreKey::NAME => {
                let call = incoming.authenticate().await?;
                let result = call.and_then(|call| restore::restore(database, &call, now()));
                respond::<RestoreKey>(self.publish_change(database, workspace, result).await)
            }
            RotateKey::NAME => {
                let call = incoming.authenticate().await?;
                respond::<RotateKey>(match call {
                    Ok(call) => self.rotate(database, &ring, workspace, &call).await,
                    Err(error) => Err(error),
                })
            }
            EndOldSecrets::NAME => {
                let call = incoming.authenticate().await?;
                let result = call.and_then(|call| end_secrets::end_old_secrets(database, &call, now()));
                respond::<EndOldSecrets>(self.publish_change(database, workspace, result).await)
            }
            ReadSettings::NAME => {
                incoming.respond_with(|call: &ReadSettings| settings::read(database, call, now())).await
            }
            ChangeSettings::NAME => {
                let call = incoming.authenticate().await?;
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
            NoteEvent::NAME => {
                respond::<NoteEvent>(session_events::record(database, &read_command(incoming.request).await?, now()))
            }
            ReadTrail::NAME => incoming.respond_with(|call: &ReadTrail| list::trail(database, call, now())).await,
            ReadMasters::NAME => {
                incoming.respond_with(|call: &ReadMasters| masters::read(database, &ring, call, now())).await
            }
            ReadExport::NAME => incoming.respond_with(|call: &ReadExport| transfer::read(database, call, now())).await,
            StageImport::NAME => {
                incoming.respond_with(|call: &StageImport| transfer::stage(database, call, now())).await
            }
            FinishImport::NAME => {
                let call = incoming.authenticate().await?;
                let result =
                    self.with_alarm(call.and_then(|call| transfer::finish(database, &ring, &call, now()))).await;
                let published = self.publish_feed(database, workspace).await;
                respond::<FinishImport>(if published {
                    result
                } else {
                    result.and(Err(Failure::NotEffectiveYet.into()))
                })
            }
            _ => match name.strip_prefix(RECORD).and_then(|id| id.parse::<Locator>().ok()) {
                Some(locator) => sealed_record::respond(database, &ring, locator),
                None => Response::error("no such command", 404),
            },
        }
    }

    async fn rotate(
        &self,
        database: &Storage,
        ring: &Keyring,
        workspace: u32,
        call: &RotateKey,
    ) -> CommandResult<Changed> {
        let request = IdempotentRequest::of::<RotateKey>(call.once.as_ref(), &call.origin.caller, &call.id.to_string());
        let _guard = self.in_flight.enter(request)?;
        let outcome = rotate::rotate(database, ring, call, now())?;
        let unconfirmed = Changed { key: outcome.key.clone(), effective_at: None, replayed: outcome.replayed };
        match self.publish_change(database, workspace, Ok(outcome)).await {
            // The new secret is shown once and must not be lost; that no time stands beside it says
            // that the old ones may go on working for a while.
            Err(error) if error == Failure::NotEffectiveYet.into() => Ok(unconfirmed),
            Ok(changed) => {
                // Without it the time is found out anew; the new secret is shown in any case.
                if let Some(effective_at) = changed.effective_at
                    && let Err(error) = request.store_effective_at(database, effective_at)
                {
                    console_error!("registry: {error:?}");
                }
                Ok(changed)
            }
            failed => failed,
        }
    }

    /// Tells the feed of a change before anybody is published that it is done. What takes something from somebody
    /// is not done before that.
    async fn publish_change(
        &self,
        database: &Storage,
        workspace: u32,
        result: CommandResult<KeyOutcome>,
    ) -> CommandResult<Changed> {
        let KeyOutcome { key, narrowed, grace_until, replayed, effective_at } = result?;
        if effective_at.is_some() {
            return Ok(Changed { key, effective_at, replayed });
        }
        self.arm().await;
        let published = self.publish_feed(database, workspace).await;
        if narrowed && !published {
            return Err(Failure::NotEffectiveYet.into());
        }
        let everywhere = effective::effective_at(database, now())?;
        let effective_at = narrowed.then(|| grace_until.map_or(everywhere, |end| end.max(everywhere)));
        Ok(Changed { key, effective_at, replayed })
    }

    /// What was done, once there is an alarm for what it has left to do.
    async fn with_alarm<T>(&self, result: CommandResult<T>) -> CommandResult<T> {
        if result.is_ok() {
            self.arm().await;
        }
        result
    }

    /// Sets an alarm in the very turn in which something was stored, so that it is carried on whatever happens
    /// to this instance. What is due when is found out afterwards.
    async fn arm(&self) {
        let delay = Duration::from_millis(FEED_RETRY.unsigned_abs());
        if let Err(error) = self.state.storage().set_alarm(delay).await {
            console_error!("registry: no alarm: {error}");
        }
    }

    /// Tells the feed everything that it was not published yet. Says whether it knows all of it.
    async fn publish_feed(&self, database: &Storage, workspace: u32) -> bool {
        loop {
            let entries = match feed_outbox::pending(database, workspace) {
                Ok(entries) if entries.is_empty() => return true,
                Ok(entries) => entries,
                Err(error) => {
                    console_error!("registry: {error}");
                    return false;
                }
            };
            let call = Announce { entries: entries.clone() };
            let published = with_timeout(FEED_TIMEOUT, send(&self.env, Object::Feed(shard_of(workspace)), &call)).await;
            if !matches!(published, Some(Ok(()))) {
                return false;
            }
            if let Err(error) = feed_outbox::mark_published(database, &entries, now()) {
                console_error!("registry: {error}");
                return false;
            }
        }
    }

    /// Sets the alarm for what is due next, if anything is. Runs after every request too, so that what an
    /// alarm has given up is taken up again.
    async fn schedule_alarm(&self, database: &Storage) -> Result<()> {
        match next_due(database, now()).map_err(|error| internal_error(format!("{error:?}")))? {
            Some(due) => {
                // An alarm that is set is never moved away: requests that come and come must not put it off.
                let set = self.state.storage().get_alarm().await?;
                if set.is_some_and(|set| set <= due.millis()) {
                    return Ok(());
                }
                let delay = Duration::from_millis(u64::try_from(due.since(now())).unwrap_or(0));
                self.state.storage().set_alarm(delay).await
            }
            None => Ok(()),
        }
    }
}

/// For how long the feed may take to be published something, in milliseconds: an admin waits for that.
const FEED_TIMEOUT: u32 = 5_000;
