//! Everything that waits: the feed of changes, the copy of a key in KV, the vault, which knows the truth, and
//! the meters of limited keys. And what is done after the answer.

use crate::{
    chores::Chore,
    edge::{Edge, random},
    gate::{Checked, Gate, Presented, Step, Wanted},
    memory::Memo,
    platform::{FEED, METER, Platform, REGISTRY, Trouble, USAGE, answered, log_error, log_warning, now},
};
use ownchat_domain::{
    feed::{self, decode},
    meter::{self, Take, Taken},
    record::{Record, kv_name},
    time::{SECOND, Timestamp},
    usage,
    vault::{news_path, permits_path, record_path, usage_path},
    verdict::Denial,
};
use std::rc::Rc;

/// Seconds for which the platform may answer a KV read from its own cache. The feed says what is too old.
const CACHE_TTL: u32 = 300;
/// Most steps of one check. Each step brings what the one before lacked; what came too late is asked for again.
const STEPS: usize = 8;
/// Most looks at whether somebody else has brought what is lacking, one every [`LOOK`] milliseconds.
const LOOKS: usize = 400;
/// Milliseconds between two such looks.
const LOOK: u32 = 5;
/// Most pages of the feed that one call waits for.
const PAGES: usize = 20;
/// Permits that a meter does not take back are given back again after so many milliseconds, and then twice as many.
const RESEND: [i64; 3] = [SECOND, 2 * SECOND, 4 * SECOND];
/// Nothing is begun so long after an answer, in milliseconds. The platform calls off what is under way 30 s after it.
const TURN: i64 = 18 * SECOND;

/// Checks a key, and asks the stores if need be.
pub async fn check(edge: &Edge, platform: &Platform, text: &str, wanted: &Wanted<'_>) -> Checked {
    let presented = match edge.gate.read(text) {
        Ok(presented) => presented,
        Err(denial) => return Checked::refused(denial),
    };
    let workspace = presented.address.workspace;
    let (mut asked, mut looks) = (false, 0);
    for _ in 0..STEPS {
        let mut step = edge.gate.step(&presented, wanted, asked, now());
        while looks < LOOKS && is_asked_by_another(edge, &presented, &step) {
            looks += 1;
            platform.pause(LOOK).await;
            step = edge.gate.step(&presented, wanted, asked, now());
        }
        let done = match step {
            Step::Done(checked) => {
                if asked && matches!(checked.verdict, Err(Denial::Unknown)) {
                    edge.gate.was_unknown(wanted.caller, now());
                }
                return checked;
            }
            Step::Take(record) => match permits(edge, platform, &record, wanted.cost).await {
                Some(refused) => return refused,
                None => Ok(()),
            },
            // Without it the vault itself must say that the key is good.
            Step::ReadFeed => match read_feed(&edge.gate, platform, workspace).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    log_warning(&format!("feed of workspace {workspace}: {error}"));
                    asked = true;
                    ask(edge, platform, &presented, Question::Vault).await
                }
            },
            Step::Find | Step::AskVault | Step::AskForSecret => {
                if let Some(held) = edge.gate.flooded(wanted.caller, now()) {
                    return held;
                }
                asked = true;
                ask(edge, platform, &presented, Question::of(&step)).await
            }
        };
        if let Err(error) = done {
            log_error(&format!("{}: {error}", presented.locator));
            return without_stores(edge, &presented, wanted);
        }
    }
    Checked::refused(Denial::Unavailable)
}

/// What is remembered may still suffice: for a wrong secret, or as the workspace has chosen.
fn without_stores(edge: &Edge, presented: &Presented, wanted: &Wanted<'_>) -> Checked {
    match edge.gate.step(presented, wanted, true, now()) {
        Step::Done(checked) => checked,
        _ => match edge.gate.without_vault(presented, wanted, now()) {
            Step::Done(checked) => checked,
            _ => Checked::refused(Denial::Unavailable),
        },
    }
}

/// Whether somebody else is asking for what this step lacks.
fn is_asked_by_another(edge: &Edge, presented: &Presented, step: &Step) -> bool {
    match step {
        Step::ReadFeed => edge.gate.is_feed_asked(presented.address.workspace, now()),
        Step::Find | Step::AskVault | Step::AskForSecret => edge.gate.is_asked(presented.locator, now()),
        Step::Done(_) | Step::Take(_) => false,
    }
}

/// What is asked about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Its copy in KV, and the vault where that does not help.
    Copy,
    /// The truth.
    Vault,
    /// The truth, because a secret does not fit.
    Secret,
}

impl Question {
    fn of(step: &Step) -> Self {
        match step {
            Step::Find => Self::Copy,
            Step::AskForSecret => Self::Secret,
            _ => Self::Vault,
        }
    }
}

/// Asks about a key. Others who want to know the same wait for this.
async fn ask(edge: &Edge, platform: &Platform, presented: &Presented, question: Question) -> Result<(), Trouble> {
    edge.gate.ask(presented.locator, now());
    let outcome = match question {
        Question::Copy => find(edge, platform, presented).await,
        Question::Vault => ask_vault(edge, platform, presented, false).await,
        Question::Secret => ask_vault(edge, platform, presented, true).await,
    };
    edge.gate.answered(presented.locator);
    outcome
}

/// Reads the feed of a workspace to its end.
async fn read_feed(gate: &Gate, platform: &Platform, workspace: u32) -> Result<(), Trouble> {
    if gate.is_feed_down(workspace, now()) {
        return Err("it did not answer a moment ago".into());
    }
    let outcome = read_pages(gate, platform, workspace).await;
    if outcome.is_err() {
        gate.missed(workspace, now());
    }
    outcome
}

async fn read_pages(gate: &Gate, platform: &Platform, workspace: u32) -> Result<(), Trouble> {
    for _ in 0..PAGES {
        let asked_at = now();
        let from = gate.ask_feed(workspace, asked_at);
        let bytes = ask_for(platform, &news_path(feed::shard_of(workspace), from), None, FEED).await?;
        let page = decode(&bytes).ok_or("it is no page")?;
        let more = page.more;
        gate.hear(workspace, page, from, asked_at);
        if !more {
            return Ok(());
        }
    }
    Err("it has no end".into())
}

/// Looks in KV, and asks the vault where KV does not help.
async fn find(edge: &Edge, platform: &Platform, presented: &Presented) -> Result<(), Trouble> {
    let asked_at = now();
    match from_kv(edge, platform, presented).await {
        Ok(Some(record)) if record.is_alive(asked_at) => {
            edge.gate.learn(presented, Memo::new(Some(record.into()), asked_at));
            Ok(())
        }
        Ok(_) => ask_vault(edge, platform, presented, false).await,
        Err(trouble) => {
            log_warning(&format!("{}: KV: {trouble}", presented.locator));
            ask_vault(edge, platform, presented, false).await
        }
    }
}

async fn from_kv(edge: &Edge, platform: &Platform, presented: &Presented) -> Result<Option<Record>, Trouble> {
    match platform.copy(&kv_name(presented.locator), CACHE_TTL).await? {
        Some(bytes) => open(edge, presented, &bytes).map(Some),
        None => Ok(None),
    }
}

async fn ask_vault(edge: &Edge, platform: &Platform, presented: &Presented, for_secret: bool) -> Result<(), Trouble> {
    let asked_at = now();
    let path = record_path(presented.address.workspace, presented.locator);
    let known = match platform.vault(&path, None, REGISTRY).await? {
        (200, bytes) => Some(Rc::new(open(edge, presented, &bytes)?)),
        (404, _) => None,
        (status, _) => return Err(answered(status)),
    };
    edge.gate.learn(presented, Memo { is_truth: true, for_secret, ..Memo::new(known, asked_at) });
    Ok(())
}

fn open(edge: &Edge, presented: &Presented, bytes: &[u8]) -> Result<Record, Trouble> {
    Record::open(bytes, presented.locator, edge.gate.keyring()).map_err(|error| error.to_string())
}

/// Asks the meter of a limited key for permits, and returns the refusal if it is the last word. Without an answer
/// nobody passes.
async fn permits(edge: &Edge, platform: &Platform, record: &Rc<Record>, cost: u32) -> Option<Checked> {
    let asked_at = now();
    let question = edge.gate.question(record, cost, random_half(), asked_at);
    match ask_meter(platform, record, &question).await {
        Ok(Taken::Lease(lease)) => {
            edge.gate.lease(record, lease, asked_at, now());
            None
        }
        Ok(Taken::Refused(refusal)) => edge.gate.no_lease(record, cost, refusal, asked_at, now()),
        Err(error) => {
            log_error(&format!("{}: meter: {error}", record.locator));
            edge.gate.no_answer(record, question, now());
            Some(Checked::refused(Denial::Unavailable))
        }
    }
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
pub async fn chores(edge: &Edge, platform: &Platform) {
    let end = now().plus(TURN);
    let mut all = edge.gate.chores();
    while let Some((due, chore)) = all.pop() {
        if due.max(now()) >= end {
            // Who counts next undertakes to send, and who finds the feed old to read it.
            if matches!(chore, Chore::GiveBack(..)) {
                edge.gate.leave(due, chore);
            }
            continue;
        }
        platform.until(due).await;
        let again = match chore {
            Chore::ReadFeed(workspace) => {
                if let Err(error) = read_feed(&edge.gate, platform, workspace).await {
                    log_warning(&format!("feed of workspace {workspace}: {error}"));
                }
                None
            }
            Chore::SendCounts => {
                let lost = edge.gate.close_counts(random_half(), now());
                if lost > 0 {
                    log_error(&format!("usage: {lost} batches of counts were given up"));
                }
                Some((now(), Chore::SendOn))
            }
            Chore::SendOn => send_counts(edge, platform).await.map(|due| (due, Chore::SendOn)),
            Chore::GiveBack(record, tries) => {
                let Some(leftovers) = edge.gate.leftovers(&record, now()) else { continue };
                let Err(error) = ask_meter(platform, &record, &leftovers).await else { continue };
                log_warning(&format!("{}: meter: {error}", record.locator));
                edge.gate.keep(&record, leftovers);
                RESEND.get(tries).map(|wait| (now().plus(*wait), Chore::GiveBack(record, tries + 1)))
            }
        };
        if let Some((due, chore)) = again {
            all.add(due, chore);
        }
    }
}

/// A random number of 64 bits.
fn random_half() -> u64 {
    u64::try_from(random() >> 64).unwrap_or(1)
}

/// Sends a batch of what was counted, if one is due. Says when to go on.
async fn send_counts(edge: &Edge, platform: &Platform) -> Option<Timestamp> {
    let (workspace, batch) = edge.gate.next_batch(now())?;
    let outcome = send_batch(platform, workspace, &batch).await;
    if let Err(error) = &outcome {
        log_warning(&format!("usage of workspace {workspace}: {error}"));
    }
    edge.gate.sent(workspace, &batch, outcome.is_ok(), now())
}

async fn send_batch(platform: &Platform, workspace: u32, batch: &usage::Batch) -> Result<(), Trouble> {
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
