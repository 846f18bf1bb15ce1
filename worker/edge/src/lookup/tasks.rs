//! Deferred tasks, with retry and back-off.

use super::{
    fetch::{fetch_key, read_feed},
    meter::call_meter,
    random_u64,
    state::KeyFetch,
};
use crate::{
    deferred::{DeferredTask, DeferredTasks, run_all},
    edge::Edge,
    platform::{ErrorText, Platform, now, unexpected_status},
    timeouts::USAGE,
};
use ownchat_domain::{
    back_off::back_off,
    time::{SECOND, Timestamp},
    usage,
    vault::usage_path,
};

/// Maximum retries of a return of permits to a meter.
const RETURN_RETRIES: u32 = 3;
/// Maximum back-off between them, in milliseconds.
const RETURN_BACK_OFF_MAX: i64 = 4 * SECOND;
/// Milliseconds after a response in which a deferred task may start. The platform cancels what is
/// in flight after 30 s.
const DEFERRED_DEADLINE: i64 = 18 * SECOND;

/// Runs the deferred tasks of earlier responses. They refresh feed and keys, so that the next
/// requests need not wait. They also send usage batches and return unspent permits. A task that is
/// too late for this run is deferred to the next.
pub async fn run_deferred(edge: &Edge, platform: &Platform) {
    let end = now().plus(DEFERRED_DEADLINE);
    run_all(edge.authorizer.take_deferred(), |due, task| run_task(edge, platform, end, due, task)).await;
}

/// Runs a task when it is due, unless that is too late. Returns the follow-up tasks.
async fn run_task(
    edge: &Edge,
    platform: &Platform,
    end: Timestamp,
    due: Timestamp,
    task: DeferredTask,
) -> DeferredTasks {
    if due.max(now()) >= end {
        // The next counted request schedules the flush anew, and the next one that finds the feed
        // stale its read.
        if matches!(task, DeferredTask::ReturnPermits(..)) {
            edge.authorizer.defer(due, task);
        }
        return Vec::new();
    }
    platform.sleep_until(due).await;
    let next = match task {
        DeferredTask::ReadFeed(workspace) => {
            read_feed(&edge.authorizer, platform, workspace).await;
            None
        }
        DeferredTask::FlushUsage => {
            let dropped = edge.authorizer.close_usage_batches(random_u64(), now());
            if dropped > 0 {
                platform.log_error(&format!("usage: {dropped} batches dropped, the buffer is full"));
            }
            Some((now(), DeferredTask::ScheduleSends))
        }
        DeferredTask::ScheduleSends => return edge.authorizer.due_sends(now()),
        DeferredTask::SendBatch(workspace) => {
            let Some(batch) = edge.authorizer.next_batch(workspace, now()) else { return Vec::new() };
            let outcome = send_batch(platform, workspace, &batch).await;
            if let Err(error) = &outcome {
                platform.log_warning(&format!("usage of workspace {workspace}: {error}"));
            }
            edge.authorizer.batch_sent(workspace, &batch, outcome.is_ok(), now());
            outcome.is_ok().then(|| (now(), DeferredTask::SendBatch(workspace)))
        }
        DeferredTask::ReturnPermits(record, attempts) => {
            let Some(unspent) = edge.authorizer.take_unspent(&record, now()) else { return Vec::new() };
            let Err(error) = call_meter(platform, &record, &unspent).await else { return Vec::new() };
            platform.log_warning(&format!("{}: meter: {error}", record.locator));
            edge.authorizer.keep_unspent(&record, unspent);
            let due = now().plus(back_off(attempts.into(), RETURN_BACK_OFF_MAX));
            (attempts < RETURN_RETRIES).then(|| (due, DeferredTask::ReturnPermits(record, attempts + 1)))
        }
        DeferredTask::RefreshKey(presented) => {
            if let Err(error) = fetch_key(edge, platform, &presented, KeyFetch::NewerReplica, None).await {
                platform.log_warning(&format!("{}: {error}", presented.locator));
            }
            None
        }
    };
    next.into_iter().collect()
}

async fn send_batch(platform: &Platform, workspace: u32, batch: &usage::Batch) -> Result<(), ErrorText> {
    let body = usage::encode(batch).map_err(|error| error.to_string())?;
    let (status, _) = platform.vault(&usage_path(workspace), Some(body), USAGE).await?;
    match status {
        200..300 => Ok(()),
        // A retry would be refused, too.
        400..500 => {
            platform.log_error(&format!("usage of workspace {workspace}: batch rejected with {status}"));
            Ok(())
        }
        status => Err(unexpected_status(status)),
    }
}
