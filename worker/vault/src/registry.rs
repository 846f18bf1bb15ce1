//! The object of a workspace: its keys, its members, its audit trail.
#![allow(missing_docs, reason = "the macro of the objects makes public items without docs")]

mod announce;
mod callers;
mod chores;
mod copies;
mod due;
mod duplicate;
mod effective;
mod events;
mod explain;
mod idempotency;
mod key_uses;
mod keys;
mod leftovers;
mod life;
mod list;
mod master_check;
mod masters;
mod members;
mod meters;
mod outbox;
mod rows;
mod schema;
mod searched;
mod settings;
mod staged;
mod sweep;
mod trail;
mod transfer;
mod troubles;

#[cfg(test)]
mod previous;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod walk;

use self::{
    callers::Asking,
    chores::Chore,
    due::{RETRY_ANNOUNCING, next_due},
    idempotency::{Claim, Running},
    key_uses::KeyUses,
    keys::Outcome,
    troubles::{defect, log},
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
    time::Timestamp,
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
    running: Running,
    uses: KeyUses,
    /// The outcome of the comparison of the master secrets, once it was made.
    masters: OnceCell<bool>,
}

impl DurableObject for Registry {
    fn new(state: State, env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = schema::apply(&storage).map(|()| storage);
        let (running, uses, masters) = (Running::default(), KeyUses::default(), OnceCell::new());
        Self { state, env, database, running, uses, masters }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let database = self.database()?;
        let path = request.path();
        let Some((Object::Registry(workspace), name)) = Object::parse(&path) else {
            return Response::error("not a request to a registry", 404);
        };
        if !self.has_its_masters(database)? {
            return Response::error("other master secrets", 503);
        }
        let used = Cell::new(None);
        let response = self.answer(database, workspace, name, &mut request, &used).await;
        if let Some(last) = used.get().filter(|last| self.uses.is_due(*last)) {
            // Nobody waits for it.
            self.state.wait_until(key_uses::tell(self.env.clone(), workspace, last));
        }
        // What was done stays done: the next request sets the alarm if this one cannot.
        if let Err(error) = self.wake(database).await {
            console_error!("registry: no alarm: {error}");
        }
        response
    }

    /// Tells the feed what it was not told yet, carries the outbox to KV, and removes what was deleted long ago.
    async fn alarm(&self) -> Result<Response> {
        let database = self.database()?;
        if !self.has_its_masters(database)? {
            // Nothing is written with secrets that nobody can read with afterwards.
            self.state.storage().set_alarm(Duration::from_mins(1)).await?;
            return Response::empty();
        }
        let kv = self.env.kv("KEYS")?;
        let workspace = rows::workspace(database).map_err(defect)?.number;
        self.announce(database, workspace).await;
        log(outbox::deliver(database, &keyring(&self.env)?, &kv, now).await.map_err(defect)?);
        match life::purge(database, now()) {
            Ok(purged) => log(purged.troubles),
            Err(refusal) => {
                console_error!("registry: purge: {refusal:?}");
                chores::failed(database, Chore::Purge, now()).map_err(defect)?;
            }
        }
        match leftovers::clear(database, &self.env, &kv, now).await {
            Ok(troubles) => log(troubles),
            Err(refusal) => console_error!("registry: {refusal:?}"),
        }
        if let Err(refusal) = idempotency::forget(database, now()) {
            console_error!("registry: {refusal:?}");
        }
        staged::forget(database, now()).map_err(defect)?;
        log(sweep::turn(database, &keyring(&self.env)?, &kv, now).await.map_err(defect)?);
        self.wake(database).await?;
        Response::empty()
    }
}

impl Registry {
    fn database(&self) -> Result<&Storage> {
        self.database.as_ref().map_err(|error| defect(error.clone()))
    }

    /// Compares the master secrets with those that the workspace was used with. The log says so
    /// once for each start if they are not.
    fn has_its_masters(&self, database: &Storage) -> Result<bool> {
        if let Some(known) = self.masters.get() {
            return Ok(*known);
        }
        let compared = master_check::compare(database, &keyring(&self.env)?).map_err(defect)?;
        if let Err(why) = &compared {
            console_error!("registry: {why}");
        }
        Ok(*self.masters.get_or_init(|| compared.is_ok()))
    }

    async fn answer(
        &self,
        database: &Storage,
        workspace: u32,
        name: &str,
        request: &mut Request,
        used: &Cell<Option<LastUse>>,
    ) -> Result<Response> {
        let ring = keyring(&self.env)?;
        let mut asking = Asking { database, keyring: &ring, request, used };
        match name {
            Found::NAME => {
                let done = members::found(database, &read_command(asking.request).await?);
                // The feed is there before the first key, so that it knows of all that is ever forbidden.
                let feed = Announce { entries: Vec::new() };
                respond::<Found>(match (done, send(&self.env, Object::Feed(shard_of(workspace)), &feed).await) {
                    (Ok(()), Err(failure)) => Err(failure.into()),
                    (done, _) => done,
                })
            }
            IsFounded::NAME => respond::<IsFounded>(members::is_founded(database)),
            // Sessions and records of a workspace outlive its store. Nothing must look as if it had
            // never been.
            _ if !name.starts_with(RECORD) && members::is_founded(database) == Ok(false) => {
                console_error!("registry: the store of workspace {workspace} is lost; put a copy of it back");
                Response::from_json(&Result::<(), _>::Err(Failure::Unavailable))
            }
            CreateKey::NAME => {
                let call = asking.admit().await?;
                let done = call.and_then(|call| keys::create(database, &ring, workspace, &call, now()));
                respond::<CreateKey>(self.armed(done).await)
            }
            DuplicateKey::NAME => {
                let call = asking.admit().await?;
                let done = call.and_then(|call| duplicate::duplicate(database, &ring, workspace, &call, now()));
                respond::<DuplicateKey>(self.armed(done).await)
            }
            ListKeys::NAME => asking.reply(|call: &ListKeys| list::list(database, call, now())).await,
            ReadDeleted::NAME => asking.reply(|call: &ReadDeleted| life::read_deleted(database, call, now())).await,
            ReadKey::NAME => asking.reply(|call: &ReadKey| keys::read(database, call, now())).await,
            ExplainCall::NAME => {
                let done = match asking.admit().await? {
                    Ok(call) => explain::explain_call(database, &ring, &self.env, &call, now()).await,
                    Err(refusal) => Err(refusal),
                };
                respond::<ExplainCall>(done)
            }
            ChangeKey::NAME => {
                let call = asking.admit().await?;
                let done = call.and_then(|call| keys::change(database, &call, now()));
                respond::<ChangeKey>(self.effective(database, workspace, done).await)
            }
            DeleteKey::NAME => {
                let call = asking.admit().await?;
                let done = call.and_then(|call| keys::delete(database, &call, now()));
                respond::<DeleteKey>(self.effective(database, workspace, done).await)
            }
            RestoreKey::NAME => {
                let call = asking.admit().await?;
                let done = call.and_then(|call| life::restore(database, &call, now()));
                respond::<RestoreKey>(self.effective(database, workspace, done).await)
            }
            RotateKey::NAME => {
                let call = asking.admit().await?;
                respond::<RotateKey>(match call {
                    Ok(call) => self.rotate(database, &ring, workspace, &call).await,
                    Err(refusal) => Err(refusal),
                })
            }
            EndOldSecrets::NAME => {
                let call = asking.admit().await?;
                let done = call.and_then(|call| life::end_old_secrets(database, &call, now()));
                respond::<EndOldSecrets>(self.effective(database, workspace, done).await)
            }
            ReadSettings::NAME => asking.reply(|call: &ReadSettings| settings::read(database, call, now())).await,
            ChangeSettings::NAME => {
                let call = asking.admit().await?;
                let done = self.armed(call.and_then(|call| settings::change(database, &call, now()))).await;
                let told = self.announce(database, workspace).await;
                respond::<ChangeSettings>(done.and_then(|(settings, narrowed)| {
                    if narrowed && !told {
                        return Err(Failure::NotEffectiveYet.into());
                    }
                    let everywhere = effective::everywhere(database, now())?;
                    Ok(ChangedSettings { settings, effective_at: narrowed.then_some(everywhere) })
                }))
            }
            NoteEvent::NAME => {
                respond::<NoteEvent>(events::note(database, &read_command(asking.request).await?, now()))
            }
            ReadTrail::NAME => asking.reply(|call: &ReadTrail| list::trail(database, call, now())).await,
            ReadMasters::NAME => asking.reply(|call: &ReadMasters| masters::read(database, &ring, call, now())).await,
            ReadExport::NAME => asking.reply(|call: &ReadExport| transfer::read(database, call, now())).await,
            StageImport::NAME => asking.reply(|call: &StageImport| transfer::stage(database, call, now())).await,
            FinishImport::NAME => {
                let call = asking.admit().await?;
                let done = self.armed(call.and_then(|call| transfer::finish(database, &ring, &call, now()))).await;
                let told = self.announce(database, workspace).await;
                respond::<FinishImport>(if told { done } else { done.and(Err(Failure::NotEffectiveYet.into())) })
            }
            _ => match name.strip_prefix(RECORD).and_then(|id| id.parse::<Locator>().ok()) {
                Some(locator) => record(database, &ring, locator),
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
        let claim = Claim::of::<RotateKey>(call.once.as_ref(), &call.origin.caller, &call.id.to_string());
        let _working = self.running.enter(claim)?;
        let outcome = life::rotate(database, ring, call, now())?;
        let unsettled = Changed { key: outcome.key.clone(), effective_at: None, replayed: outcome.replayed };
        match self.effective(database, workspace, Ok(outcome)).await {
            // The new secret is shown once and must not be lost; that no time stands beside it says
            // that the old ones may go on working for a while.
            Err(refusal) if refusal == Failure::NotEffectiveYet.into() => Ok(unsettled),
            Ok(changed) => {
                // Without it the time is found out anew; the new secret is shown in any case.
                if let Some(effective_at) = changed.effective_at
                    && let Err(refusal) = claim.settle(database, effective_at)
                {
                    console_error!("registry: {refusal:?}");
                }
                Ok(changed)
            }
            refused => refused,
        }
    }

    /// Tells the feed of a change before anybody is told that it is done. What takes something from somebody
    /// is not done before that.
    async fn effective(
        &self,
        database: &Storage,
        workspace: u32,
        done: CommandResult<Outcome>,
    ) -> CommandResult<Changed> {
        let Outcome { key, narrowed, left_until, replayed, settled } = done?;
        if settled.is_some() {
            return Ok(Changed { key, effective_at: settled, replayed });
        }
        self.arm().await;
        let told = self.announce(database, workspace).await;
        if narrowed && !told {
            return Err(Failure::NotEffectiveYet.into());
        }
        let everywhere = effective::everywhere(database, now())?;
        let effective_at = narrowed.then(|| left_until.map_or(everywhere, |end| end.max(everywhere)));
        Ok(Changed { key, effective_at, replayed })
    }

    /// What was done, once there is an alarm for what it has left to do.
    async fn armed<T>(&self, done: CommandResult<T>) -> CommandResult<T> {
        if done.is_ok() {
            self.arm().await;
        }
        done
    }

    /// Sets an alarm in the very turn in which something was stored, so that it is carried on whatever happens
    /// to this instance. What is due when is found out afterwards.
    async fn arm(&self) {
        let delay = Duration::from_millis(RETRY_ANNOUNCING.unsigned_abs());
        if let Err(error) = self.state.storage().set_alarm(delay).await {
            console_error!("registry: no alarm: {error}");
        }
    }

    /// Tells the feed everything that it was not told yet. Says whether it knows all of it.
    async fn announce(&self, database: &Storage, workspace: u32) -> bool {
        loop {
            let entries = match announce::waiting(database, workspace) {
                Ok(entries) if entries.is_empty() => return true,
                Ok(entries) => entries,
                Err(error) => {
                    console_error!("registry: {error}");
                    return false;
                }
            };
            let call = Announce { entries: entries.clone() };
            let told = with_timeout(TIMEOUT, send(&self.env, Object::Feed(shard_of(workspace)), &call)).await;
            if !matches!(told, Some(Ok(()))) {
                return false;
            }
            if let Err(error) = announce::told(database, &entries, now()) {
                console_error!("registry: {error}");
                return false;
            }
        }
    }

    /// Sets the alarm for what is due next, if anything is. Runs after every request too, so that what an
    /// alarm has given up is taken up again.
    async fn wake(&self, database: &Storage) -> Result<()> {
        match next_due(database, now()).map_err(|refusal| defect(format!("{refusal:?}")))? {
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

/// Begins the name of the question for a record; the id of the key follows.
const RECORD: &str = "record/";

/// For how long the feed may take to be told something, in milliseconds: an admin waits for that.
const TIMEOUT: u32 = 5_000;

/// The truth about one key, sealed, for an edge that has no good copy of it.
fn record(database: &Storage, ring: &Keyring, locator: Locator) -> Result<Response> {
    let moment: Timestamp = now();
    match rows::record(database, locator, moment).map_err(defect)? {
        Some(record) => {
            outbox::enqueue_missing(database, locator, moment).map_err(defect)?;
            log(masters::lacking(&record, ring));
            Response::from_bytes(record.seal(ring).map_err(defect)?)
        }
        None => Response::error("no such key", 404),
    }
}
