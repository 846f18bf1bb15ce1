//! Usage: how much was called, and when keys were last used.

use super::caller::{ask, who};
use crate::{patience::within, vault, visitor::Visitor};
use ownchat_domain::{
    failure::Failure,
    key::Key,
    locator::Locator,
    usage::Report,
    vault::{
        Object,
        registry::{ReadKey, ReadSettings},
        usage::{ReadLastUses, ReadUsage, UsageQuery},
    },
};
use std::time::Duration;
use worker::console_warn;

/// How long a list of keys waits to hear when they were last used.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much was called with a key, or with all keys of the workspace.
pub async fn read(visitor: &Visitor, key: Option<Locator>, query: UsageQuery) -> Result<Report, Failure> {
    let (caller, workspace) = who(visitor).await?;
    // The registry says who may see what; usage knows no callers and no end of a key.
    let registry = Object::Registry(workspace);
    match key {
        Some(id) => ask(visitor, registry, &ReadKey { caller, id }).await.map(drop)?,
        None => ask(visitor, registry, &ReadSettings { caller }).await.map(drop)?,
    }
    let series = vault::ask(&visitor.env, Object::Usage(workspace), &ReadUsage { key, query }).await?;
    Ok(Report::from(&series))
}

/// Notes on keys when they were last used. Without an answer in time they are shown without it.
pub async fn note_last_uses(visitor: &Visitor, workspace: u32, keys: &mut [Key]) {
    if keys.is_empty() {
        return;
    }
    let call = ReadLastUses { keys: keys.iter().map(|key| key.id).collect() };
    match within(PATIENCE, vault::ask(&visitor.env, Object::Usage(workspace), &call)).await {
        Some(Ok(uses)) => keys.iter_mut().for_each(|key| key.note_last_uses(&uses)),
        Some(Err(failure)) => console_warn!("usage: no last uses: {failure}"),
        None => console_warn!("usage: no last uses in time"),
    }
}
