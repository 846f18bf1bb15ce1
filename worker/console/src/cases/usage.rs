//! Usage: how much was called, and when keys were last used.

use super::session::resume;
use crate::{vault::ask, visitor::Visitor};
use futures_util::future::{Either, select};
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
use std::{pin::pin, time::Duration};
use worker::{Delay, console_warn};

/// How long a list of keys waits to hear when they were last used.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much was called with a key, or with all keys of the workspace.
pub async fn read(visitor: &Visitor, key: Option<Locator>, query: UsageQuery) -> Result<Report, Failure> {
    let (person, identity) = resume(visitor).await?;
    // The registry says who may see what; usage knows no people and no end of a key.
    let registry = Object::Registry(identity.workspace);
    match key {
        Some(id) => ask(&visitor.env, registry, &ReadKey { person, id }).await.map(drop)?,
        None => ask(&visitor.env, registry, &ReadSettings { person }).await.map(drop)?,
    }
    let series = ask(&visitor.env, Object::Usage(identity.workspace), &ReadUsage { key, query }).await?;
    Ok(Report::from(&series))
}

/// Notes on keys when they were last used. Without an answer in time they are shown without it.
pub async fn note_last_uses(visitor: &Visitor, workspace: u32, keys: &mut [Key]) {
    if keys.is_empty() {
        return;
    }
    let call = ReadLastUses { keys: keys.iter().map(|key| key.id).collect() };
    let answer = pin!(ask(&visitor.env, Object::Usage(workspace), &call));
    match select(answer, Delay::from(PATIENCE)).await {
        Either::Left((Ok(uses), _)) => keys.iter_mut().for_each(|key| key.note_last_uses(&uses)),
        Either::Left((Err(failure), _)) => console_warn!("usage: no last uses: {failure}"),
        Either::Right(_) => console_warn!("usage: no last uses in time"),
    }
}
