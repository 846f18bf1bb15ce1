//! Reports the usage of keys.

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

/// Reports the usage of one key, or of all keys of the workspace.
pub async fn read(visitor: &Visitor, key: Option<Locator>, query: UsageQuery) -> Result<Report, Failure> {
    let (caller, workspace) = who(visitor).await?;
    // The registry authorises the caller. The usage object knows neither callers nor deletions.
    let registry = Object::Registry(workspace);
    match key {
        Some(id) => ask(visitor, registry, &ReadKey { caller, id }).await.map(drop)?,
        None => ask(visitor, registry, &ReadSettings { caller }).await.map(drop)?,
    }
    let series = vault::ask(&visitor.env, Object::Usage(workspace), &ReadUsage { key, query }).await?;
    Ok(Report::from(&series))
}
