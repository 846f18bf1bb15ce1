//! Usage of a workspace's keys: the Durable Object that counts requests by outcome and scope, and
//! stores the last use of each secret.
//!
//! An acknowledged batch is stored. No verdict depends on it: keys work while it is down.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod batches;
mod queries;
mod rollup;
mod schema;
mod table;

use crate::{database::DatabaseResult, log, object::now, rpc::run, storage::Storage};
use batches::Ingested;
use ownchat_domain::{
    time::Timestamp,
    usage::decode,
    vault::{
        Command, Object, USAGE,
        usage::{ReadLastUses, ReadUsage, RecordLastUse},
    },
};
use std::time::Duration;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The Durable Object. One per workspace, named by its number; created at the first use of one of
/// its keys.
#[durable_object]
pub struct Usage {
    state: State,
    database: DatabaseResult<Storage>,
}

impl DurableObject for Usage {
    fn new(state: State, _env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = schema::apply(&storage).map(|()| storage);
        Self { state, database }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("usage", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }

    async fn alarm(&self) -> Result<Response> {
        log::within("usage", None, Box::pin(self.run_alarm())).await
    }
}

impl Usage {
    async fn respond_to(&self, mut request: Request) -> Result<Response> {
        let database = self.database()?;
        let path = request.path();
        let Some((Object::Usage(_), name)) = Object::parse(&path) else {
            return Response::error("not a request to a usage object", 404);
        };
        match name {
            USAGE => {
                let Ok(batch) = decode(&request.bytes().await?) else {
                    return Response::error("not a readable batch", 400);
                };
                let ingested = batches::ingest(database, &batch, now());
                // The next batch retries the work of a failed alarm.
                self.schedule_alarm(now().plus(rollup::FLUSH_AFTER)).await;
                match ingested {
                    Ok(Ingested::Counted) => Ok(Response::empty()?.with_status(204)),
                    Ok(Ingested::TooLate) => refuse("too late to know if it was counted", 410),
                    Ok(Ingested::Faulty(fault)) => refuse(fault, 400),
                    Err(error) => {
                        log::error(format_args!("{error}"));
                        Response::error("internal error", 500)
                    }
                }
            }
            ReadUsage::NAME => run(&request, |c: &ReadUsage| queries::usage(database, c, now())).await,
            ReadLastUses::NAME => run(&request, |c: &ReadLastUses| queries::last_uses(database, c)).await,
            RecordLastUse::NAME => {
                run(&request, |c: &RecordLastUse| Ok(batches::record_last_use(database, c.last)?)).await
            }
            _ => Response::error("no such command", 404),
        }
    }

    async fn run_alarm(&self) -> Result<Response> {
        let database = self.database()?;
        let more = rollup::run(database, now()).map_err(log::internal_error)?;
        let next = if more { Some(now()) } else { rollup::next_due(database, now()).map_err(log::internal_error)? };
        if let Some(due) = next {
            self.schedule_alarm(due).await;
        }
        Response::empty()
    }

    fn database(&self) -> Result<&Storage> {
        self.database.as_ref().map_err(log::internal_error)
    }

    /// Sets the alarm, unless an earlier one is set.
    async fn schedule_alarm(&self, due: Timestamp) {
        let set = async {
            let storage = self.state.storage();
            if storage.get_alarm().await?.is_some_and(|set| set <= due.millis()) {
                return Ok(());
            }
            storage.set_alarm(Duration::from_millis(u64::try_from(due.since(now())).unwrap_or(0))).await
        };
        if let Err(error) = set.await {
            let error: worker::Error = error;
            log::error(format_args!("no alarm: {error}"));
        }
    }
}

fn refuse(reason: &str, status: u16) -> Result<Response> {
    log::warning(format_args!("a batch was refused: {reason}"));
    Response::error(reason, status)
}

#[cfg(test)]
#[path = "../tests/previous/usage.rs"]
mod previous;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
