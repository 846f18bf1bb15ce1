//! Follow-up of a command: publishes its change to the feed, and sets the alarm for queued work.

use super::{
    Registry,
    alarm::{FEED_RETRY, next_due},
    effective, feed_outbox,
    idempotency::IdempotentRequest,
    keys::KeyOutcome,
    log::internal_error,
    rotate,
};
use crate::{
    object::{now, send},
    rpc::CommandResult,
    storage::Storage,
    timeout::with_timeout,
};
use ownchat_domain::{
    failure::Failure,
    feed::shard_of,
    keyring::Keyring,
    vault::{
        Object,
        feed::Announce,
        registry::{Changed, RotateKey},
    },
};
use std::time::Duration;
use worker::{Result, console_error};

/// Timeout of a publication to the feed, in milliseconds. An admin waits for it.
const FEED_TIMEOUT: u32 = 5_000;

impl Registry {
    /// Rotates a key, and stores the `effective_at` of the change for replays.
    pub(super) async fn rotate(
        &self,
        database: &Storage,
        ring: &Keyring,
        workspace: u32,
        command: &RotateKey,
    ) -> CommandResult<Changed> {
        let request =
            IdempotentRequest::of::<RotateKey>(command.once.as_ref(), &command.origin.caller, &command.id.to_string());
        let _guard = self.in_flight.enter(request)?;
        let outcome = rotate::rotate(database, ring, command, now())?;
        let unconfirmed = Changed { key: outcome.key.clone(), effective_at: None, replayed: outcome.replayed };
        match self.publish_change(database, workspace, Ok(outcome)).await {
            // The new secret is shown once and must not be lost. A missing `effective_at` means
            // that the old secrets may still work for a while.
            Err(error) if error == Failure::NotEffectiveYet.into() => Ok(unconfirmed),
            Ok(changed) => {
                // A retry computes the time again; the new secret is returned in any case.
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

    /// Publishes a change before the response confirms it.
    ///
    /// # Errors
    ///
    /// `NotEffectiveYet` if the change narrows access and the feed could not be reached.
    pub(super) async fn publish_change(
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

    /// Sets an alarm after a successful command, for the work that it has queued.
    pub(super) async fn with_alarm<T>(&self, result: CommandResult<T>) -> CommandResult<T> {
        if result.is_ok() {
            self.arm().await;
        }
        result
    }

    /// Sets an alarm in the same turn as the write, so that queued work survives the end of this
    /// instance. [`Self::schedule_alarm`] sets the exact time later.
    async fn arm(&self) {
        let delay = Duration::from_millis(FEED_RETRY.unsigned_abs());
        if let Err(error) = self.state.storage().set_alarm(delay).await {
            console_error!("registry: no alarm: {error}");
        }
    }

    /// Publishes everything in the feed outbox. Returns true if the feed has all of it.
    pub(super) async fn publish_feed(&self, database: &Storage, workspace: u32) -> bool {
        loop {
            let entries = match feed_outbox::pending(database, workspace) {
                Ok(entries) if entries.is_empty() => return true,
                Ok(entries) => entries,
                Err(error) => {
                    console_error!("registry: {error}");
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
                console_error!("registry: {error}");
                return false;
            }
        }
    }

    /// Sets the alarm for the next due work, if there is any. It runs after every request too, so
    /// that work of a failed alarm is retried.
    pub(super) async fn schedule_alarm(&self, database: &Storage) -> Result<()> {
        match next_due(database, now()).map_err(|error| internal_error(format!("{error:?}")))? {
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
