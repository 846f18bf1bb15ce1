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
use std::{net::IpAddr, rc::Rc};

/// Seconds for which the platform may answer a KV read from its own cache. The feed says what is too old.
const CACHE_TTL: u32 = 300;
/// Most steps of one check. Each step brings what the one before lacked; what came too late is asked for again.
const STEPS: usize = 8;
/// Most looks at whether somebody else has brought what is lacking, one every [`LOOK`] milliseconds.
const LOOKS: u32 = 400;
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
    let gate = &edge.gate;
    let presented = match gate.read(text) {
        Ok(presented) => presented,
        Err(denial) => return Checked::refused(denial),
    };
    let (workspace, caller) = (presented.address.workspace, wanted.caller);
    // Whether a store was asked, and whether that was in vain.
    let (mut asked, mut alone) = (false, false);
    let (mut steps, mut looks) = (0, 0);
    // The key, if only permits are lacking.
    let mut limited = None;
    while steps < STEPS {
        let now = now();
        let step =
            if alone { gate.step_alone(&presented, wanted, now) } else { gate.step(&presented, wanted, asked, now) };
        let question = match step {
            Step::Done(checked) => {
                if asked && matches!(checked.verdict, Err(Denial::Unknown)) {
                    gate.was_asked(&presented, caller, now);
                }
                return checked;
            }
            Step::Take(record) => {
                if let Some(refused) = permits(edge, platform, &record, wanted.cost).await {
                    return refused;
                }
                limited = Some(record);
                steps += 1;
                continue;
            }
            Step::ReadFeed if !gate.is_feed_down(workspace, now) => None,
            // Without the feed the vault itself must say that the key is good.
            Step::ReadFeed | Step::AskVault => Some(Question::Vault),
            Step::Find => Some(Question::Copy),
            Step::AskForSecret => Some(Question::Secret),
        };
        // What somebody else is asking for is waited for.
        let waits = match question {
            None => gate.is_feed_asked(workspace, now),
            Some(_) => gate.is_asked(presented.locator, now),
        };
        let crowded = !waits && question.is_some() && {
            if let Some(held) = gate.flooded(&presented, caller, now) {
                return held;
            }
            gate.is_crowded(&presented, caller, now)
        };
        if (waits || crowded) && looks < LOOKS {
            // Of those who wait for others' keys there may be many.
            let pause = if waits { 1 } else { 4 };
            looks += pause;
            platform.pause(LOOK * pause).await;
            continue;
        }
        if crowded {
            return Checked::refused(Denial::TooManyUnknown { retry_after: SECOND });
        }
        steps += 1;
        match question {
            None => {
                if let Err(error) = read_feed(gate, platform, workspace).await {
                    log_warning(&format!("feed of workspace {workspace}: {error}"));
                }
            }
            Some(question) => {
                asked = true;
                if let Err(error) = ask(edge, platform, &presented, question, caller).await {
                    log_error(&format!("{}: {error}", presented.locator));
                    // What is remembered may still suffice: for a wrong secret, or as the workspace has chosen.
                    alone = true;
                }
            }
        }
    }
    Gate::undecided(limited)
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

/// Asks about a key. Others who want to know the same wait for this.
async fn ask(
    edge: &Edge,
    platform: &Platform,
    presented: &Presented,
    question: Question,
    caller: Option<IpAddr>,
) -> Result<(), Trouble> {
    let asked_at = now();
    let is_new = edge.gate.ask(presented, question == Question::Copy, caller, asked_at);
    let outcome = match question {
        Question::Copy => find(edge, platform, presented).await,
        Question::Vault => ask_vault(edge, platform, presented, false).await,
        Question::Secret => ask_vault(edge, platform, presented, true).await,
    };
    edge.gate.answered(presented, is_new, caller, asked_at);
    outcome
}

/// Reads the feed of a workspace to its end.
async fn read_feed(gate: &Gate, platform: &Platform, workspace: u32) -> Result<(), Trouble> {
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
            Some(Gate::undecided(Some(record.clone())))
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

/// Sends a batch of what was counted, if one is due. Says when to go on: whoever else waits for that may end sooner.
async fn send_counts(edge: &Edge, platform: &Platform) -> Option<Timestamp> {
    if let Some((workspace, batch)) = edge.gate.next_batch(now()) {
        let outcome = send_batch(platform, workspace, &batch).await;
        if let Err(error) = &outcome {
            log_warning(&format!("usage of workspace {workspace}: {error}"));
        }
        edge.gate.sent(workspace, &batch, outcome.is_ok(), now());
    }
    edge.gate.batch_due()
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
