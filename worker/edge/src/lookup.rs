//! Everything that waits: the feed of changes, the copy of a key in KV, the vault, which knows the truth, and
//! the meters of limited keys. And what is done after the answer.

use crate::{
    chores::Chore,
    edge::{Edge, now, random},
    gate::{Checked, Gate, Presented, Step, Wanted},
    memory::Memo,
    patience::{self, pause, until, within},
};
use ownchat_domain::{
    feed::{self, decode},
    meter::{self, Take, Taken},
    record::{Record, kv_name},
    time::SECOND,
    usage,
    vault::{news_path, permits_path, record_path, usage_path},
    verdict::Denial,
};
use std::rc::Rc;
use worker::{Env, Error, Method, RequestInit, Result, console_error, console_warn, js_sys::Uint8Array};

/// Seconds for which the platform may answer a KV read from its own cache. The feed says what is too old.
const CACHE_TTL: u64 = 300;
/// Most steps of one check. Each step brings what the one before lacked; what came too late is asked for again.
const STEPS: usize = 8;
/// Most looks at whether somebody else has brought what is lacking, one every [`LOOK`] milliseconds.
const LOOKS: usize = 400;
/// Milliseconds between two such looks.
const LOOK: u64 = 5;
/// Most pages of the feed that one call waits for.
const PAGES: usize = 20;
/// Counts that cannot be sent are tried again after so many milliseconds, and then twice as many.
const RESEND: [i64; 3] = [SECOND, 2 * SECOND, 4 * SECOND];

/// Checks a key, and asks the stores if need be.
pub async fn check(edge: &Edge, env: &Env, text: &str, wanted: &Wanted<'_>) -> Checked {
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
            pause(LOOK).await;
            step = edge.gate.step(&presented, wanted, asked, now());
        }
        let done = match step {
            Step::Done(checked) => {
                if asked && matches!(checked.verdict, Err(Denial::Unknown)) {
                    edge.gate.was_unknown(wanted.caller, now());
                }
                return checked;
            }
            Step::Take(record) => match permits(edge, env, &record, wanted.cost).await {
                Some(refused) => return refused,
                None => Ok(()),
            },
            // Without it the vault itself must say that the key is good.
            Step::ReadFeed => match read_feed(&edge.gate, env, workspace).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    console_warn!("feed of workspace {workspace}: {error}");
                    asked = true;
                    ask(edge, env, &presented, Question::Vault).await
                }
            },
            Step::Find | Step::AskVault | Step::AskForSecret => {
                if let Some(held) = edge.gate.flooded(wanted.caller, now()) {
                    return held;
                }
                asked = true;
                ask(edge, env, &presented, Question::of(&step)).await
            }
        };
        if let Err(error) = done {
            console_error!("{}: {error}", presented.locator);
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
async fn ask(edge: &Edge, env: &Env, presented: &Presented, question: Question) -> Result<()> {
    edge.gate.ask(presented.locator, now());
    let outcome = match question {
        Question::Copy => find(edge, env, presented).await,
        Question::Vault => ask_vault(edge, env, presented, false).await,
        Question::Secret => ask_vault(edge, env, presented, true).await,
    };
    edge.gate.answered(presented.locator);
    outcome
}

/// Reads the feed of a workspace to its end.
async fn read_feed(gate: &Gate, env: &Env, workspace: u32) -> Result<()> {
    if gate.is_feed_down(workspace, now()) {
        return Err(Error::RustError("it did not answer a moment ago".into()));
    }
    let read = async {
        for _ in 0..PAGES {
            let asked_at = now();
            let from = gate.ask_feed(workspace, asked_at);
            let url = format!("https://vault{}", news_path(feed::shard_of(workspace), from));
            let page =
                decode(&fetch(env, &url, None).await?).ok_or_else(|| Error::RustError("it is no page".into()))?;
            let more = page.more;
            gate.hear(workspace, page, from, asked_at);
            if !more {
                return Ok(());
            }
        }
        Err(Error::RustError("it has no end".into()))
    };
    let outcome = within(patience::FEED, read).await;
    if outcome.is_err() {
        gate.missed(workspace, now());
    }
    outcome
}

/// Looks in KV, and asks the vault where KV does not help.
async fn find(edge: &Edge, env: &Env, presented: &Presented) -> Result<()> {
    let asked_at = now();
    match within(patience::KV, from_kv(edge, env, presented)).await {
        Ok(Some(record)) if record.is_alive(asked_at) => {
            edge.gate
                .learn(presented, Memo { known: Some(record.into()), asked_at, is_truth: false, for_secret: false });
            Ok(())
        }
        Ok(_) => ask_vault(edge, env, presented, false).await,
        Err(error) => {
            console_warn!("{}: KV: {error}", presented.locator);
            ask_vault(edge, env, presented, false).await
        }
    }
}

async fn from_kv(edge: &Edge, env: &Env, presented: &Presented) -> Result<Option<Record>> {
    let name = kv_name(presented.locator);
    match env.kv("KEYS")?.get(&name).cache_ttl(CACHE_TTL).bytes().await? {
        Some(bytes) => open(edge, presented, &bytes).map(Some),
        None => Ok(None),
    }
}

async fn ask_vault(edge: &Edge, env: &Env, presented: &Presented, for_secret: bool) -> Result<()> {
    let asked_at = now();
    let url = format!("https://vault{}", record_path(presented.address.workspace, presented.locator));
    let answer = async {
        let mut response = env.service("VAULT")?.fetch(url, None).await?;
        match response.status_code() {
            200 => Ok(Some(Rc::new(open(edge, presented, &response.bytes().await?)?))),
            404 => Ok(None),
            status => Err(Error::RustError(format!("the vault answered {status}"))),
        }
    };
    let known = within(patience::REGISTRY, answer).await?;
    edge.gate.learn(presented, Memo { known, asked_at, is_truth: true, for_secret });
    Ok(())
}

fn open(edge: &Edge, presented: &Presented, bytes: &[u8]) -> Result<Record> {
    Record::open(bytes, presented.locator, edge.gate.keyring()).map_err(|error| Error::RustError(error.to_string()))
}

/// Asks the meter of a limited key for permits, and returns the refusal if there is one. Without an answer nobody
/// passes.
async fn permits(edge: &Edge, env: &Env, record: &Rc<Record>, cost: u32) -> Option<Checked> {
    let asked_at = now();
    let question = edge.gate.question(record, cost, asked_at);
    match ask_meter(env, record, &question).await {
        Ok(Taken::Lease(lease)) => {
            edge.gate.lease(record, lease, asked_at);
            None
        }
        Ok(Taken::Refused(refusal)) => {
            edge.gate.no_lease(record, cost, refusal, asked_at);
            Some(Gate::refused(record.clone(), &refusal))
        }
        Err(error) => {
            console_error!("{}: meter: {error}", record.locator);
            edge.gate.keep(record, question);
            Some(Checked::refused(Denial::Unavailable))
        }
    }
}

async fn ask_meter(env: &Env, record: &Record, question: &Take) -> Result<Taken> {
    let url = format!("https://vault{}", permits_path(record.locator));
    let answer = within(patience::METER, fetch(env, &url, Some(&meter::encode(question)))).await?;
    meter::decode(&answer).ok_or_else(|| Error::RustError("it is no answer".into()))
}

/// Asks the vault, by `POST` if there is a body. Any status but 200 is an error.
async fn fetch(env: &Env, url: &str, body: Option<&[u8]>) -> Result<Vec<u8>> {
    let init = body.map(post);
    let mut response = env.service("VAULT")?.fetch(url, init).await?;
    match response.status_code() {
        200 => response.bytes().await,
        status => Err(Error::RustError(format!("it answered {status}"))),
    }
}

fn post(body: &[u8]) -> RequestInit {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(Uint8Array::from(body).into()));
    init
}

/// Does what was left for after the answers: the feed is read again when it is time, so that the next calls need
/// not wait for it, counts are sent, and permits that were not spent go back.
pub async fn chores(edge: &Edge, env: &Env) {
    for (due, chore) in edge.gate.chores() {
        until(due, now()).await;
        match chore {
            Chore::ReadFeed(workspace) => {
                if let Err(error) = read_feed(&edge.gate, env, workspace).await {
                    console_warn!("feed of workspace {workspace}: {error}");
                }
            }
            Chore::SendCounts => send_counts(edge, env).await,
            Chore::GiveBack(record) => {
                if let Some(leftovers) = edge.gate.leftovers(&record, now())
                    && let Err(error) = ask_meter(env, &record, &leftovers).await
                {
                    console_warn!("{}: meter: {error}", record.locator);
                    edge.gate.keep(&record, leftovers);
                }
            }
        }
    }
}

/// Sends what was counted. What the vault does not take now is tried again a few times, and then kept for the next.
async fn send_counts(edge: &Edge, env: &Env) {
    let random = random().map_or(1, |random| u64::try_from(random & u128::from(u64::MAX)).unwrap_or(1));
    let mut batches = edge.gate.counted(random);
    let mut waits = RESEND.into_iter();
    while let Some((workspace, batch)) = batches.pop_front() {
        match within(patience::USAGE, send_batch(env, workspace, &batch)).await {
            Ok(()) => {}
            Err(error) => {
                console_warn!("usage of workspace {workspace}: {error}");
                batches.push_front((workspace, batch));
                let Some(wait) = waits.next() else {
                    let lost = edge.gate.keep_counts(batches);
                    if lost > 0 {
                        console_error!("usage: {lost} batches of counts were given up");
                    }
                    return;
                };
                until(now().plus(wait), now()).await;
            }
        }
    }
}

async fn send_batch(env: &Env, workspace: u32, batch: &usage::Batch) -> Result<()> {
    let url = format!("https://vault{}", usage_path(workspace));
    let response = env.service("VAULT")?.fetch(url, Some(post(&usage::encode(batch)))).await?;
    match response.status_code() {
        200..300 => Ok(()),
        // It would be refused again.
        status @ 400..500 => {
            console_error!("usage of workspace {workspace}: a batch was refused with {status}");
            Ok(())
        }
        status => Err(Error::RustError(format!("it answered {status}"))),
    }
}
