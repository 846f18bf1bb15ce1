//! Finding a key that is not remembered: first the copy in KV, then the vault, which knows the truth.

use crate::{
    edge::{Edge, now},
    gate::{Checked, Presented},
    memory::Known,
};
use ownchat_domain::{
    record::{Record, kv_name},
    scope::ScopeSet,
    vault::record_path,
    verdict::Denial,
};
use worker::{Env, Error, Result, console_error, console_warn};

/// Seconds for which the platform may answer a KV read from its own cache; its smallest value.
const CACHE_TTL: u64 = 30;

/// Checks a key, and asks the stores if need be.
pub async fn check(edge: &Edge, env: &Env, text: &str, required: ScopeSet) -> Checked {
    let presented = match edge.gate.read(text) {
        Ok(presented) => presented,
        Err(denial) => return Checked::refused(denial),
    };
    if let Some(checked) = edge.gate.recall(&presented, required, now()) {
        return checked;
    }
    let asked_at = now();
    match find(edge, env, &presented).await {
        Ok(known) => edge.gate.learn(known, &presented, required, asked_at, now()),
        Err(error) => {
            console_error!("{}: {error}", presented.locator);
            Checked::refused(Denial::Unavailable)
        }
    }
}

async fn find(edge: &Edge, env: &Env, presented: &Presented) -> Result<Known> {
    match from_kv(edge, env, presented).await {
        Ok(Some(record)) => Ok(Some(record.into())),
        Ok(None) => from_vault(edge, env, presented).await,
        Err(error) => {
            console_warn!("{}: KV: {error}", presented.locator);
            from_vault(edge, env, presented).await
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

async fn from_vault(edge: &Edge, env: &Env, presented: &Presented) -> Result<Known> {
    let url = format!("https://vault{}", record_path(presented.address.workspace, presented.locator));
    let mut response = env.service("VAULT")?.fetch(url, None).await?;
    match response.status_code() {
        200 => Ok(Some(open(edge, presented, &response.bytes().await?)?.into())),
        404 => Ok(None),
        status => Err(Error::RustError(format!("the vault answered {status}"))),
    }
}

fn open(edge: &Edge, presented: &Presented, bytes: &[u8]) -> Result<Record> {
    Record::open(bytes, presented.locator, edge.gate.keyring()).map_err(|error| Error::RustError(error.to_string()))
}
