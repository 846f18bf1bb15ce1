//! Fetches of keys from KV and the vault, and of the revocation feed.

use super::{call_vault, state::KeyFetch};
use crate::{
    authorizer::Authorizer,
    edge::Edge,
    key_cache::CachedKey,
    key_check::PresentedKey,
    platform::{ErrorText, Platform, now, unexpected_status},
    timeouts::{FEED, REGISTRY},
};
use ownchat_domain::{
    feed::{self, decode},
    record::{Record, kv_name},
    vault::{feed_path, record_path},
};
use std::{net::IpAddr, rc::Rc};

/// Seconds for which the platform may serve a KV read from its own cache. The feed names the
/// records that are stale.
const KV_CACHE_TTL: u32 = 300;
/// Maximum pages of the feed that one request waits for.
const MAX_PAGES: usize = 20;

/// Fetches a key. Concurrent requests for the same key wait for this fetch.
pub(super) async fn fetch_key(
    edge: &Edge,
    platform: &Platform,
    presented: &PresentedKey,
    fetch: KeyFetch,
    client_ip: Option<IpAddr>,
) -> Result<(), ErrorText> {
    let requested_at = now();
    let is_unknown = edge.authorizer.begin_fetch(presented, fetch == KeyFetch::Replica, client_ip, requested_at);
    let outcome = match fetch.replica_age() {
        Some(age) if fetch_replica(edge, platform, presented, age).await => Ok(()),
        _ => fetch_from_vault(edge, platform, presented, fetch == KeyFetch::SecretRecheck).await,
    };
    edge.authorizer.end_fetch(presented, is_unknown, client_ip, requested_at, outcome.is_err().then(now));
    outcome
}

/// Reads the feed of a workspace to its last page.
pub(super) async fn read_feed(authorizer: &Authorizer, platform: &Platform, workspace: u32) {
    if let Err(error) = read_pages(authorizer, platform, workspace).await {
        authorizer.feed_read_failed(workspace, now());
        platform.log_warning(&format!("feed of workspace {workspace}: {error}"));
    }
}

async fn read_pages(authorizer: &Authorizer, platform: &Platform, workspace: u32) -> Result<(), ErrorText> {
    for _ in 0..MAX_PAGES {
        let requested_at = now();
        let from = authorizer.begin_feed_read(workspace, requested_at);
        let bytes = call_vault(platform, &feed_path(feed::shard_of(workspace), from), None, FEED).await?;
        let page = decode(&bytes).map_err(|error| format!("page: {error}"))?;
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
        Err(error) => platform.log_warning(&format!("{}: KV: {error}", presented.locator)),
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
