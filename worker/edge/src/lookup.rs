//! Everything that waits: the feed of changes, the copy of a key in KV, the vault, which knows the truth, and
//! the meters of limited keys.

use crate::{
    edge::{Edge, now},
    gate::{Checked, Gate, Presented, Step, Wanted},
    memory::Memo,
};
use ownchat_domain::{
    feed::decode,
    meter::{self, Take, Taken},
    record::{Record, kv_name},
    vault::{news_path, permits_path, record_path},
    verdict::Denial,
};
use std::rc::Rc;
use worker::{Delay, Env, Error, Method, RequestInit, Result, console_error, console_warn, js_sys::Uint8Array};

/// Seconds for which the platform may answer a KV read from its own cache. The feed says what is too old.
const CACHE_TTL: u64 = 300;
/// Most steps of one check. Each step brings what the one before lacked; what came too late is asked for again.
const STEPS: usize = 8;
/// Most pages of the feed that one call waits for.
const PAGES: usize = 20;

/// Checks a key, and asks the stores if need be.
pub async fn check(edge: &Edge, env: &Env, text: &str, wanted: &Wanted<'_>) -> Checked {
    let presented = match edge.gate.read(text) {
        Ok(presented) => presented,
        Err(denial) => return Checked::refused(denial),
    };
    let workspace = presented.address.workspace;
    let mut asked = false;
    for _ in 0..STEPS {
        let done = match edge.gate.step(&presented, wanted, asked, now()) {
            Step::Done(checked) => return checked,
            Step::Take(record) => match permits(edge, env, &record, wanted.cost).await {
                Some(refused) => return refused,
                None => Ok(()),
            },
            Step::ReadFeed => match read_feed(&edge.gate, env, workspace).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    console_warn!("feed of workspace {workspace}: {error}");
                    asked = true;
                    ask_vault(edge, env, &presented, false).await
                }
            },
            Step::Find => find(edge, env, &presented).await,
            Step::AskVault => {
                asked = true;
                ask_vault(edge, env, &presented, false).await
            }
            Step::AskForSecret => {
                asked = true;
                ask_vault(edge, env, &presented, true).await
            }
        };
        if let Err(error) = done {
            console_error!("{}: {error}", presented.locator);
            // What is remembered may still suffice: for a wrong secret, or as the workspace has chosen.
            return match edge.gate.step(&presented, wanted, true, now()) {
                Step::Done(checked) => checked,
                _ => match edge.gate.without_vault(&presented, wanted, now()) {
                    Step::Done(checked) => checked,
                    _ => Checked::refused(Denial::Unavailable),
                },
            };
        }
    }
    Checked::refused(Denial::Unavailable)
}

/// Reads the feed of a workspace to its end.
pub async fn read_feed(gate: &Gate, env: &Env, workspace: u32) -> Result<()> {
    let read = async {
        for _ in 0..PAGES {
            let asked_at = now();
            let from = gate.ask_feed(workspace, asked_at);
            let shard = ownchat_domain::feed::shard_of(workspace);
            let url = format!("https://vault{}", news_path(shard, from));
            let mut response = env.service("VAULT")?.fetch(url, None).await?;
            if response.status_code() != 200 {
                return Err(Error::RustError(format!("it answered {}", response.status_code())));
            }
            let page = decode(&response.bytes().await?).ok_or_else(|| Error::RustError("it is no page".into()))?;
            let more = page.more;
            gate.hear(workspace, page, from, asked_at);
            if !more {
                return Ok(());
            }
        }
        Err(Error::RustError("it has no end".into()))
    };
    let outcome = read.await;
    if outcome.is_err() {
        gate.missed(workspace);
    }
    outcome
}

/// Looks in KV, and asks the vault where KV does not help.
async fn find(edge: &Edge, env: &Env, presented: &Presented) -> Result<()> {
    let asked_at = now();
    match from_kv(edge, env, presented).await {
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
    let mut response = env.service("VAULT")?.fetch(url, None).await?;
    let known = match response.status_code() {
        200 => Some(Rc::new(open(edge, presented, &response.bytes().await?)?)),
        404 => None,
        status => return Err(Error::RustError(format!("the vault answered {status}"))),
    };
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
        Ok(Taken::Refused(refusal)) => Some(Gate::refused(record.clone(), &refusal)),
        Err(error) => {
            console_error!("{}: meter: {error}", record.locator);
            edge.gate.keep(record, question);
            Some(Checked::refused(Denial::Unavailable))
        }
    }
}

async fn ask_meter(env: &Env, record: &Record, question: &Take) -> Result<Taken> {
    let mut init = RequestInit::new();
    let body = Uint8Array::from(meter::encode(question).as_slice());
    init.with_method(Method::Post).with_body(Some(body.into()));
    let url = format!("https://vault{}", permits_path(record.locator));
    let mut response = env.service("VAULT")?.fetch(url, Some(init)).await?;
    if response.status_code() != 200 {
        return Err(Error::RustError(format!("it answered {}", response.status_code())));
    }
    meter::decode(&response.bytes().await?).ok_or_else(|| Error::RustError("it is no answer".into()))
}

/// What is done after the answer: the feed is read again when it is time, so that the next calls need not
/// wait for it, and permits that were not spent go back.
pub async fn afterwards(edge: &Edge, env: &Env, record: Rc<Record>) {
    let workspace = record.workspace.number;
    if edge.gate.is_feed_due(workspace, now())
        && let Err(error) = read_feed(&edge.gate, env, workspace).await
    {
        console_warn!("feed of workspace {workspace}: {error}");
    }
    if let Some(until) = edge.gate.watch(record.locator) {
        let wait = u64::try_from(until.since(now())).unwrap_or(0);
        Delay::from(std::time::Duration::from_millis(wait)).await;
        if let Some(leftovers) = edge.gate.leftovers(&record, now())
            && let Err(error) = ask_meter(env, &record, &leftovers).await
        {
            console_warn!("{}: meter: {error}", record.locator);
            edge.gate.keep(&record, leftovers);
        }
    }
}
