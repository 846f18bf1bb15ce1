//! Follow-up of a command: publishes its change to the feed, and sets the alarm for queued work.

use super::{
    Registry,
    alarm::{FEED_RETRY, next_due},
    effective, feed_outbox,
    pipeline::FollowUp,
};
use crate::{
    log,
    object::{now, send},
    storage::Storage,
    timeout::with_timeout,
};
use ownchat_domain::{
    failure::Failure,
    feed::shard_of,
    vault::{Object, feed::Announce},
};
use std::time::Duration;
use worker::{Response, Result};

/// Timeout of a publication to the feed, in milliseconds. An admin waits for it.
const FEED_TIMEOUT: u32 = 5_000;

impl Registry {
    /// Does the follow-up of a command, and returns its response.
    pub(super) async fn follow_up(
        &self,
        database: &Storage,
        workspace: u32,
        follow_up: FollowUp<'_>,
    ) -> Result<Response> {
        match follow_up {
            FollowUp::Reply(response) => Ok(response),
            FollowUp::Queue(response) => {
                self.arm().await;
                Ok(response)
            }
            FollowUp::Publish(respond) => {
                self.arm().await;
                respond(if self.publish_feed(database, workspace).await {
                    effective::effective_at(database, now()).map_err(Into::into)
                } else {
                    Err(Failure::NotEffectiveYet.into())
                })
            }
            FollowUp::Wait(response) => response.await,
        }
    }

    /// Sets an alarm in the same turn as the write, so that queued work survives the end of this
    /// instance. [`Self::schedule_alarm`] sets the exact time later.
    async fn arm(&self) {
        let delay = Duration::from_millis(FEED_RETRY.unsigned_abs());
        if let Err(error) = self.state.storage().set_alarm(delay).await {
            log::error(format_args!("no alarm: {error}"));
        }
    }

    /// Publishes everything in the feed outbox. Returns true if the feed has all of it.
    pub(super) async fn publish_feed(&self, database: &Storage, workspace: u32) -> bool {
        loop {
            let entries = match feed_outbox::pending(database, workspace) {
                Ok(entries) if entries.is_empty() => return true,
                Ok(entries) => entries,
                Err(error) => {
                    log::error(format_args!("{error}"));
                    return false;
                }
            };
            let command = Announce { entries: entries.clone() };
            let published =
                with_timeout(FEED_TIMEOUT, send(&self.env, Object::Feed(shard_of(workspace)), &command)).await;
            if !matches!(published, Some(Ok(()))) {
                return false;
            }
            if let Err(error) = feed_outbox::mark_published(database, &entries, now()) {
                log::error(format_args!("{error}"));
                return false;
            }
        }
    }

    /// Sets the alarm for the next due work, if there is any. It runs after every request too, so
    /// that work of a failed alarm is retried.
    pub(super) async fn schedule_alarm(&self, database: &Storage) -> Result<()> {
        match next_due(database, now()).map_err(|error| log::internal_error(format!("{error:?}")))? {
            Some(due) => {
                // An earlier alarm stays. Otherwise a steady stream of requests could postpone it
                // forever.
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
