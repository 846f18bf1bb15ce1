//! Everything that waits: the feed of changes, the copy of a key in KV, the vault, which knows the truth, and
//! the meters of limited keys. And what is done after the answer.

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

/// Seconds for which the platform may answer a KV read from its own cache. The feed says what is too old.
const KV_CACHE_TTL: u32 = 300;
/// Most steps of one check. Each step brings what the one before lacked; what came too late is asked for again.
const MAX_STEPS: usize = 8;
/// Most pages of the feed that one call waits for.
const MAX_PAGES: usize = 20;
/// Permits that a meter does not take back are given back again after so many milliseconds, and then twice as many.
const RETURN_BACK_OFF: [i64; 3] = [SECOND, 2 * SECOND, 4 * SECOND];
/// Nothing is begun so long after an answer, in milliseconds. The platform calls off what is under way 30 s after it.
const DEFERRED_DEADLINE: i64 = 18 * SECOND;

/// Checks a key, and asks the stores if need be.
pub async fn check(edge: &Edge, platform: &Platform, check: &KeyCheck<'_>) -> Decision {
    let (authorizer, requirements) = (&edge.authorizer, &check.requirements());
    let presented = match authorizer.key_of(check) {
        Ok(presented) => presented,
        Err(denial) => return Decision::refused(denial),
    };
    let (workspace, client_ip) = (presented.key_number.workspace, requirements.client_ip);
    // Whether a store was asked, and whether that was in vain.
    let (mut fetched, mut is_offline) = (false, false);
    let (mut steps, received_at) = (0, now());
    // The key, if only permits are lacking.
    let mut limited = None;
    while steps < MAX_STEPS {
        let now = now();
        let step = if is_offline {
            authorizer.evaluate_offline(&presented, requirements, now)
        } else {
            authorizer.evaluate(&presented, requirements, fetched, now)
        };
        let fetch = match step {
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
            // Without the feed the vault itself must say that the key is good.
            Evaluation::NeedsFeed | Evaluation::NeedsVault => Some(Fetch::Vault),
            Evaluation::NeedsReplica => Some(Fetch::Replica),
            Evaluation::NeedsSecretRecheck => Some(Fetch::SecretRecheck),
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
                    // What is remembered may still suffice: for a wrong secret, or as the workspace has chosen.
                    is_offline = true;
                }
            }
        }
    }
    Authorizer::unavailable(limited)
}

/// What is asked about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    /// Its copy in KV, and the vault where that does not help.
    Replica,
    /// The same, if the copy is younger than the one that is remembered.
    NewerReplica,
    /// The truth.
    Vault,
    /// The truth, because a secret does not fit.
    SecretRecheck,
}

/// Asks about a key. Others who want to know the same wait for this.
async fn fetch_key(
    edge: &Edge,
    platform: &Platform,
    presented: &PresentedKey,
    fetch: Fetch,
    client_ip: Option<IpAddr>,
) -> Result<(), ErrorText> {
    let requested_at = now();
    let is_unknown = edge.authorizer.begin_fetch(presented, fetch == Fetch::Replica, client_ip, requested_at);
    let age = match fetch {
        Fetch::Replica => LIFETIME,
        Fetch::NewerReplica => REFRESH_AFTER,
        Fetch::Vault | Fetch::SecretRecheck => 0,
    };
    let outcome = if age > 0 && fetch_replica(edge, platform, presented, age).await {
        Ok(())
    } else {
        fetch_from_vault(edge, platform, presented, fetch == Fetch::SecretRecheck).await
    };
    edge.authorizer.end_fetch(presented, is_unknown, client_ip, requested_at, outcome.is_err().then(now));
    outcome
}

/// Reads the feed of a workspace to its end.
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

/// Looks in KV, and says whether there is a record that is younger than `age`, in milliseconds.
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

/// Asks the meter of a limited key for permits, and returns the refusal if it is the last word. Without an answer
/// nobody passes.
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

/// Asks the meter of a limited key what is left. Without an answer nobody is told.
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

/// Asks the vault for something that it always has.
async fn call_vault(platform: &Platform, path: &str, body: Option<Vec<u8>>, millis: u32) -> Result<Vec<u8>, ErrorText> {
    match platform.vault(path, body, millis).await? {
        (200, bytes) => Ok(bytes),
        (status, _) => Err(unexpected_status(status)),
    }
}

/// Does what was left for after the answers: the feed is read again when it is time, so that the next calls need
/// not wait for it, counts are sent, and permits that were not spent go back. What is too late for this turn is left
/// for after another answer.
pub async fn run_deferred(edge: &Edge, platform: &Platform) {
    let end = now().plus(DEFERRED_DEADLINE);
    run_all(edge.authorizer.take_deferred(), |due, task| run_task(edge, platform, end, due, task)).await;
}

/// Does something when it is due, unless that is too late, and says what is to be done next.
async fn run_task(
    edge: &Edge,
    platform: &Platform,
    end: Timestamp,
    due: Timestamp,
    task: DeferredTask,
) -> DeferredTasks {
    if due.max(now()) >= end {
        // Who counts next undertakes to send, and who finds the feed old to read it.
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
            if let Err(error) = fetch_key(edge, platform, &presented, Fetch::NewerReplica, None).await {
                log_warning(&format!("{}: {error}", presented.locator));
            }
            None
        }
    };
    next.into_iter().collect()
}

/// A random number of 64 bits.
fn random_u64() -> u64 {
    u64::try_from(random() >> 64).unwrap_or(1)
}

async fn send_batch(platform: &Platform, workspace: u32, batch: &usage::Batch) -> Result<(), ErrorText> {
    let (status, _) = platform.vault(&usage_path(workspace), Some(usage::encode(batch)), USAGE).await?;
    match status {
        200..300 => Ok(()),
        // It would be refused again.
        400..500 => {
            log_error(&format!("usage of workspace {workspace}: batch rejected with {status}"));
            Ok(())
        }
        status => Err(unexpected_status(status)),
    }
}
