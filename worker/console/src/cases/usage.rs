//! Usage: how much was called.

use super::caller::{ask, who};
use crate::{vault, visitor::Visitor};
use ownchat_domain::{
    failure::Failure,
    locator::Locator,
    usage::Report,
    vault::{
        Object,
        registry::{ReadKey, ReadSettings},
        usage::{ReadUsage, UsageQuery},
    },
};

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
