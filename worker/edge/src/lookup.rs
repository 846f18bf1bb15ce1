//! Everything that waits: the feed of changes, the copy of a key in KV, the vault, which knows the truth, and
//! the meters of limited keys. And what is done after the answer.

use crate::{
    authorizer::{Admission, Authorizer, Evaluation},
    check::{Decision, KeyCheck, PresentedKey},
    deferred::{DeferredTask, DeferredTasks, run_all},
    edge::{Edge, random},
    key_cache::{CachedKey, REFRESH_AFTER},
    platform::{Platform, Trouble, answered, log_error, log_warning, now},
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
const CACHE_TTL: u32 = 300;
/// Most steps of one check. Each step brings what the one before lacked; what came too late is asked for again.
const STEPS: usize = 8;
/// Most pages of the feed that one call waits for.
const PAGES: usize = 20;
/// Permits that a meter does not take back are given back again after so many milliseconds, and then twice as many.
const RESEND: [i64; 3] = [SECOND, 2 * SECOND, 4 * SECOND];
/// Nothing is begun so long after an answer, in milliseconds. The platform calls off what is under way 30 s after it.
const AFTERWARDS: i64 = 18 * SECOND;

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
    while steps < STEPS {
        let now = now();
        let step = if is_offline {
            authorizer.evaluate_offline(&presented, requirements, now)
        } else {
            authorizer.evaluate(&presented, requirements, fetched, now)
        };
        let question = match step {
            Evaluation::Decided(decision) => {
                if fetched && matches!(decision.verdict, Err(Denial::Unknown)) {
                    authorizer.note_unknown(&presented, client_ip, now);
                }
                return decision;
            }
            Evaluation::NeedsPermits(record) => {
                if let Some(refused) = permits(edge, platform, &record, requirements.cost).await {
                    return refused;
                }
                limited = Some(record);
                steps += 1;
                continue;
            }
            Evaluation::NeedsStanding(record) => {
                look(edge, platform, &record).await;
                steps += 1;
                continue;
            }
            Evaluation::NeedsFeed if !authorizer.is_feed_down(workspace, now) => None,
            // Without the feed the vault itself must say that the key is good.
            Evaluation::NeedsFeed | Evaluation::NeedsVault => Some(Question::Vault),
            Evaluation::NeedsReplica => Some(Question::Copy),
            Evaluation::NeedsSecretRecheck => Some(Question::Secret),
        };
        match authorizer.admit_fetch(&presented, client_ip, question.is_some(), received_at, now) {
            Admission::Fetch => {}
            Admission::Poll(wait) => {
                platform.until(now.plus(wait)).await;
                continue;
            }
            Admission::GoOffline => {
                is_offline = true;
                continue;
            }
            Admission::Throttle(retry_after) => return Decision::refused(Denial::TooManyUnknown { retry_after }),
        }
        steps += 1;
        match question {
            None => read_feed(authorizer, platform, workspace).await,
            Some(question) => {
                fetched = true;
                if let Err(error) = ask(edge, platform, &presented, question, client_ip).await {
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
enum Question {
    /// Its copy in KV, and the vault where that does not help.
    Copy,
    /// The same, if the copy is younger than the one that is remembered.
    Younger,
    /// The truth.
    Vault,
    /// The truth, because a secret does not fit.
    Secret,
}

/// Asks about a key. Others who want to know the same wait for this.
async fn ask(
    edge: &Edge,
    platform: &Platform,
    presented: &PresentedKey,
    question: Question,
    client_ip: Option<IpAddr>,
) -> Result<(), Trouble> {
    let asked_at = now();
    let is_unknown = edge.authorizer.begin_fetch(presented, question == Question::Copy, client_ip, asked_at);
    let age = match question {
        Question::Copy => LIFETIME,
        Question::Younger => REFRESH_AFTER,
        Question::Vault | Question::Secret => 0,
    };
    let outcome = if age > 0 && find(edge, platform, presented, age).await {
        Ok(())
    } else {
        ask_vault(edge, platform, presented, question == Question::Secret).await
    };
    edge.authorizer.end_fetch(presented, is_unknown, client_ip, asked_at, outcome.is_err().then(now));
    outcome
}

/// Reads the feed of a workspace to its end.
async fn read_feed(authorizer: &Authorizer, platform: &Platform, workspace: u32) {
    if let Err(error) = read_pages(authorizer, platform, workspace).await {
        authorizer.feed_read_failed(workspace, now());
        log_warning(&format!("feed of workspace {workspace}: {error}"));
    }
}

async fn read_pages(authorizer: &Authorizer, platform: &Platform, workspace: u32) -> Result<(), Trouble> {
    for _ in 0..PAGES {
        let asked_at = now();
        let from = authorizer.begin_feed_read(workspace, asked_at);
        let bytes = ask_for(platform, &news_path(feed::shard_of(workspace), from), None, FEED).await?;
        let page = decode(&bytes).ok_or("it is no page")?;
        let more = page.more;
        authorizer.apply_feed_page(workspace, page, from, asked_at);
        if !more {
            return Ok(());
        }
    }
    Err("it has no end".into())
}

/// Looks in KV, and says whether there is a record that is younger than `age`, in milliseconds.
async fn find(edge: &Edge, platform: &Platform, presented: &PresentedKey, age: i64) -> bool {
    let asked_at = now();
    match from_kv(edge, platform, presented).await {
        Ok(Some(record)) if asked_at.since(record.sealed_at) < age => {
            edge.authorizer.cache_key(presented, CachedKey::new(Some(record.into()), asked_at));
            return true;
        }
        Ok(_) => {}
        Err(trouble) => log_warning(&format!("{}: KV: {trouble}", presented.locator)),
    }
    false
}

async fn from_kv(edge: &Edge, platform: &Platform, presented: &PresentedKey) -> Result<Option<Record>, Trouble> {
    match platform.copy(&kv_name(presented.locator), CACHE_TTL).await? {
        Some(bytes) => open(edge, presented, &bytes).map(Some),
        None => Ok(None),
    }
}

async fn ask_vault(
    edge: &Edge,
    platform: &Platform,
    presented: &PresentedKey,
    secret_rechecks: bool,
) -> Result<(), Trouble> {
    let asked_at = now();
    let path = record_path(presented.key_number.workspace, presented.locator);
    let record = match platform.vault(&path, None, REGISTRY).await? {
        (200, bytes) => Some(Rc::new(open(edge, presented, &bytes)?)),
        (404, _) => None,
        (status, _) => return Err(answered(status)),
    };
    edge.authorizer.cache_key(
        presented,
        CachedKey { from_vault: true, secret_rechecks: secret_rechecks.into(), ..CachedKey::new(record, asked_at) },
    );
    Ok(())
}

fn open(edge: &Edge, presented: &PresentedKey, bytes: &[u8]) -> Result<Record, Trouble> {
    Record::open(bytes, presented.locator, edge.authorizer.keyring()).map_err(|error| error.to_string())
}

/// Asks the meter of a limited key for permits, and returns the refusal if it is the last word. Without an answer
/// nobody passes.
async fn permits(edge: &Edge, platform: &Platform, record: &Rc<Record>, cost: u32) -> Option<Decision> {
    let asked_at = now();
    let question = edge.authorizer.lease_request(record, cost, random_half(), asked_at);
    match ask_meter(platform, record, &question).await {
        Ok(Taken::Lease(lease)) => {
            edge.authorizer.add_lease(record, lease, asked_at, now());
            None
        }
        Ok(Taken::Refused(refusal)) => edge.authorizer.apply_refusal(record, cost, refusal, asked_at, now()),
        Err(error) => {
            log_error(&format!("{}: meter: {error}", record.locator));
            edge.authorizer.lease_request_failed(record, question, now());
            Some(Authorizer::unavailable(Some(record.clone())))
        }
    }
}

/// Asks the meter of a limited key what is left. Without an answer nobody is told.
async fn look(edge: &Edge, platform: &Platform, record: &Record) {
    let (limits, version) = (record.limits, record.version);
    let question = Take { limits, version, ..Take::default() };
    let standing = match ask_meter(platform, record, &question).await {
        Ok(Taken::Lease(Lease { standing, .. }) | Taken::Refused(Refusal { standing, .. })) => standing,
        Err(error) => {
            log_warning(&format!("{}: meter: {error}", record.locator));
            Standing::default()
        }
    };
    edge.authorizer.set_standing(record, standing, now());
}

async fn ask_meter(platform: &Platform, record: &Record, question: &Take) -> Result<Taken, Trouble> {
    let body = meter::encode(question);
    let answer = ask_for(platform, &permits_path(record.locator), Some(body), METER).await?;
    meter::decode(&answer).ok_or_else(|| "it is no answer".into())
}

/// Asks the vault for something that it always has.
async fn ask_for(platform: &Platform, path: &str, body: Option<Vec<u8>>, millis: u32) -> Result<Vec<u8>, Trouble> {
    match platform.vault(path, body, millis).await? {
        (200, bytes) => Ok(bytes),
        (status, _) => Err(answered(status)),
    }
}

/// Does what was left for after the answers: the feed is read again when it is time, so that the next calls need
/// not wait for it, counts are sent, and permits that were not spent go back. What is too late for this turn is left
/// for after another answer.
pub async fn tasks(edge: &Edge, platform: &Platform) {
    let end = now().plus(AFTERWARDS);
    run_all(edge.authorizer.take_deferred(), |due, task| act(edge, platform, end, due, task)).await;
}

/// Does something when it is due, unless that is too late, and says what is to be done next.
async fn act(edge: &Edge, platform: &Platform, end: Timestamp, due: Timestamp, task: DeferredTask) -> DeferredTasks {
    if due.max(now()) >= end {
        // Who counts next undertakes to send, and who finds the feed old to read it.
        if matches!(task, DeferredTask::ReturnPermits(..)) {
            edge.authorizer.defer(due, task);
        }
        return Vec::new();
    }
    platform.until(due).await;
    let next = match task {
        DeferredTask::ReadFeed(workspace) => {
            read_feed(&edge.authorizer, platform, workspace).await;
            None
        }
        DeferredTask::FlushUsage => {
            let dropped = edge.authorizer.close_usage_batches(random_half(), now());
            if dropped > 0 {
                log_error(&format!("usage: {dropped} batches dropped, the buffer is full"));
            }
            Some((now(), DeferredTask::ScheduleSends))
        }
        DeferredTask::ScheduleSends => return edge.authorizer.due_sends(now()),
        DeferredTask::SendBatch(workspace) => {
            let Some(batch) = edge.authorizer.next_batch(workspace, now()) else { return Vec::new() };
            let outcome = hand_over(platform, workspace, &batch).await;
            if let Err(error) = &outcome {
                log_warning(&format!("usage of workspace {workspace}: {error}"));
            }
            edge.authorizer.batch_sent(workspace, &batch, outcome.is_ok(), now());
            outcome.is_ok().then(|| (now(), DeferredTask::SendBatch(workspace)))
        }
        DeferredTask::ReturnPermits(record, tries) => {
            let Some(unspent) = edge.authorizer.take_unspent(&record, now()) else { return Vec::new() };
            let Err(error) = ask_meter(platform, &record, &unspent).await else { return Vec::new() };
            log_warning(&format!("{}: meter: {error}", record.locator));
            edge.authorizer.keep_unspent(&record, unspent);
            RESEND.get(tries).map(|wait| (now().plus(*wait), DeferredTask::ReturnPermits(record, tries + 1)))
        }
        DeferredTask::RefreshKey(presented) => {
            if let Err(error) = ask(edge, platform, &presented, Question::Younger, None).await {
                log_warning(&format!("{}: {error}", presented.locator));
            }
            None
        }
    };
    next.into_iter().collect()
}

/// A random number of 64 bits.
fn random_half() -> u64 {
    u64::try_from(random() >> 64).unwrap_or(1)
}

async fn hand_over(platform: &Platform, workspace: u32, batch: &usage::Batch) -> Result<(), Trouble> {
    let (status, _) = platform.vault(&usage_path(workspace), Some(usage::encode(batch)), USAGE).await?;
    match status {
        200..300 => Ok(()),
        // It would be refused again.
        400..500 => {
            log_error(&format!("usage of workspace {workspace}: a batch was refused with {status}"));
            Ok(())
        }
        status => Err(answered(status)),
    }
}
