//! Lookup: everything that waits. Fetches keys from KV and the vault, reads the revocation feed,
//! and leases permits from meters. Runs deferred tasks, with retry and back-off.

use crate::{
    authorizer::{Admission, Authorizer, Evaluation},
    check::{Decision, KeyCheck, PresentedKey},
    deferred::{DeferredTask, DeferredTasks, run_all},
    edge::{Edge, random},
    key_cache::{CachedKey, REFRESH_AFTER},
    platform::{ErrorText, Platform, log_error, log_warning, now, unexpected_status},
    timeout::{FEED, METER, REGISTRY, USAGE},
};
use ownchat_domain::{
    feed::{self, decode},
    meter::{self, Lease, Refusal, Standing, Take, Taken},
    record::{LIFETIME, Record, kv_name},
    time::{SECOND, Timestamp},
    usage,
    vault::{news_path, permits_path, record_path, usage_path},
    verdict::Denial,
};
use std::{net::IpAddr, rc::Rc};

/// Seconds for which the platform may serve a KV read from its own cache. The feed names the
/// records that are stale.
const KV_CACHE_TTL: u32 = 300;
/// Maximum steps of one check. Each step fetches what the last evaluation lacked; a result that
/// came too late is fetched again.
const MAX_STEPS: usize = 8;
/// Maximum pages of the feed that one request waits for.
const MAX_PAGES: usize = 20;
/// Back-off between attempts to return permits to a meter, in milliseconds.
const RETURN_BACK_OFF: [i64; 3] = [SECOND, 2 * SECOND, 4 * SECOND];
/// Milliseconds after a response in which a deferred task may start. The platform cancels what is
/// in flight after 30 s.
const DEFERRED_DEADLINE: i64 = 18 * SECOND;

/// Checks a key, with fetches from the stores where the caches do not suffice.
pub async fn check(edge: &Edge, platform: &Platform, check: &KeyCheck<'_>) -> Decision {
    let (authorizer, requirements) = (&edge.authorizer, &check.requirements());
    let presented = match authorizer.key_of(check) {
        Ok(presented) => presented,
        Err(denial) => return Decision::refused(denial),
    };
    let (workspace, client_ip) = (presented.key_number.workspace, requirements.client_ip);
    // `fetched` once a store was queried for the key, `is_offline` once a fetch was in vain.
    let (mut fetched, mut is_offline) = (false, false);
    let (mut steps, received_at) = (0, now());
    // The key, if only permits are missing.
    let mut limited = None;
    while steps < MAX_STEPS {
        let now = now();
        let evaluation = if is_offline {
            authorizer.evaluate_offline(&presented, requirements, now)
        } else {
            authorizer.evaluate(&presented, requirements, fetched, now)
        };
        let fetch = match evaluation {
            Evaluation::Decided(decision) => {
                if fetched && matches!(decision.verdict, Err(Denial::Unknown)) {
                    authorizer.note_unknown(&presented, client_ip, now);
                }
                return decision;
            }
            Evaluation::NeedsPermits(record) => {
                if let Some(refused) = lease_permits(edge, platform, &record, requirements.cost).await {
                    return refused;
                }
                limited = Some(record);
                steps += 1;
                continue;
            }
            Evaluation::NeedsStanding(record) => {
                read_standing(edge, platform, &record).await;
                steps += 1;
                continue;
            }
            Evaluation::NeedsFeed if !authorizer.is_feed_down(workspace, now) => None,
            // Without the feed, the vault itself must confirm the key.
            Evaluation::NeedsFeed | Evaluation::NeedsVault => Some(FetchKind::Vault),
            Evaluation::NeedsReplica => Some(FetchKind::Replica),
            Evaluation::NeedsSecretRecheck => Some(FetchKind::SecretRecheck),
        };
        match authorizer.admit_fetch(&presented, client_ip, fetch.is_some(), received_at, now) {
            Admission::Fetch => {}
            Admission::Poll(wait) => {
                platform.sleep_until(now.plus(wait)).await;
                continue;
            }
            Admission::GoOffline => {
                is_offline = true;
                continue;
            }
            Admission::Throttle(retry_after) => return Decision::refused(Denial::TooManyUnknown { retry_after }),
        }
        steps += 1;
        match fetch {
            None => read_feed(authorizer, platform, workspace).await,
            Some(fetch) => {
                fetched = true;
                if let Err(error) = fetch_key(edge, platform, &presented, fetch, client_ip).await {
                    log_error(&format!("{}: {error}", presented.locator));
                    // The cached record may still suffice: for a wrong secret, or in an outage that
                    // the workspace tolerates.
                    is_offline = true;
                }
            }
        }
    }
    Authorizer::unavailable(limited)
}

/// The fetch of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FetchKind {
    /// From its KV replica, or else from the vault.
    Replica,
    /// The same, if the replica is newer than the cached record.
    NewerReplica,
    /// From the vault.
    Vault,
    /// From the vault, because the secret does not match.
    SecretRecheck,
}

/// Fetches a key. Concurrent requests for the same key wait for this fetch.
async fn fetch_key(
    edge: &Edge,
    platform: &Platform,
    presented: &PresentedKey,
    fetch: FetchKind,
    client_ip: Option<IpAddr>,
) -> Result<(), ErrorText> {
    let requested_at = now();
    let is_unknown = edge.authorizer.begin_fetch(presented, fetch == FetchKind::Replica, client_ip, requested_at);
    let age = match fetch {
        FetchKind::Replica => LIFETIME,
        FetchKind::NewerReplica => REFRESH_AFTER,
        FetchKind::Vault | FetchKind::SecretRecheck => 0,
    };
    let outcome = if age > 0 && fetch_replica(edge, platform, presented, age).await {
        Ok(())
    } else {
        fetch_from_vault(edge, platform, presented, fetch == FetchKind::SecretRecheck).await
    };
    edge.authorizer.end_fetch(presented, is_unknown, client_ip, requested_at, outcome.is_err().then(now));
    outcome
}

/// Reads the feed of a workspace to its last page.
async fn read_feed(authorizer: &Authorizer, platform: &Platform, workspace: u32) {
    if let Err(error) = read_pages(authorizer, platform, workspace).await {
        authorizer.feed_read_failed(workspace, now());
        log_warning(&format!("feed of workspace {workspace}: {error}"));
    }
}

async fn read_pages(authorizer: &Authorizer, platform: &Platform, workspace: u32) -> Result<(), ErrorText> {
    for _ in 0..MAX_PAGES {
        let requested_at = now();
        let from = authorizer.begin_feed_read(workspace, requested_at);
        let bytes = call_vault(platform, &news_path(feed::shard_of(workspace), from), None, FEED).await?;
        let page = decode(&bytes).ok_or("malformed page")?;
        let more = page.more;
        authorizer.apply_feed_page(workspace, page, from, requested_at);
        if !more {
            return Ok(());
        }
    }
    Err("no last page".into())
}

/// Reads the replica from KV. Returns true if it holds a record that is younger than `age`, in
/// milliseconds.
async fn fetch_replica(edge: &Edge, platform: &Platform, presented: &PresentedKey, age: i64) -> bool {
    let requested_at = now();
    match read_replica(edge, platform, presented).await {
        Ok(Some(record)) if requested_at.since(record.sealed_at) < age => {
            edge.authorizer.cache_key(presented, CachedKey::new(Some(record.into()), requested_at));
            return true;
        }
        Ok(_) => {}
        Err(error) => log_warning(&format!("{}: KV: {error}", presented.locator)),
    }
    false
}

async fn read_replica(edge: &Edge, platform: &Platform, presented: &PresentedKey) -> Result<Option<Record>, ErrorText> {
    match platform.replica(&kv_name(presented.locator), KV_CACHE_TTL).await? {
        Some(bytes) => open_record(edge, presented, &bytes).map(Some),
        None => Ok(None),
    }
}

async fn fetch_from_vault(
    edge: &Edge,
    platform: &Platform,
    presented: &PresentedKey,
    is_recheck: bool,
) -> Result<(), ErrorText> {
    let requested_at = now();
    let path = record_path(presented.key_number.workspace, presented.locator);
    let record = match platform.vault(&path, None, REGISTRY).await? {
        (200, bytes) => Some(Rc::new(open_record(edge, presented, &bytes)?)),
        (404, _) => None,
        (status, _) => return Err(unexpected_status(status)),
    };
    edge.authorizer.cache_key(
        presented,
        CachedKey { from_vault: true, secret_rechecks: is_recheck.into(), ..CachedKey::new(record, requested_at) },
    );
    Ok(())
}

fn open_record(edge: &Edge, presented: &PresentedKey, bytes: &[u8]) -> Result<Record, ErrorText> {
    Record::open(bytes, presented.locator, edge.authorizer.keyring()).map_err(|error| error.to_string())
}

/// Leases permits from the meter of a limited key. Returns the denial if it is final. Without a
/// response nobody passes.
async fn lease_permits(edge: &Edge, platform: &Platform, record: &Rc<Record>, cost: u32) -> Option<Decision> {
    let requested_at = now();
    let request = edge.authorizer.lease_request(record, cost, random_u64(), requested_at);
    match call_meter(platform, record, &request).await {
        Ok(Taken::Lease(lease)) => {
            edge.authorizer.add_lease(record, lease, requested_at, now());
            None
        }
        Ok(Taken::Refused(refusal)) => edge.authorizer.apply_refusal(record, cost, refusal, requested_at, now()),
        Err(error) => {
            log_error(&format!("{}: meter: {error}", record.locator));
            edge.authorizer.lease_request_failed(record, request, now());
            Some(Authorizer::unavailable(Some(record.clone())))
        }
    }
}

/// Reads the standing of a limited key from its meter. Without a response it stays unknown.
async fn read_standing(edge: &Edge, platform: &Platform, record: &Record) {
    let (limits, version) = (record.limits, record.version);
    let request = Take { limits, version, ..Take::default() };
    let standing = match call_meter(platform, record, &request).await {
        Ok(Taken::Lease(Lease { standing, .. }) | Taken::Refused(Refusal { standing, .. })) => standing,
        Err(error) => {
            log_warning(&format!("{}: meter: {error}", record.locator));
            Standing::default()
        }
    };
    edge.authorizer.set_standing(record, standing, now());
}

async fn call_meter(platform: &Platform, record: &Record, request: &Take) -> Result<Taken, ErrorText> {
    let body = meter::encode(request);
    let response = call_vault(platform, &permits_path(record.locator), Some(body), METER).await?;
    meter::decode(&response).ok_or_else(|| "malformed response".into())
}

/// Fetches a resource that the vault always has.
async fn call_vault(platform: &Platform, path: &str, body: Option<Vec<u8>>, millis: u32) -> Result<Vec<u8>, ErrorText> {
    match platform.vault(path, body, millis).await? {
        (200, bytes) => Ok(bytes),
        (status, _) => Err(unexpected_status(status)),
    }
}

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
                log_error(&format!("usage: {dropped} batches dropped, the buffer is full"));
            }
            Some((now(), DeferredTask::ScheduleSends))
        }
        DeferredTask::ScheduleSends => return edge.authorizer.due_sends(now()),
        DeferredTask::SendBatch(workspace) => {
            let Some(batch) = edge.authorizer.next_batch(workspace, now()) else { return Vec::new() };
            let outcome = send_batch(platform, workspace, &batch).await;
            if let Err(error) = &outcome {
                log_warning(&format!("usage of workspace {workspace}: {error}"));
            }
            edge.authorizer.batch_sent(workspace, &batch, outcome.is_ok(), now());
            outcome.is_ok().then(|| (now(), DeferredTask::SendBatch(workspace)))
        }
        DeferredTask::ReturnPermits(record, attempts) => {
            let Some(unspent) = edge.authorizer.take_unspent(&record, now()) else { return Vec::new() };
            let Err(error) = call_meter(platform, &record, &unspent).await else { return Vec::new() };
            log_warning(&format!("{}: meter: {error}", record.locator));
            edge.authorizer.keep_unspent(&record, unspent);
            RETURN_BACK_OFF
                .get(attempts)
                .map(|wait| (now().plus(*wait), DeferredTask::ReturnPermits(record, attempts + 1)))
        }
        DeferredTask::RefreshKey(presented) => {
            if let Err(error) = fetch_key(edge, platform, &presented, FetchKind::NewerReplica, None).await {
                log_warning(&format!("{}: {error}", presented.locator));
            }
            None
        }
    };
    next.into_iter().collect()
}

/// Returns a random number of 64 bits.
fn random_u64() -> u64 {
    u64::try_from(random() >> 64).unwrap_or(1)
}

async fn send_batch(platform: &Platform, workspace: u32, batch: &usage::Batch) -> Result<(), ErrorText> {
    let (status, _) = platform.vault(&usage_path(workspace), Some(usage::encode(batch)), USAGE).await?;
    match status {
        200..300 => Ok(()),
        // A retry would be refused, too.
        400..500 => {
            log_error(&format!("usage of workspace {workspace}: batch rejected with {status}"));
            Ok(())
        }
        status => Err(unexpected_status(status)),
    }
}
